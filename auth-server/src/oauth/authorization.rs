//! The authorization request (OAuth 2.1 §4.1.1) and what waits for the person's answer.

use serde::{Deserialize, Serialize};

use super::{id::ClientId, redirect_uri::RedirectUri, resource::Resource, scope::Scope, secret::SecretHash};

/// A checked authorization request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: ClientId,
    pub redirect_uri: RedirectUri,
    pub scope: Scope,
    /// The client's own `state`, returned untouched.
    pub state: Option<String>,
    /// PKCE S256 challenge (RFC 7636 §4.2): 43 base64url characters.
    pub code_challenge: String,
    pub resource: Vec<Resource>,
}

/// A request on its way through consent and GitHub; stored under `oauth:state:{state}` for 300 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingAuthorization {
    pub request: AuthorizationRequest,
    /// Hash of the browser's cookie: another browser cannot finish this login (login CSRF).
    pub browser: SecretHash,
    /// The person approved our own page; GitHub is next.
    pub consented: bool,
}
