//! `auth-server keys generate`: a signing key for `JWT_PRIVATE_KEY_FILE`, or in base64 for `JWT_PRIVATE_KEY_B64`.

use std::{
    io::{self, Write},
    path::Path,
};

use crate::{
    jwt::{self, KeyError},
    signing_key,
};

/// What the Python service used; every verification is twice as fast as with 3072.
pub(crate) const KEY_BITS: u32 = 2048;

/// Why no key was written.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("the key could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes a new RS256 private key as PEM: to `file`, which must not exist yet, or to `standard_output`.
pub fn generate(file: Option<&Path>, standard_output: &mut impl Write) -> Result<(), GenerateError> {
    let key = jwt::generate_key(KEY_BITS)?;
    match file {
        Some(path) => signing_key::write_new(path, &key)?,
        None => standard_output.write_all(key.expose().as_bytes())?,
    }
    Ok(())
}
