//! Signatures of client assertions (RFC 7523 §3): checked with the client's own keys, which are public keys of strangers.
//!
//! The type of the key decides which algorithms it may check, so that none is confused with another (RFC 8725 §3.1).
//! `jku`, `x5u`, `jwk` and `x5c` of the assertion's header are not read.

use josekit::{
    JoseError,
    jwk::Jwk,
    jws::{ES256, EdDSA, JwsVerifier, PS256, RS256},
};
use serde_json::{Map, Value};

use super::key::is_costly;
use crate::oauth::client_assertion::{Assertion, AssertionAlgorithm, AssertionError};

/// Keys of one client that are tried; each costs a signature check.
const MOST_KEYS: usize = 16;

/// Public keys of a client (RFC 7517 §5).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeySet(Vec<Map<String, Value>>);

impl KeySet {
    /// `None`: that is no JWK set. Keys of a kind that is not known are passed over (RFC 7517 §5), and so are those that
    /// are made to keep us busy.
    pub(crate) fn parse(jwks: &Value) -> Option<Self> {
        let keys = jwks.get("keys")?.as_array()?;
        let cheap = |key: &&Map<String, Value>| !is_costly(key.get("n"), key.get("e"));
        Some(Self(keys.iter().filter_map(Value::as_object).filter(cheap).cloned().collect()))
    }

    /// Whether a key of this name is in it; any will do for an assertion that names none.
    pub(crate) fn has(&self, key_id: Option<&str>) -> bool {
        self.named(key_id).next().is_some()
    }

    /// Whether one of the keys made the signature.
    pub(crate) fn verify(&self, assertion: &Assertion) -> Result<(), AssertionError> {
        let signed_by = |key: &Map<String, Value>| {
            verifier(key, assertion.algorithm())
                .is_ok_and(|verifier| verifier.verify(assertion.signed(), assertion.signature()).is_ok())
        };
        let signed = self.named(assertion.key_id()).take(MOST_KEYS).any(signed_by);
        if signed { Ok(()) } else { Err(AssertionError::Signature) }
    }

    fn named(&self, key_id: Option<&str>) -> impl Iterator<Item = &Map<String, Value>> {
        let is_named = move |key: &&Map<String, Value>| {
            key_id.is_none_or(|id| key.get("kid").is_none_or(|kid| kid.as_str() == Some(id)))
        };
        self.0.iter().filter(is_named)
    }
}

/// josekit refuses a key whose `kty`, `crv`, `use`, `key_ops` or `alg` speaks against the algorithm, and short ones.
fn verifier(key: &Map<String, Value>, algorithm: AssertionAlgorithm) -> Result<Box<dyn JwsVerifier>, JoseError> {
    let key = Jwk::from_map(key.clone())?;
    Ok(match algorithm {
        AssertionAlgorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&key)?),
        AssertionAlgorithm::Ps256 => Box::new(PS256.verifier_from_jwk(&key)?),
        AssertionAlgorithm::Es256 => Box::new(ES256.verifier_from_jwk(&key)?),
        AssertionAlgorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(&key)?),
    })
}

#[cfg(test)]
mod tests;
