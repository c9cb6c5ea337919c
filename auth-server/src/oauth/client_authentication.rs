//! How a client proves who it is at `/token`, `/revoke` and `/introspect` (RFC 6749 §2.3, OAuth 2.1 §2.4).
//!
//! Basic, post, none and `private_key_jwt`, whose rules are in [`super::client_assertion`]. A client with a secret may
//! use Basic or post, whichever it registered: that is what the Python service accepted.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    client::{AuthMethod, Client},
    client_assertion::{Assertion, AssertionError, JWT_BEARER},
    error::TokenError,
    id::ClientId,
    params::{self, Params},
    secret::Secret,
};

/// What a request offers as proof; the client it names is yet to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    client_id: ClientId,
    proof: Proof,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    None,
    Secret(Secret),
    Assertion(Box<Assertion>),
}

/// A client that proved itself: by [`ClientCredentials::authenticate`], or by an assertion that was not used before.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthenticatedClient(Client);

impl ClientCredentials {
    /// `authorization`: the value of that header, if any.
    pub fn parse(authorization: Option<&str>, params: &Params) -> Result<Self, TokenError> {
        let basic = authorization.and_then(basic_part);
        if params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some() {
            return Self::from_assertion(basic, params);
        }
        match basic {
            Some(encoded) => Self::from_basic(encoded, params),
            None => {
                let client_id = parse_id(params.get("client_id").unwrap_or_default())?;
                Ok(Self { client_id, proof: Proof::of(params.get("client_secret").map(Secret::new)) })
            }
        }
    }

    /// RFC 7523 §2.2. The assertion says whose it is; a `client_id` beside it must agree (RFC 7521 §4.2).
    fn from_assertion(basic: Option<&str>, params: &Params) -> Result<Self, TokenError> {
        if basic.is_some() || params.get("client_secret").is_some() {
            return Err(TokenError::TwoAuthentications);
        }
        if params.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(AssertionError::Type.into());
        }
        let assertion = Assertion::parse(params.get("client_assertion").ok_or(AssertionError::Missing)?)?;
        let client_id = assertion.client_id().clone();
        match params.get("client_id") {
            Some(id) if id != client_id.as_str() => Err(AssertionError::Issuer.into()),
            _ => Ok(Self { client_id, proof: Proof::Assertion(Box::new(assertion)) }),
        }
    }

    fn from_basic(encoded: &str, params: &Params) -> Result<Self, TokenError> {
        let (id, secret) = decode_basic(encoded).ok_or(TokenError::MalformedBasic)?;
        let client_id = parse_id(&id)?;
        // RFC 6749 §2.3: one method per request. A client_id that repeats the header's is no second method.
        let body_id_differs = params.get("client_id").is_some_and(|id| id != client_id.as_str());
        if body_id_differs || params.get("client_secret").is_some() {
            return Err(TokenError::TwoAuthentications);
        }
        Ok(Self { client_id, proof: Proof::of((!secret.is_empty()).then(|| Secret::new(secret))) })
    }

    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// What the client signed, if it did: its signature is checked elsewhere, and then [`Assertion::check`] decides.
    pub fn assertion(&self) -> Option<&Assertion> {
        match &self.proof {
            Proof::Assertion(assertion) => Some(assertion),
            Proof::None | Proof::Secret(_) => None,
        }
    }

    /// By a secret or by nothing. `client`: what [`Self::client_id`] stands for. `now`: seconds since the epoch.
    pub fn authenticate(&self, client: Option<Client>, now: u64) -> Result<AuthenticatedClient, TokenError> {
        let client = client.filter(|client| client.id == self.client_id).ok_or(TokenError::UnknownClient)?;
        if client.auth_method == AuthMethod::PrivateKeyJwt {
            return Err(TokenError::AssertionMissing);
        }
        match (&client.secret, &self.proof) {
            (None, Proof::None) => Ok(AuthenticatedClient(client)),
            (Some(_), Proof::None) => Err(TokenError::ClientSecretMissing),
            // A secret from a public client is a mistake that it should hear about.
            (None, Proof::Secret(_)) => Err(TokenError::ClientSecretWrong),
            (Some(stored), Proof::Secret(sent)) if !stored.matches(sent) => Err(TokenError::ClientSecretWrong),
            (Some(_), Proof::Secret(_)) if has_expired(&client, now) => Err(TokenError::ClientSecretExpired),
            (Some(_), Proof::Secret(_)) => Ok(AuthenticatedClient(client)),
            (_, Proof::Assertion(_)) => Err(AssertionError::NotRegistered.into()),
        }
    }
}

impl Proof {
    fn of(secret: Option<Secret>) -> Self {
        secret.map_or(Self::None, Self::Secret)
    }
}

impl AuthenticatedClient {
    pub(super) fn proven(client: Client) -> Self {
        Self(client)
    }

    pub fn id(&self) -> &ClientId {
        &self.0.id
    }

    pub fn client(&self) -> &Client {
        &self.0
    }
}

fn has_expired(client: &Client, now: u64) -> bool {
    client.secret_expires_at != 0 && client.secret_expires_at <= now
}

fn parse_id(text: &str) -> Result<ClientId, TokenError> {
    ClientId::parse(text).ok_or(TokenError::ClientIdMissing)
}

/// What follows `Basic ` (the scheme's case does not matter, RFC 9110 §11.1); `None` for another scheme.
fn basic_part(authorization: &str) -> Option<&str> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| rest.trim())
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined by a colon.
fn decode_basic(encoded: &str) -> Option<(String, String)> {
    let joined = STANDARD.decode(encoded).ok()?;
    let colon = joined.iter().position(|b| *b == b':')?;
    let id = params::decode(&joined[..colon]).ok()?;
    let secret = params::decode(&joined[colon + 1..]).ok()?;
    Some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::fixtures::{NOW, client, public_client};

    fn form(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    fn basic(joined: &str) -> String {
        format!("Basic {}", STANDARD.encode(joined))
    }

    fn attempt(authorization: Option<&str>, body: &str, client: Client) -> Result<AuthenticatedClient, TokenError> {
        ClientCredentials::parse(authorization, &form(body))?.authenticate(Some(client), NOW)
    }

    #[test]
    fn a_client_with_a_secret_may_use_basic_or_post() {
        assert!(attempt(Some(&basic("client_1:secret")), "", client()).is_ok());
        assert!(attempt(Some(&basic("client_1:secret")), "client_id=client_1", client()).is_ok());
        assert!(attempt(None, "client_id=client_1&client_secret=secret", client()).is_ok());
    }

    #[test]
    fn basic_values_are_percent_decoded() {
        let id = ClientId::parse("https://app.example/c+d").unwrap();
        let client = Client { id, secret: Some(Secret::new("a:b c%").hash()), ..client() };
        let header = basic("https%3A%2F%2Fapp.example%2Fc%2Bd:a%3Ab+c%25").replace("Basic", "bASIC");
        assert!(attempt(Some(&header), "", client).is_ok());
    }

    #[test]
    fn a_wrong_or_missing_secret_is_invalid_client_with_401() {
        for (result, reason) in [
            (attempt(Some(&basic("client_1:wrong")), "", client()), TokenError::ClientSecretWrong),
            (attempt(None, "client_id=client_1&client_secret=x", client()), TokenError::ClientSecretWrong),
            (attempt(None, "client_id=client_1", client()), TokenError::ClientSecretMissing),
            (attempt(None, "client_id=client_1&client_secret=", client()), TokenError::ClientSecretMissing),
            (attempt(None, "client_id=", client()), TokenError::ClientIdMissing),
            (attempt(Some("Basic !!!"), "", client()), TokenError::MalformedBasic),
            (attempt(Some(&basic("client_1")), "", client()), TokenError::MalformedBasic),
        ] {
            let error = result.unwrap_err();
            assert_eq!((error.code(), error.status()), ("invalid_client", 401));
            assert_eq!(error, reason);
        }
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        let header = basic("client_1:secret");
        for body in ["client_id=client_1&client_secret=secret", "client_id=client_2"] {
            let error = attempt(Some(&header), body, client()).unwrap_err();
            assert_eq!((error.code(), error.status()), ("invalid_request", 400));
        }
    }

    #[test]
    fn a_public_client_sends_no_secret() {
        assert!(attempt(None, "client_id=client_1", public_client()).is_ok());
        assert!(attempt(Some(&basic("client_1:")), "", public_client()).is_ok());
        assert!(attempt(None, "client_id=client_1&client_secret=x", public_client()).is_err());
    }

    #[test]
    fn an_expired_secret_or_a_deleted_client_is_refused() {
        let expired = Client { secret_expires_at: NOW, ..client() };
        let body = "client_id=client_1&client_secret=secret";
        assert_eq!(attempt(None, body, expired).unwrap_err(), TokenError::ClientSecretExpired);
        let credentials = ClientCredentials::parse(None, &form(body)).unwrap();
        assert_eq!(credentials.authenticate(None, NOW).unwrap_err(), TokenError::UnknownClient);
    }

    #[test]
    fn credentials_are_not_printed() {
        let credentials = ClientCredentials::parse(None, &form("client_id=a&client_secret=hush")).unwrap();
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
