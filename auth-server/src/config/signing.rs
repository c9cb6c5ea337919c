//! What access tokens are signed with.

use std::path::PathBuf;

use super::vars::Vars;
use crate::oauth::secret::Secret;

/// What access tokens are signed with.
#[derive(Clone, Debug)]
pub struct SigningConfig {
    /// `JWT_ALGORITHM`: of tokens that exist. RS256 is what is issued; HS256 also accepts the old service's.
    pub algorithm: String,
    /// `JWT_PRIVATE_KEY_B64`: base64 of a PEM private key.
    pub private_key_b64: Option<Secret>,
    /// `JWT_PRIVATE_KEY_FILE`: the same as a file.
    pub private_key_file: Option<PathBuf>,
    /// `JWT_SECRET`, or `GATEWAY_JWT_SECRET` from an `.env` without compose: verifies HS256 tokens of the old service.
    pub secret: Option<Secret>,
}

impl SigningConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let algorithm = vars.text("JWT_ALGORITHM").unwrap_or_else(|| "RS256".to_owned());
        let secret = vars.text("JWT_SECRET").or_else(|| vars.text("GATEWAY_JWT_SECRET")).map(Secret::new);
        match algorithm.as_str() {
            "HS256" if secret.is_none() => {
                vars.fault("JWT_SECRET", "is not set, and JWT_ALGORITHM=HS256 checks the old tokens with it")
            }
            "RS256" | "HS256" => {}
            other => vars.fault("JWT_ALGORITHM", format_args!("«{other}» is not RS256 or HS256")),
        }
        Self {
            algorithm,
            private_key_b64: vars.text("JWT_PRIVATE_KEY_B64").map(Secret::new),
            private_key_file: vars.text("JWT_PRIVATE_KEY_FILE").map(Into::into),
            secret,
        }
    }
}
