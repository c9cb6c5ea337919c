//! `/token` (OAuth 2.1 §3.2): reading the request, and the answer.
//!
//! The way of one request: [`ClientCredentials::parse`](super::client_authentication::ClientCredentials::parse) and
//! `authenticate`, [`TokenRequest::parse`], load the grant, `CodeGrant::exchange` or `RefreshGrant::redeem`,
//! [`Authorized::issue`](super::access_token::Authorized::issue), commit, [`TokenResponse`].

use serde::Serialize;

use super::{
    client_authentication::AuthenticatedClient, client_credentials::OwnAccess, error::TokenError, gateway::Gateway,
    params::Params, resource::Resource, scope::Scope, secret::Secret,
};

/// As the metadata lists them.
pub const GRANT_TYPES: [&str; 3] = ["authorization_code", "refresh_token", "client_credentials"];

/// What an authenticated client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRequest {
    Code(CodeExchange),
    Refresh(Refresh),
    /// `grant_type=client_credentials`.
    OwnAccess(OwnAccess),
}

/// `grant_type=authorization_code` (OAuth 2.1 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeExchange {
    pub code: Secret,
    /// May be left out: PKCE already binds the code to the request (OAuth 2.1 §10.2).
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<Secret>,
    /// RFC 8707 §2.2: a subset of what was authorized; empty = all of it.
    pub resource: Vec<Resource>,
}

/// `grant_type=refresh_token` (OAuth 2.1 §4.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    pub token: Secret,
    /// Absent = all that was granted.
    pub scope: Option<Scope>,
    pub resource: Vec<Resource>,
}

impl TokenRequest {
    pub fn parse(params: &Params, client: &AuthenticatedClient, gateway: &Gateway) -> Result<Self, TokenError> {
        let grant_type = params.require("grant_type")?;
        if !GRANT_TYPES.contains(&grant_type) {
            return Err(TokenError::UnsupportedGrantType);
        }
        if !client.client().may_use(grant_type) {
            return Err(TokenError::GrantTypeNotRegistered);
        }
        let resource = Resource::parse_all(params.all("resource"), gateway)?;
        Ok(match grant_type {
            "authorization_code" => Self::Code(CodeExchange {
                code: Secret::new(params.require("code")?),
                redirect_uri: params.get("redirect_uri").map(str::to_owned),
                code_verifier: params.get("code_verifier").map(Secret::new),
                resource,
            }),
            "client_credentials" => Self::OwnAccess(OwnAccess::parse(params, resource)?),
            _ => Self::Refresh(Refresh {
                token: Secret::new(params.require("refresh_token")?),
                scope: params.get("scope").map(Scope::parse).transpose()?,
                resource,
            }),
        })
    }

    /// For the metric's label.
    pub fn grant_type(&self) -> &'static str {
        match self {
            Self::Code(_) => "authorization_code",
            Self::Refresh(_) => "refresh_token",
            Self::OwnAccess(_) => "client_credentials",
        }
    }
}

/// The answer (RFC 6749 §5.1). Holds tokens in the clear: serialize it, never log it.
#[derive(Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    pub scope: String,
}

impl TokenResponse {
    /// `access_token`: the signed form of a token with `scope`, good for `expires_in` seconds.
    pub fn new(access_token: String, expires_in: u64, refresh_token: Option<&Secret>, scope: &Scope) -> Self {
        let refresh_token = refresh_token.map(|token| token.expose().to_owned());
        Self { access_token, token_type: "Bearer", expires_in, refresh_token, scope: scope.to_string() }
    }
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// RFC 8707 §2.2: `requested` within `granted`. A grant without a resource is for the whole gateway, so any part of
/// it is within; nothing requested means all that was granted.
pub(crate) fn narrow_resource(granted: &[Resource], requested: &[Resource]) -> Result<Vec<Resource>, TokenError> {
    let within = granted.is_empty() || requested.iter().all(|resource| granted.contains(resource));
    match (within, requested.is_empty()) {
        (false, _) => Err(TokenError::ResourceWidened),
        (true, true) => Ok(granted.to_vec()),
        (true, false) => Ok(requested.to_vec()),
    }
}

/// RFC 6749 §6: `requested` within `granted`.
pub(crate) fn narrow_scope(granted: &Scope, requested: Option<&Scope>) -> Result<Scope, TokenError> {
    match requested {
        None => Ok(granted.clone()),
        Some(scope) if scope.is_subset(granted) => Ok(scope.clone()),
        Some(_) => Err(TokenError::ScopeWidened),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{
        client_authentication::ClientCredentials,
        fixtures::{NOW, client, gateway},
    };

    fn parse(body: &str) -> Result<TokenRequest, TokenError> {
        let params = Params::parse(body.as_bytes()).unwrap();
        let login = Params::parse(b"client_id=client_1&client_secret=secret").unwrap();
        let client = ClientCredentials::parse(None, &login)?.authenticate(Some(client()), NOW)?;
        TokenRequest::parse(&params, &client, &gateway())
    }

    #[test]
    fn both_grants_are_read() {
        let code =
            parse("grant_type=authorization_code&code=c&code_verifier=v&resource=https://a.example.com/").unwrap();
        assert!(matches!(&code, TokenRequest::Code(c) if c.resource[0].as_str() == "https://a.example.com"));
        let refresh = parse("grant_type=refresh_token&refresh_token=r&scope=openid").unwrap();
        assert_eq!(refresh.grant_type(), "refresh_token");
        assert!(!format!("{code:?}").contains("\"c\""));
    }

    #[test]
    fn faults_have_the_codes_of_rfc_6749() {
        for (body, code) in [
            ("", "invalid_request"),
            ("grant_type=password", "unsupported_grant_type"),
            ("grant_type=authorization_code", "invalid_request"),
            ("grant_type=refresh_token", "invalid_request"),
            ("grant_type=refresh_token&refresh_token=r&scope=a%22", "invalid_scope"),
            ("grant_type=refresh_token&refresh_token=r&resource=https://evil.example/", "invalid_target"),
        ] {
            let error = parse(body).unwrap_err();
            assert_eq!((error.code(), error.status()), (code, 400), "{body}");
        }
    }

    #[test]
    fn narrowing_is_allowed_and_widening_refused() {
        let all = |texts: &[&str]| Resource::parse_all(texts.iter().copied(), &gateway()).unwrap();
        let (one, two) = (all(&["https://a.example.com"]), all(&["https://a.example.com", "https://b.example.com"]));
        assert_eq!(narrow_resource(&two, &one).unwrap(), one);
        assert_eq!(narrow_resource(&two, &[]).unwrap(), two);
        assert_eq!(narrow_resource(&[], &one).unwrap(), one);
        assert_eq!(narrow_resource(&one, &two), Err(TokenError::ResourceWidened));
        let granted = Scope::parse("openid email").unwrap();
        assert_eq!(narrow_scope(&granted, Some(&Scope::parse("email").unwrap())).unwrap().to_string(), "email");
        assert_eq!(
            narrow_scope(&granted, Some(&Scope::parse("email mcp:time").unwrap())),
            Err(TokenError::ScopeWidened)
        );
    }
}
