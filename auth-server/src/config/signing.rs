//! What access tokens are signed with.

use std::path::PathBuf;

use super::vars::Vars;
use crate::{jwt::Algorithm, oauth::secret::Secret};

/// What access tokens are signed with.
#[derive(Clone, Debug)]
pub struct SigningConfig {
    /// `JWT_ALGORITHM`: of keys that are made here. A key that exists signs with its own.
    pub algorithm: Algorithm,
    /// `JWT_PRIVATE_KEY_B64`: base64 of a PEM private key.
    pub private_key_b64: Option<Secret>,
    /// `JWT_PRIVATE_KEY_FILE`: the same as a file.
    pub private_key_file: Option<PathBuf>,
    /// `JWT_VERIFY_KEYS_B64`: keys that are checked with and never signed with.
    pub verify_keys_b64: Vec<Secret>,
    /// `JWT_SECRET` (or `GATEWAY_JWT_SECRET` from an `.env` without compose), where `JWT_ALGORITHM` is HS256: verifies
    /// tokens of the old service. Elsewhere a forgotten secret is no second key.
    pub legacy_secret: Option<Secret>,
}

impl SigningConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let secret = vars.text("JWT_SECRET").or_else(|| vars.text("GATEWAY_JWT_SECRET")).map(Secret::new);
        // HS256 is the old service's: what it signed goes on working, and what is made here is RS256.
        let hs256 = vars.text("JWT_ALGORITHM").is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("HS256"));
        if hs256 && secret.is_none() {
            vars.fault("JWT_SECRET", "is not set, and JWT_ALGORITHM=HS256 checks the old tokens with it");
        }
        let algorithm = match hs256 {
            true => Algorithm::Rs256,
            false => vars.parsed("JWT_ALGORITHM", "one of RS256, ES256, EdDSA, HS256", Algorithm::Rs256),
        };
        Self {
            algorithm,
            private_key_b64: vars.text("JWT_PRIVATE_KEY_B64").map(Secret::new),
            private_key_file: vars.text("JWT_PRIVATE_KEY_FILE").map(Into::into),
            verify_keys_b64: vars.list("JWT_VERIFY_KEYS_B64").into_iter().map(Secret::new).collect(),
            legacy_secret: secret.filter(|_| hs256),
        }
    }
}
