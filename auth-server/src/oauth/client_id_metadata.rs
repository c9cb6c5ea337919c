//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document-00): a `client_id` that is the URL of the
//! client's own description.
//!
//! Which ids are such URLs (§3), what a valid document is (§4.1), and how long it is good for. Fetching is in `fetch`,
//! keeping in `clients`. Left out: `logo_uri` is not fetched and not shown.

use std::time::Duration;

use serde_json::{Map, Value};
use url::{Host, Url};

use super::{
    client::{AuthMethod, Client},
    gateway::Gateway,
    id::ClientId,
    redirect_uri::RedirectUri,
    scope::Scope,
};

/// The draft's own advice for the largest document, bytes.
pub const MAX_DOCUMENT: usize = 5 * 1024;

const MAX_NAME: usize = 256;
const SHORTEST: u64 = 5 * 60;
const LONGEST: u64 = 24 * 3600;
/// Of a document that comes without a word on caching.
const USUAL: u64 = 3600;
/// What can be done here. A document is for many authorization servers: what else it lists is not meant for us.
const GRANT_TYPES: [&str; 2] = ["authorization_code", "refresh_token"];
const SHOWN: [&str; 3] = ["client_uri", "tos_uri", "policy_uri"];

/// A `client_id` that leads to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdUrl(Url);

/// Why a URL describes no client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("client_id is not a plain https URL with a host name and a path")]
    Url,
    #[error("client_id leads to this gateway itself")]
    Ourselves,
    #[error("clients of that domain are not accepted here")]
    Domain,
    #[error("there is no document at client_id")]
    Absent,
    #[error("the document is not a JSON object")]
    NotAnObject,
    #[error("the client_id in the document is not the URL that it was fetched from")]
    ClientIdDiffers,
    #[error("{0} is missing in the document, or has the wrong type")]
    Member(&'static str),
    #[error("redirect_uris in the document holds no URI that can be used")]
    RedirectUris,
    #[error("token_endpoint_auth_method in the document is neither none nor private_key_jwt")]
    AuthMethod,
    #[error("the document promises private_key_jwt and has neither jwks nor jwks_uri")]
    NoKeys,
    #[error("jwks_uri leads to nothing that is a JSON Web Key Set")]
    KeySet,
    #[error("grant_types in the document does not list authorization_code")]
    GrantTypes,
}

/// What an answer's headers say on caching (RFC 9111 §5). Times are seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Freshness<'a> {
    pub cache_control: Option<&'a str>,
    pub age: u64,
    /// `Expires`, from now.
    pub expires_in: Option<u64>,
}

/// Whether this id is meant to be a URL; no registered client has such an id.
pub fn is_url(id: &ClientId) -> bool {
    id.as_str().starts_with("https://")
}

/// The domain that stands behind a client: all that is known of one that describes itself.
pub fn domain(id: &ClientId) -> Option<String> {
    let url = Url::parse(id.as_str()).ok().filter(|_| is_url(id))?;
    url.domain().map(str::to_owned)
}

impl ClientIdUrl {
    /// §3: https, a path, no fragment, no user, no dot segments. Only the normal form of a URL passes, so that what is
    /// compared, shown and fetched is one and the same; and only a name, never a number, can be shown as a domain.
    pub fn parse(id: &ClientId, gateway: &Gateway) -> Result<Self, DocumentError> {
        let url = Url::parse(id.as_str()).map_err(|_| DocumentError::Url)?;
        let normal = url.as_str() == id.as_str();
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let named = matches!(url.host(), Some(Host::Domain(name)) if !name.ends_with('.'));
        if !(is_url(id) && normal && bare && named && url.path() != "/") {
            return Err(DocumentError::Url);
        }
        // A document of ours would be fetched from us while we wait for it.
        if url[url::Position::BeforeScheme..url::Position::BeforePath] == *gateway.issuer() {
            return Err(DocumentError::Ourselves);
        }
        Ok(Self(url))
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Reads the document of the client `id` (§4.1).
pub fn parse(id: &ClientId, body: &[u8]) -> Result<Client, DocumentError> {
    let Ok(Value::Object(document)) = serde_json::from_slice(body) else { return Err(DocumentError::NotAnObject) };
    // Byte for byte: anything looser lets one document speak for several clients.
    if document.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
        return Err(DocumentError::ClientIdDiffers);
    }
    let auth_method = auth_method(&document)?;
    Ok(Client {
        id: id.clone(),
        secret: None,
        auth_method,
        redirect_uris: redirect_uris(&document)?,
        grant_types: grant_types(&document)?,
        response_types: vec!["code".to_owned()],
        name: Some(name(&document)?),
        scope: document.get("scope").and_then(Value::as_str).and_then(|t| Scope::parse(t).ok()).unwrap_or_default(),
        issued_at: 0,
        secret_expires_at: 0,
        registration_token: None,
        metadata: metadata(&document),
    })
}

/// Between 5 minutes, so that a document is not fetched for every request, and a day, so that a change arrives.
pub fn lifetime(freshness: &Freshness<'_>) -> Duration {
    let seconds = match freshness.cache_control.map(said) {
        Some(Said::Never) => 0,
        Some(Said::Seconds(seconds)) => seconds.saturating_sub(freshness.age),
        Some(Said::Nothing) | None => freshness.expires_in.unwrap_or(USUAL),
    };
    Duration::from_secs(seconds.clamp(SHORTEST, LONGEST))
}

enum Said {
    Never,
    Seconds(u64),
    Nothing,
}

/// RFC 9111 §5.2.2: what is meant for shared caches comes first.
fn said(cache_control: &str) -> Said {
    let directives = || cache_control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    if directives().any(|directive| matches!(directive.as_str(), "no-store" | "no-cache")) {
        return Said::Never;
    }
    let seconds =
        |name: &str| directives().find_map(|d| d.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').parse().ok());
    seconds("s-maxage").or_else(|| seconds("max-age")).map_or(Said::Nothing, Said::Seconds)
}

fn name(document: &Map<String, Value>) -> Result<String, DocumentError> {
    let name = document.get("client_name").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let fits = !name.is_empty() && name.len() <= MAX_NAME && !name.contains(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(DocumentError::Member("client_name")) }
}

/// URIs of a kind that is refused here are passed over: other servers may take them.
fn redirect_uris(document: &Map<String, Value>) -> Result<Vec<RedirectUri>, DocumentError> {
    let listed = texts(document, "redirect_uris")?.ok_or(DocumentError::Member("redirect_uris"))?;
    let usable: Vec<_> = listed.into_iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect();
    if usable.is_empty() { Err(DocumentError::RedirectUris) } else { Ok(usable) }
}

/// Absent: both, as for registrations. Unknown ones are ignored, and `client_credentials` is the operator's to give.
fn grant_types(document: &Map<String, Value>) -> Result<Vec<String>, DocumentError> {
    let listed = texts(document, "grant_types")?.unwrap_or_else(|| GRANT_TYPES.to_vec());
    let usable = GRANT_TYPES.iter().filter(|grant| listed.contains(grant)).map(|grant| (*grant).to_owned());
    let usable: Vec<_> = usable.collect();
    if usable.first().is_some_and(|grant| grant == "authorization_code") {
        Ok(usable)
    } else {
        Err(DocumentError::GrantTypes)
    }
}

/// §4.1: no secret can be shared by way of a public document. Absent means `none`.
fn auth_method(document: &Map<String, Value>) -> Result<AuthMethod, DocumentError> {
    match document.get("token_endpoint_auth_method") {
        None | Some(Value::Null) => Ok(AuthMethod::None),
        Some(Value::String(method)) if method == "none" => Ok(AuthMethod::None),
        Some(Value::String(method)) if method == "private_key_jwt" => {
            let kept = metadata(document);
            if kept.contains_key("jwks") || kept.contains_key("jwks_uri") {
                Ok(AuthMethod::PrivateKeyJwt)
            } else {
                Err(DocumentError::NoKeys)
            }
        }
        Some(_) => Err(DocumentError::AuthMethod),
    }
}

fn metadata(document: &Map<String, Value>) -> Map<String, Value> {
    let https = |name: &&str| {
        let text = document.get(*name).and_then(Value::as_str).unwrap_or_default();
        Url::parse(text).is_ok_and(|url| url.scheme() == "https")
    };
    let urls = SHOWN.into_iter().chain(["jwks_uri"]).filter(https);
    let jwks = document.get("jwks").filter(|jwks| jwks.is_object()).map(|_| "jwks");
    urls.chain(jwks).map(|name| (name.to_owned(), document[name].clone())).collect()
}

fn texts<'a>(document: &'a Map<String, Value>, name: &'static str) -> Result<Option<Vec<&'a str>>, DocumentError> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            items.iter().map(Value::as_str).collect::<Option<_>>().map(Some).ok_or(DocumentError::Member(name))
        }
        Some(_) => Err(DocumentError::Member(name)),
    }
}

#[cfg(test)]
mod tests;
