//! `oauth:client:{client_id}` (RFC 7591 §2): lists are JSON text inside the JSON, as the Python service writes them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::StoreUnavailable;
use crate::oauth::{
    client::{AuthMethod, Client},
    id::ClientId,
    redirect_uri::RedirectUri,
    scope::Scope,
    secret::{Secret, SecretHash},
};

#[derive(Serialize, Deserialize)]
struct ClientRecord {
    client_id: ClientId,
    /// Plain: written by the Python service only.
    #[serde(default, skip_serializing)]
    client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret_sha256: Option<SecretHash>,
    #[serde(default)]
    client_secret_expires_at: u64,
    #[serde(default)]
    client_id_issued_at: u64,
    redirect_uris: Texts,
    #[serde(default = "code")]
    response_types: Texts,
    #[serde(default = "authorization_code")]
    grant_types: Texts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<AuthMethod>,
    #[serde(default)]
    client_name: Option<String>,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    created_at: u64,
    /// Plain: written by the Python service only.
    #[serde(default, skip_serializing)]
    registration_access_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registration_access_token_sha256: Option<SecretHash>,
    /// When tokens last renewed it, about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_at: Option<u64>,
    /// Apart from our own fields, so that a registration cannot write those.
    #[serde(default)]
    metadata: Map<String, Value>,
    /// Metadata that the Python service puts beside its own fields on an update.
    #[serde(flatten, skip_serializing)]
    beside: Map<String, Value>,
}

/// A list written as JSON text; one written as a list is read too.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "TextOrList", into = "String")]
struct Texts(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrList {
    Text(String),
    List(Vec<String>),
}

impl From<TextOrList> for Texts {
    fn from(either: TextOrList) -> Self {
        Self(match either {
            TextOrList::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
            TextOrList::List(list) => list,
        })
    }
}

impl From<Texts> for String {
    fn from(texts: Texts) -> Self {
        Value::from(texts.0).to_string()
    }
}

fn code() -> Texts {
    Texts(vec!["code".to_owned()])
}

/// RFC 7591 §2: the default.
fn authorization_code() -> Texts {
    Texts(vec!["authorization_code".to_owned()])
}

pub(in crate::store) fn encode(client: &Client) -> Result<Vec<u8>, StoreUnavailable> {
    let uris = client.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect();
    super::encode(&ClientRecord {
        client_id: client.id.clone(),
        client_secret: None,
        client_secret_sha256: client.secret.clone(),
        client_secret_expires_at: client.secret_expires_at,
        client_id_issued_at: client.issued_at,
        redirect_uris: Texts(uris),
        response_types: Texts(client.response_types.clone()),
        grant_types: Texts(client.grant_types.clone()),
        token_endpoint_auth_method: Some(client.auth_method),
        client_name: client.name.clone(),
        scope: Some(client.scope.clone()),
        created_at: client.issued_at,
        registration_access_token: None,
        registration_access_token_sha256: client.registration_token.clone(),
        used_at: None,
        metadata: client.metadata.clone(),
        beside: Map::new(),
    })
}

/// The record without its registration access token.
pub(in crate::store) fn unmanaged(bytes: &[u8]) -> Result<Vec<u8>, StoreUnavailable> {
    let mut record: Map<String, Value> = super::decode(bytes)?;
    record.remove("registration_access_token_sha256");
    record.remove("registration_access_token");
    super::encode(&record)
}

/// The record of a client in use: its secret expires with it. What else the Python service wrote stays, so that it can
/// go on reading it.
pub(in crate::store) fn renewed(
    bytes: &[u8],
    now: u64,
    lifetime: Option<Duration>,
) -> Result<Vec<u8>, StoreUnavailable> {
    let mut record: Map<String, Value> = super::decode(bytes)?;
    record.insert("used_at".to_owned(), now.into());
    let expires_at = lifetime.map_or(0, |lifetime| now.saturating_add(lifetime.as_secs()));
    record.insert("client_secret_expires_at".to_owned(), expires_at.into());
    super::encode(&record)
}

pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Client, StoreUnavailable> {
    let record: ClientRecord = super::decode(bytes)?;
    let hash = |plain: Option<String>| plain.filter(|plain| !plain.is_empty()).map(|plain| Secret::new(plain).hash());
    let secret = record.client_secret_sha256.or_else(|| hash(record.client_secret));
    let by_default = if secret.is_some() { AuthMethod::ClientSecretPost } else { AuthMethod::None };
    let mut metadata = record.metadata;
    metadata.extend(record.beside);
    Ok(Client {
        id: record.client_id,
        secret,
        auth_method: record.token_endpoint_auth_method.unwrap_or(by_default),
        // The Python service registered URIs that are refused today; those are no longer honoured.
        redirect_uris: record.redirect_uris.0.iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect(),
        grant_types: record.grant_types.0,
        response_types: record.response_types.0,
        name: record.client_name,
        scope: record.scope.unwrap_or_default(),
        issued_at: record.client_id_issued_at,
        secret_expires_at: record.client_secret_expires_at,
        registration_token: record.registration_access_token_sha256.or_else(|| hash(record.registration_access_token)),
        metadata,
    })
}
