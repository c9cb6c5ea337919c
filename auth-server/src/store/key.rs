//! Key patterns: the Python service's, and ours beside them (`family`, `client_families`, `user_families`, `consent`,
//! `registration`).

use crate::oauth::{
    id::{ClientId, FamilyId, TokenId},
    registration::Fingerprint,
    secret::{Secret, SecretHash},
};

/// Everything of ours.
pub(super) const ALL: &str = "oauth:";
pub(super) const CLIENT: &str = "oauth:client:";
pub(super) const TOKEN: &str = "oauth:token:";
pub(super) const FAMILY: &str = "oauth:family:";
pub(super) const CODE: &str = "oauth:code:";
pub(super) const PENDING: &str = "oauth:state:";
pub(super) const CONSENT: &str = "oauth:consent:";
pub(super) const SESSION: &str = "oauth:session:";
pub(super) const REFRESH: &str = "oauth:refresh:";
pub(super) const USER_TOKENS: &str = "oauth:user_tokens:";
pub(super) const CLIENT_FAMILIES: &str = "oauth:client_families:";
pub(super) const USER_FAMILIES: &str = "oauth:user_families:";
/// Set of client ids.
pub(super) const CLIENT_INDEX: &str = "oauth:client_index";

pub(super) fn client(id: &ClientId) -> String {
    format!("{CLIENT}{id}")
}

/// The client that a public client's metadata stands for.
pub(super) fn registration(fingerprint: &Fingerprint) -> String {
    format!("oauth:registration:{}", fingerprint.as_str())
}

/// Set of the families that a client holds.
pub(super) fn client_families(id: &ClientId) -> String {
    format!("{CLIENT_FAMILIES}{id}")
}

/// What a person allowed before.
pub(super) fn consent(username: &str) -> String {
    format!("{CONSENT}{username}")
}

/// A client assertion that was used.
pub(super) fn assertion(id: &SecretHash) -> String {
    format!("oauth:assertion:{}", id.as_str())
}

pub(super) fn pending(state: &SecretHash) -> String {
    format!("{PENDING}{}", state.as_str())
}

/// Somebody on the way to their account page.
pub(super) fn sign_in(state: &SecretHash) -> String {
    format!("oauth:sign_in:{}", state.as_str())
}

/// Somebody at their account page.
pub(super) fn session(secret: &SecretHash) -> String {
    format!("{SESSION}{}", secret.as_str())
}

pub(super) fn code(code: &SecretHash) -> String {
    format!("{CODE}{}", code.as_str())
}

/// Where the Python service keeps a code: under its plain value.
pub(super) fn plain_code(code: &Secret) -> String {
    format!("{CODE}{}", code.expose())
}

pub(super) fn refresh(token: &SecretHash) -> String {
    format!("{REFRESH}{}", token.as_str())
}

/// Where the Python service keeps a refresh token: under its plain value.
pub(super) fn plain_refresh(token: &Secret) -> String {
    format!("{REFRESH}{}", token.expose())
}

pub(super) fn token(id: &TokenId) -> String {
    format!("{TOKEN}{id}")
}

pub(super) fn family(id: &FamilyId) -> String {
    format!("{FAMILY}{id}")
}

/// When a family was last used.
pub(super) fn used(id: &FamilyId) -> String {
    format!("oauth:used:{id}")
}

/// Set of the `jti`s of a person's access tokens.
pub(super) fn user_tokens(username: &str) -> String {
    format!("{USER_TOKENS}{username}")
}

/// Set of the families that a person's logins founded.
pub(super) fn user_families(username: &str) -> String {
    format!("{USER_FAMILIES}{username}")
}

/// What a set lists: its members' records begin so. `None`: not a set of ours.
pub(super) fn listed_in(set: &str) -> Option<&'static str> {
    match set {
        CLIENT_INDEX => Some(CLIENT),
        _ if set.starts_with(USER_TOKENS) => Some(TOKEN),
        _ if set.starts_with(CLIENT_FAMILIES) || set.starts_with(USER_FAMILIES) => Some(FAMILY),
        _ => None,
    }
}
