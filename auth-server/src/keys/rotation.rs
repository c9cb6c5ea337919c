//! A new key signs; the one before is checked with until its last token has expired.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    files::{self, Owner},
    retired::{self, Retired},
    source::{NoKeys, Place, Source, file, previous, previous_file},
};
use crate::{
    jwt::{Algorithm, PrivateKey},
    oauth::{secret::Secret, verify::LEEWAY},
};

/// How to rotate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotation {
    /// Of the new key.
    pub(crate) algorithm: Algorithm,
    /// Of access tokens, in seconds.
    pub(crate) lifetime: u64,
    /// The keys before have leaked: tokens that they signed are good no longer.
    pub(crate) compromised: bool,
}

/// What a rotation has changed.
#[derive(Debug)]
pub(crate) enum Rotated {
    /// The files are written.
    Files { signing: PrivateKey, retired: Vec<Retired> },
    /// Nothing is written: the environment is the operator's.
    Environment { signing: PrivateKey, retired: Vec<Retired> },
}

impl Rotation {
    /// `now`: seconds since the epoch.
    pub(crate) fn run(self, source: &Source, now: u64) -> Result<Rotated, NoKeys> {
        match &source.place {
            Place::File(path) => {
                let _one_at_a_time = files::lock(path).map_err(|cause| file(path, cause))?;
                let owner = Owner::of(path).map_err(|cause| file(path, cause))?;
                let loaded = source.load(now)?;
                let until = now.saturating_add(self.lifetime).saturating_add(LEEWAY);
                let retired = self.retire(loaded.signing, Some(until), previous(path, now)?);
                let signing = PrivateKey::generate(self.algorithm).map_err(NoKeys::NotMade)?;
                put(&previous_file(path), &Secret::new(retired::write(&retired)), owner)?;
                put(path, signing.pem(), owner)?;
                Ok(Rotated::Files { signing, retired })
            }
            Place::Environment(_) => {
                let loaded = source.load(now)?;
                // When the new key will be put into force only the operator knows, so no end is set.
                let retired = self.retire(loaded.signing, None, loaded.retired);
                let signing = PrivateKey::generate(self.algorithm).map_err(NoKeys::NotMade)?;
                Ok(Rotated::Environment { signing, retired })
            }
        }
    }

    fn retire(self, signing: PrivateKey, until: Option<u64>, mut before: Vec<Retired>) -> Vec<Retired> {
        if self.compromised {
            return Vec::new();
        }
        before.retain(|retired| retired.key.kid() != signing.public().kid());
        before.insert(0, Retired { key: signing.public().clone(), until });
        before
    }
}

/// For `JWT_VERIFY_KEYS_B64`.
pub(crate) fn encode(keys: &[Retired]) -> String {
    STANDARD.encode(retired::set(keys).to_string())
}

fn put(path: &Path, text: &Secret, owner: Owner) -> Result<(), NoKeys> {
    files::replace(path, text, owner).map_err(|cause| file(path, cause))
}
