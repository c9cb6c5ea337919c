//! Randomness from the operating system, read at the edge; rules get what it made as arguments.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::oauth::secret::Secret;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("no randomness from the operating system: {0}")]
pub(crate) struct NoRandomness(#[from] getrandom::Error);

/// 256 random bits as 43 base64url characters.
pub(crate) fn token() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// [`token`] as a secret.
pub(crate) fn secret() -> Result<Secret, NoRandomness> {
    token().map(Secret::new)
}
