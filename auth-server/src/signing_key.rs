//! Where the signing key comes from: the environment, a file, or, on the first start, one made here and kept.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use log::warn;

use crate::{config::SigningConfig, oauth::secret::Secret};

/// Where the Python service's image keeps it (volume `auth-keys`).
const IMAGE_KEY: &str = "/app/keys/private_key.pem";
const OWN_KEY: &str = "private_key.pem";

/// Why there is no signing key. Never shows any of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSigningKey {
    #[error("JWT_PRIVATE_KEY_B64 is not base64 of a PEM private key")]
    NotBase64,
    #[error("signing key {path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
    #[error("no signing key could be made: {0}")]
    NotMade(String),
}

/// The private key as PEM; `make` makes one when there is none yet.
pub(crate) fn load(
    config: &SigningConfig,
    data_dir: &Path,
    make: impl FnOnce() -> Result<Secret, String>,
) -> Result<Secret, NoSigningKey> {
    if let Some(encoded) = &config.private_key_b64 {
        return decode(encoded);
    }
    if let Some(path) = &config.private_key_file {
        return read(path);
    }
    let (image, own) = (Path::new(IMAGE_KEY), data_dir.join(OWN_KEY));
    match [image, &own].into_iter().find(|path| path.exists()) {
        Some(path) => read(path),
        None => {
            let key = make().map_err(NoSigningKey::NotMade)?;
            keep(&own, &key)
        }
    }
}

/// Writes a new private key that only its owner can read; an existing file is never overwritten.
pub(crate) fn write_new(path: &Path, key: &Secret) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.expose().as_bytes())?;
    file.sync_all()
}

fn decode(encoded: &Secret) -> Result<Secret, NoSigningKey> {
    let compact: String = encoded.expose().split_whitespace().collect();
    let pem = STANDARD.decode(compact).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    pem.filter(|pem| pem.contains("PRIVATE KEY")).map(Secret::new).ok_or(NoSigningKey::NotBase64)
}

fn read(path: &Path) -> Result<Secret, NoSigningKey> {
    fs::read_to_string(path).map(Secret::new).map_err(|cause| NoSigningKey::File { path: path.to_owned(), cause })
}

/// Two processes may start at once over one directory: the file appears whole or not at all, and the first one wins.
fn keep(path: &Path, key: &Secret) -> Result<Secret, NoSigningKey> {
    let failed = |cause| NoSigningKey::File { path: path.to_owned(), cause };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    write_new(&draft, key).map_err(failed)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Ok(()) => warn!(file:% = path.display(); "signing key made; other replicas need this same key"),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(failed(cause)),
    }
    read(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

    fn config() -> SigningConfig {
        SigningConfig { algorithm: "RS256".into(), private_key_b64: None, private_key_file: None, secret: None }
    }

    #[test]
    fn a_key_is_made_once_kept_for_its_owner_alone_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let made = load(&config(), dir.path(), || Ok(Secret::new(PEM))).unwrap();
        let found = load(&config(), dir.path(), || Err("made twice".into())).unwrap();
        assert_eq!(made, found);
        let mode = fs::metadata(dir.path().join(OWN_KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn the_environments_key_wins_and_a_placeholder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let with = |text: &str| SigningConfig { private_key_b64: Some(Secret::new(text)), ..config() };
        let key = load(&with(&STANDARD.encode(PEM)), dir.path(), || Err("not needed".into())).unwrap();
        assert_eq!(key.expose(), PEM);
        let refused = load(&with("your_base64_encoded_private_key_here"), dir.path(), || Err("not needed".into()));
        assert!(matches!(refused, Err(NoSigningKey::NotBase64)));
    }

    #[test]
    fn an_existing_key_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        fs::write(&path, "mine").unwrap();
        assert!(write_new(&path, &Secret::new(PEM)).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
