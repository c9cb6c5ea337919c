//! Randomness from the operating system, read at the edge; rules get what it made as arguments.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::oauth::{
    id::{ClientId, FamilyId, TokenId},
    secret::Secret,
};

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("no randomness from the operating system: {0}")]
pub(crate) struct NoRandomness(#[from] getrandom::Error);

/// 256 random bits.
pub(crate) fn bits() -> Result<[u8; 32], NoRandomness> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(bits)
}

/// A secret of 256 random bits.
pub(crate) fn secret() -> Result<Secret, NoRandomness> {
    bits().map(|bits| Secret::from_random(&bits))
}

pub(crate) fn family_id() -> Result<FamilyId, NoRandomness> {
    secret().map(|id| FamilyId::parse(id.expose()).expect("43 base64url characters are visible ASCII"))
}

pub(crate) fn token_id() -> Result<TokenId, NoRandomness> {
    secret().map(|id| TokenId::parse(id.expose()).expect("43 base64url characters are visible ASCII"))
}

/// The Python service's form, which operators know from their tools.
pub(crate) fn client_id() -> Result<ClientId, NoRandomness> {
    let id = format!("client_{}", secret()?.expose());
    Ok(ClientId::parse(&id).expect("a prefix and 43 base64url characters are visible ASCII"))
}

/// Names one request in the log: not a secret, only not another's.
pub(crate) fn request_id() -> String {
    let mut bits = [0_u8; 12];
    // Without randomness nothing is issued, and a log line is still worth having.
    getrandom::fill(&mut bits).map_or_else(|_| "none".to_owned(), |()| URL_SAFE_NO_PAD.encode(bits))
}

/// RFC 7592's registration access token, in the Python service's form.
pub(crate) fn registration_token() -> Result<Secret, NoRandomness> {
    Ok(Secret::new(format!("reg-{}", secret()?.expose())))
}
