//! The signature algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 that tokens are issued with.

use std::{fmt, str::FromStr};

/// A signature algorithm. It belongs to a key: a token's header only repeats it (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA of 2048 bits, PKCS#1 v1.5, SHA-256: what every verifier knows.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// The text names no algorithm that is offered here.
#[derive(Debug, thiserror::Error)]
#[error("not one of RS256, ES256, EdDSA")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// As `alg` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let all = [Self::Rs256, Self::Es256, Self::EdDsa];
        all.into_iter().find(|algorithm| text.eq_ignore_ascii_case(algorithm.name())).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
