//! Dynamic client registration (RFC 7591) and its management (RFC 7592).
//!
//! Left out: software statements; `client_credentials`, which only the operator gives. Other metadata is kept and
//! echoed, not acted on.

use serde_json::{Map, Value, json};

use super::{
    client::{AuthMethod, Client},
    error::{ManagementError, RegistrationError},
    gateway::Gateway,
    id::ClientId,
    redirect_uri::RedirectUri,
    scope::Scope,
    secret::{Secret, SecretHash},
};

mod metadata;
mod shared;

pub use shared::Fingerprint;

/// Largest registration body, bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Checked client metadata (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq)]
pub struct ClientMetadata {
    redirect_uris: Vec<RedirectUri>,
    auth_method: AuthMethod,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    name: Option<String>,
    scope: Scope,
    rest: Map<String, Value>,
}

/// What is made for a new client: its id, its secrets, and when.
#[derive(Clone, Debug)]
pub struct NewClient {
    pub id: ClientId,
    /// Kept only when the client asked for one.
    pub secret: Secret,
    pub registration_token: Secret,
    /// Seconds since the epoch.
    pub now: u64,
    /// `CLIENT_LIFETIME` in seconds; `None` = never expires.
    pub lifetime: Option<u64>,
}

/// A registration: what is stored, and what the client is told once.
#[derive(Clone, Debug)]
pub struct Registration {
    pub client: Client,
    /// `None` for a public client.
    pub secret: Option<Secret>,
    /// `None` for a shared one, which nobody manages.
    pub registration_token: Option<Secret>,
}

impl ClientMetadata {
    /// Reads and checks the JSON of `POST /register` or `PUT /register/{client_id}`.
    pub fn parse(body: &[u8]) -> Result<Self, RegistrationError> {
        metadata::parse(body)
    }

    /// RFC 7591 §3.2.1.
    pub fn register(self, new: NewClient) -> Registration {
        let secret = self.auth_method.takes_secret().then_some(new.secret);
        let expiry = |lifetime| new.now.saturating_add(lifetime);
        let client = Client {
            id: new.id,
            secret: secret.as_ref().map(Secret::hash),
            auth_method: self.auth_method,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            response_types: self.response_types,
            name: self.name,
            scope: self.scope,
            issued_at: new.now,
            secret_expires_at: new.lifetime.map_or(0, expiry),
            registration_token: Some(new.registration_token.hash()),
            metadata: self.rest,
        };
        Registration { client, secret, registration_token: Some(new.registration_token) }
    }

    /// RFC 7592 §2.2: the new metadata replaces the old; id, secret and token stay. A client cannot turn from public
    /// to one with a secret or a key, or back: it would need a secret that nobody has told it, or leave one behind.
    pub fn update(self, client: Client) -> Result<Client, RegistrationError> {
        let has_key = |method| method == AuthMethod::PrivateKeyJwt;
        if client.secret.is_some() != self.auth_method.takes_secret()
            || has_key(client.auth_method) != has_key(self.auth_method)
        {
            return Err(RegistrationError::Unsupported("token_endpoint_auth_method"));
        }
        Ok(Client {
            auth_method: self.auth_method,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            response_types: self.response_types,
            name: self.name,
            scope: self.scope,
            metadata: self.rest,
            ..client
        })
    }
}

impl Registration {
    /// The 201 answer, and the 200 answer of `GET` and `PUT` (RFC 7591 §3.2.1, RFC 7592 §3). Holds secrets: serve it
    /// with `Cache-Control: no-store`.
    pub fn response(&self, gateway: &Gateway) -> Value {
        let mut answer = configuration(&self.client);
        if let Some(secret) = &self.secret {
            answer["client_secret"] = secret.expose().into();
        }
        if let Some(token) = &self.registration_token {
            answer["registration_access_token"] = token.expose().into();
            answer["registration_client_uri"] = gateway.url(&format!("/register/{}", self.client.id)).into();
        }
        answer
    }
}

/// What is said of a client in every answer.
fn configuration(client: &Client) -> Value {
    let mut answer = client.metadata.clone();
    let mut add = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    add("client_id", json!(client.id));
    add("client_id_issued_at", json!(client.issued_at));
    if client.secret.is_some() {
        add("client_secret_expires_at", json!(client.secret_expires_at));
    }
    add("redirect_uris", json!(client.redirect_uris));
    // Clients read a missing method each in their own way: it is always said (contract, «What real clients need»).
    add("token_endpoint_auth_method", json!(client.auth_method));
    add("grant_types", json!(client.grant_types));
    add("response_types", json!(client.response_types));
    if let Some(name) = &client.name {
        add("client_name", json!(name));
    }
    if !client.scope.is_empty() {
        add("scope", json!(client.scope));
    }
    Value::Object(answer)
}

/// RFC 7592 §2: only the holder of the registration access token may read or change the registration.
/// `authorization`: the value of that header. The token is told again, as RFC 7592 §3 requires; the client's secret is
/// not, for only its hash is kept.
pub fn authorize_management(
    client: Option<Client>,
    authorization: Option<&str>,
) -> Result<Registration, ManagementError> {
    let bearer = authorization
        .and_then(|value| value.trim().split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Secret::new(token.trim()))
        .ok_or(ManagementError::TokenMissing)?;
    let client = client.ok_or(ManagementError::UnknownClient)?;
    let holds = |hash: &SecretHash| hash.matches(&bearer);
    if client.registration_token.as_ref().is_some_and(holds) {
        Ok(Registration { client, secret: None, registration_token: Some(bearer) })
    } else {
        Err(ManagementError::TokenWrong)
    }
}

#[cfg(test)]
mod tests;
