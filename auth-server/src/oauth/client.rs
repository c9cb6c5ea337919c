//! A registered client (RFC 7591 §2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{id::ClientId, redirect_uri::RedirectUri, scope::Scope, secret::SecretHash};

/// How a client authenticates at `/token` (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
    /// RFC 7523 §2.2: an assertion signed with a key of the client's (`jwks`, `jwks_uri`).
    PrivateKeyJwt,
}

/// What is stored of a client. Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    pub id: ClientId,
    /// `None` for a public client.
    pub secret: Option<SecretHash>,
    pub auth_method: AuthMethod,
    pub redirect_uris: Vec<RedirectUri>,
    pub grant_types: Vec<String>,
    pub response_types: Vec<String>,
    pub name: Option<String>,
    pub scope: Scope,
    pub issued_at: u64,
    /// 0 = never (RFC 7591 §3.2.1).
    pub secret_expires_at: u64,
    /// RFC 7592 §3.
    pub registration_token: Option<SecretHash>,
    /// Metadata that is echoed but not acted on: client_uri, logo_uri, contacts, tos_uri, policy_uri, software_id, …
    pub metadata: Map<String, Value>,
}

impl AuthMethod {
    /// Whether the client and we share a secret.
    pub fn takes_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

impl Client {
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|registered| registered == grant_type)
    }

    /// Neither secret nor key: the client proves itself by PKCE and its redirect URI only (OAuth 2.1 §2.1).
    pub fn is_public(&self) -> bool {
        self.secret.is_none() && self.auth_method != AuthMethod::PrivateKeyJwt
    }
}
