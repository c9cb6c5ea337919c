//! What the tests of this folder start from.

use serde_json::Map;

use super::{
    access_token::Claims,
    authorization::{AuthorizationPolicy, AuthorizationRequest},
    client::{AuthMethod, Client},
    client_authentication::{AuthenticatedClient, ClientCredentials},
    gateway::Gateway,
    grant::User,
    id::{ClientId, FamilyId, Subject, TokenId},
    params::Params,
    redirect_uri::RedirectUri,
    refresh::{RefreshGrant, RefreshState},
    scope::Scope,
    secret::Secret,
    service::ScopesSupported,
};

pub(crate) const NOW: u64 = 1_800_000_000;
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn gateway() -> Gateway {
    Gateway::new("example.com").unwrap()
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

pub(crate) fn policy() -> AuthorizationPolicy {
    AuthorizationPolicy {
        gateway: gateway(),
        scopes_supported: ScopesSupported::new(scope("openid profile email offline_access"), []),
        default_scope: scope("openid profile email"),
        require_resource: false,
    }
}

/// A confidential client; its secret is «secret».
pub(crate) fn client() -> Client {
    Client {
        id: ClientId::parse("client_1").unwrap(),
        secret: Some(Secret::new("secret").hash()),
        auth_method: AuthMethod::ClientSecretBasic,
        redirect_uris: vec![RedirectUri::parse("https://app.example/cb").unwrap()],
        grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
        response_types: vec!["code".to_owned()],
        name: Some("App".to_owned()),
        scope: Scope::default(),
        issued_at: NOW,
        secret_expires_at: 0,
        registration_token: Some(Secret::new("reg-token").hash()),
        metadata: Map::new(),
    }
}

pub(crate) fn public_client() -> Client {
    Client { secret: None, auth_method: AuthMethod::None, ..client() }
}

pub(crate) fn user() -> User {
    User {
        id: Subject::parse("42").unwrap(),
        username: "octocat".to_owned(),
        email: Some("octocat@example.com".to_owned()),
        name: Some("Mona".to_owned()),
        groups: ["acme".to_owned()].into_iter().collect(),
    }
}

pub(crate) fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: client().id,
        redirect_uri: client().redirect_uris[0].clone(),
        scope: scope("openid profile"),
        state: None,
        code_challenge: CHALLENGE.to_owned(),
        resource: Vec::new(),
    }
}

pub(crate) fn client_named(id: &str) -> Client {
    Client { id: ClientId::parse(id).unwrap(), ..client() }
}

/// `client` after it sent «secret», or nothing when it is public.
pub(crate) fn authenticated(client: Client) -> AuthenticatedClient {
    let secret = if client.is_public() { "" } else { "secret" };
    let body = format!("client_id={}&client_secret={secret}", client.id);
    let params = Params::parse(body.as_bytes()).unwrap();
    ClientCredentials::parse(None, &params).unwrap().authenticate(Some(client), NOW).unwrap()
}

pub(crate) fn claims() -> Claims {
    Claims {
        iss: gateway().issuer().to_owned(),
        sub: user().id,
        aud: vec![gateway().issuer().to_owned()],
        client_id: client().id,
        scope: scope("openid profile"),
        jti: TokenId::parse("jti").unwrap(),
        iat: NOW,
        nbf: None,
        exp: NOW + 3600,
        username: user().username,
        email: None,
        name: user().name,
    }
}

pub(crate) fn refresh_grant() -> RefreshGrant {
    RefreshGrant {
        client_id: client().id,
        user: user(),
        scope: scope("openid email"),
        resource: Vec::new(),
        family: FamilyId::parse("family"),
        created_at: NOW,
        state: RefreshState::Active,
    }
}
