//! Where keys come from: the environment, a file, or, on the first start, one made here and kept.
//!
//! Beside a key file `private_key.pem` lies `private_key.previous.json`, the keys before it. Readers take the key
//! first and those before it second; a rotation writes them in the other order. So no reader misses a key.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use log::warn;

use super::{
    files::{self, Glance},
    retired::{self, Retired},
};
use crate::{
    config::SigningConfig,
    jwt::{KeyError, PrivateKey},
    oauth::secret::Secret,
};

/// Where the Python service's image keeps it (volume `auth-keys`).
const IMAGE_KEY: &str = "/app/keys/private_key.pem";
const OWN_KEY: &str = "private_key.pem";

/// Why there are no keys to work with. Never shows any of them.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    #[error("{variable} is not base64 of a key: {cause}")]
    Variable { variable: &'static str, cause: KeyError },
    #[error("signing key {path}: {cause}")]
    File { path: PathBuf, cause: io::Error },
    #[error("signing key {path}: {cause}")]
    Key { path: PathBuf, cause: KeyError },
    #[error("no signing key could be made: {0}")]
    NotMade(KeyError),
}

/// Keys as they were read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) signing: PrivateKey,
    pub(crate) retired: Vec<Retired>,
}

/// Where the signing key is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// `JWT_PRIVATE_KEY_B64`
    Environment(Secret),
    File(PathBuf),
}

/// Where all keys are.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) place: Place,
    /// `JWT_VERIFY_KEYS_B64`
    also: Vec<Secret>,
}

impl Source {
    pub(crate) fn new(config: &SigningConfig, data_dir: &Path) -> Self {
        let own = || {
            let image = PathBuf::from(IMAGE_KEY);
            if image.exists() { image } else { data_dir.join(OWN_KEY) }
        };
        let place = match &config.private_key_b64 {
            Some(encoded) => Place::Environment(encoded.clone()),
            None => Place::File(config.private_key_file.clone().unwrap_or_else(own)),
        };
        Self { place, also: config.verify_keys_b64.clone() }
    }

    /// Makes a key where a key file of our own is missing. What `JWT_PRIVATE_KEY_FILE` names is never made.
    pub(crate) fn make_missing(&self, config: &SigningConfig) -> Result<(), NoKeys> {
        let Place::File(path) = &self.place else { return Ok(()) };
        if config.private_key_file.is_some() || path.exists() {
            return Ok(());
        }
        let made = PrivateKey::generate(config.algorithm).map_err(NoKeys::NotMade)?;
        if files::keep_first(path, made.pem()).map_err(|cause| file(path, cause))? {
            warn!(file:% = path.display(), alg:% = config.algorithm; "signing key made; other replicas need this same key");
        }
        Ok(())
    }

    pub(crate) fn load(&self, now: u64) -> Result<Loaded, NoKeys> {
        let (signing, mut retired) = match &self.place {
            Place::Environment(encoded) => (from_environment(encoded)?, Vec::new()),
            Place::File(path) => {
                let signing = PrivateKey::from_pem(&Secret::new(read(path)?)).map_err(|cause| key(path, cause))?;
                (signing, previous(path, now)?)
            }
        };
        for encoded in &self.also {
            retired.extend(also(encoded, now)?);
        }
        retired.retain(|retired| retired.key.kid() != signing.public().kid());
        Ok(Loaded { signing, retired })
    }

    /// `None`: nothing that could change while the process lives.
    pub(super) fn glance(&self) -> Option<[Glance; 2]> {
        match &self.place {
            Place::Environment(_) => None,
            Place::File(path) => Some([path, &previous_file(path)].map(|path| Glance::at(path))),
        }
    }
}

/// `private_key.pem` → `private_key.previous.json`
pub(super) fn previous_file(key: &Path) -> PathBuf {
    key.with_extension("previous.json")
}

/// The keys before the one at `path` that are still needed.
pub(super) fn previous(path: &Path, now: u64) -> Result<Vec<Retired>, NoKeys> {
    let path = previous_file(path);
    match fs::read_to_string(&path) {
        Ok(set) => retired::parse(&set, now).map_err(|cause| key(&path, cause)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(file(&path, cause)),
    }
}

pub(super) fn file(path: &Path, cause: io::Error) -> NoKeys {
    NoKeys::File { path: path.to_owned(), cause }
}

fn key(path: &Path, cause: KeyError) -> NoKeys {
    NoKeys::Key { path: path.to_owned(), cause }
}

fn read(path: &Path) -> Result<String, NoKeys> {
    fs::read_to_string(path).map_err(|cause| file(path, cause))
}

fn from_environment(encoded: &Secret) -> Result<PrivateKey, NoKeys> {
    let fault = |cause| NoKeys::Variable { variable: "JWT_PRIVATE_KEY_B64", cause };
    let pem = decode(encoded).ok_or_else(|| fault(KeyError::NotPrivate))?;
    PrivateKey::from_pem(&pem).map_err(fault)
}

/// A JWK Set, as `keys rotate` prints it, or a private key as it stood in `JWT_PRIVATE_KEY_B64`.
fn also(encoded: &Secret, now: u64) -> Result<Vec<Retired>, NoKeys> {
    let fault = |cause| NoKeys::Variable { variable: "JWT_VERIFY_KEYS_B64", cause };
    let text = decode(encoded).ok_or_else(|| fault(KeyError::NotPublic))?;
    if text.expose().trim_start().starts_with('{') {
        return retired::parse(text.expose(), now).map_err(fault);
    }
    let private = PrivateKey::from_pem(&text).map_err(fault)?;
    Ok(vec![Retired { key: private.public().clone(), until: None }])
}

fn decode(encoded: &Secret) -> Option<Secret> {
    let compact: String = encoded.expose().split_whitespace().collect();
    STANDARD.decode(compact).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Secret::new)
}

#[cfg(test)]
mod tests;
