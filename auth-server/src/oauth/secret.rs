//! Secrets: never printed, compared in constant time, kept at rest only as SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret in the clear: on its way in from, or out to, the party that owns it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// 256 random bits as 43 base64url characters: every secret, code and token that is made here.
    pub fn from_random(bits: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bits))
    }

    /// The secret itself: for the response that hands it over, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes())))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What the store keeps of a secret: SHA-256, base64url. Enough because every secret here has 256 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// Takes back what [`SecretHash::as_str`] gave to the store.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Constant time, and over hashes at that.
    pub fn matches(&self, presented: &Secret) -> bool {
        self.0.as_bytes().ct_eq(presented.hash().0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_and_not_kept() {
        let secret = Secret::from_random(&[1; 32]);
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert!(!secret.hash().as_str().contains(secret.expose()));
    }

    #[test]
    fn only_the_same_secret_matches_what_is_stored() {
        let stored = SecretHash::from_stored(Secret::new("a").hash().as_str());
        assert!(stored.matches(&Secret::new("a")));
        assert!(!stored.matches(&Secret::new("b")) && !SecretHash::from_stored("").matches(&Secret::new("")));
    }

    #[test]
    fn a_made_secret_has_43_base64url_characters() {
        assert_eq!(Secret::from_random(&[255; 32]).expose().len(), 43);
    }
}
