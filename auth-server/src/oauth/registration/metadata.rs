//! What client metadata may be (RFC 7591 §2): types, sizes, supported values.

use serde_json::{Map, Value};

use super::{ClientMetadata, MAX_BODY};
use crate::oauth::{client::AuthMethod, error::RegistrationError, redirect_uri::RedirectUri, scope::Scope};

const MAX_REDIRECT_URIS: usize = 10;
const MAX_NAME: usize = 256;
const MAX_TEXT: usize = 2048;
/// Echoed as sent once they are short texts; URLs among them are shown as links, so https or http only.
const TEXTS: [&str; 3] = ["software_id", "software_version", "application_type"];
const URLS: [&str; 5] = ["client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri"];
const GRANT_TYPES: [&str; 2] = ["authorization_code", "refresh_token"];

type Object = Map<String, Value>;

pub(super) fn parse(body: &[u8]) -> Result<ClientMetadata, RegistrationError> {
    if body.len() > MAX_BODY {
        return Err(RegistrationError::TooLarge);
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return Err(RegistrationError::NotAnObject) };
    let (auth_method, rest) = (auth_method(&object)?, rest(&object)?);
    check_keys(auth_method, &rest)?;
    Ok(ClientMetadata {
        redirect_uris: redirect_uris(&object)?,
        auth_method,
        grant_types: grant_types(&object)?,
        response_types: response_types(&object)?,
        name: text(&object, "client_name", MAX_NAME)?,
        scope: Scope::parse(&text(&object, "scope", MAX_TEXT)?.unwrap_or_default())?,
        rest,
    })
}

fn redirect_uris(object: &Object) -> Result<Vec<RedirectUri>, RegistrationError> {
    let texts = texts(object, "redirect_uris").map_err(|_| RegistrationError::RedirectUrisMissing)?.unwrap_or_default();
    if texts.is_empty() {
        return Err(RegistrationError::RedirectUrisMissing);
    }
    if texts.len() > MAX_REDIRECT_URIS {
        return Err(RegistrationError::TooManyRedirectUris);
    }
    Ok(texts.iter().map(|text| RedirectUri::parse(text)).collect::<Result<_, _>>()?)
}

/// RFC 7591 §2: Basic when absent.
fn auth_method(object: &Object) -> Result<AuthMethod, RegistrationError> {
    const NAME: &str = "token_endpoint_auth_method";
    match text(object, NAME, MAX_NAME)?.as_deref() {
        None | Some("client_secret_basic") => Ok(AuthMethod::ClientSecretBasic),
        Some("client_secret_post") => Ok(AuthMethod::ClientSecretPost),
        Some("none") => Ok(AuthMethod::None),
        Some("private_key_jwt") => Ok(AuthMethod::PrivateKeyJwt),
        Some(_) => Err(RegistrationError::Unsupported(NAME)),
    }
}

/// RFC 7591 §2: `jwks` or `jwks_uri`, not both; a client that is to sign has one of them.
fn check_keys(method: AuthMethod, kept: &Object) -> Result<(), RegistrationError> {
    let uri = kept.get("jwks_uri").and_then(Value::as_str);
    match (kept.contains_key("jwks"), uri) {
        (true, Some(_)) => Err(RegistrationError::Unsupported("jwks")),
        (false, None) if method == AuthMethod::PrivateKeyJwt => Err(RegistrationError::Field("jwks")),
        (_, Some(uri)) if method == AuthMethod::PrivateKeyJwt && !uri.starts_with("https://") => {
            Err(RegistrationError::Field("jwks_uri"))
        }
        _ => Ok(()),
    }
}

/// Absent: both, as the Python service has it. Others than ours are left out of the answer (RFC 7591 §3.2.1 lets the
/// server replace values), but without `authorization_code` nothing can be done.
fn grant_types(object: &Object) -> Result<Vec<String>, RegistrationError> {
    const NAME: &str = "grant_types";
    let Some(mut asked) = texts(object, NAME)? else { return Ok(GRANT_TYPES.map(str::to_owned).to_vec()) };
    asked.retain(|grant_type| GRANT_TYPES.contains(&grant_type.as_str()));
    asked.sort();
    asked.dedup();
    let usable = asked.iter().any(|grant_type| grant_type == "authorization_code");
    if usable { Ok(asked) } else { Err(RegistrationError::Unsupported(NAME)) }
}

fn response_types(object: &Object) -> Result<Vec<String>, RegistrationError> {
    const NAME: &str = "response_types";
    let asked = texts(object, NAME)?;
    let usable = asked.is_none_or(|types| types.iter().any(|response_type| response_type == "code"));
    if usable { Ok(vec!["code".to_owned()]) } else { Err(RegistrationError::Unsupported(NAME)) }
}

fn rest(object: &Object) -> Result<Object, RegistrationError> {
    let mut kept = Object::new();
    for name in TEXTS {
        kept.extend(text(object, name, MAX_NAME)?.map(|value| (name.to_owned(), value.into())));
    }
    for name in URLS {
        if let Some(value) = text(object, name, MAX_TEXT)? {
            if !is_web_url(&value) {
                return Err(RegistrationError::Field(name));
            }
            kept.insert(name.to_owned(), value.into());
        }
    }
    if let Some(contacts) = texts(object, "contacts")? {
        kept.insert("contacts".to_owned(), contacts.into());
    }
    if let Some(jwks @ Value::Object(_)) = object.get("jwks") {
        kept.insert("jwks".to_owned(), jwks.clone());
    }
    Ok(kept)
}

fn is_web_url(text: &str) -> bool {
    let visible = text.bytes().all(|b| b.is_ascii_graphic());
    visible && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// A text without control characters; `null` and blank count as absent, as several clients send them.
fn text(object: &Object, name: &'static str, max: usize) -> Result<Option<String>, RegistrationError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() <= max && !text.contains(char::is_control) => Ok(Some(text.clone())),
        Some(_) => Err(RegistrationError::Field(name)),
    }
}

/// A short list of texts.
fn texts(object: &Object, name: &'static str) -> Result<Option<Vec<String>>, RegistrationError> {
    let items = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) if items.len() <= 64 => items,
        Some(_) => return Err(RegistrationError::Field(name)),
    };
    let short = |item: &Value| item.as_str().filter(|text| text.len() <= MAX_TEXT).map(str::to_owned);
    items.iter().map(short).collect::<Option<_>>().map(Some).ok_or(RegistrationError::Field(name))
}
