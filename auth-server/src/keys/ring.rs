//! The keys in use, exchanged as one while requests go on.
//!
//! Who rotates need not hurry from replica to replica: before a token is signed, keys are published, or a token is
//! refused for its key, a glance at the files (two `stat`) tells whether they have changed. So a replica never signs
//! with a key that was retired, and never refuses a token of one that it has not heard of. SIGHUP reads at once.
//! New keys that cannot be used are an error in the log, and those in use stay.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use log::{error, info, warn};
use serde_json::Value;

use super::{
    files::Glance,
    source::{NoKeys, Source},
};
use crate::{
    audit,
    config::SigningConfig,
    jwt::{Algorithm, Jwt, KeyError},
    oauth::{
        access_token::Claims,
        secret::Secret,
        verify::{InvalidToken, VerifiedClaims},
    },
};

/// The keys in use.
pub struct KeyRing {
    issuer: String,
    source: Source,
    legacy: Option<Secret>,
    current: RwLock<Arc<Jwt>>,
    generation: AtomicU64,
    seen: Mutex<Seen>,
}

/// What the files looked like when they were last read.
#[derive(Debug)]
struct Seen {
    glance: Option<[Glance; 2]>,
    /// Reading failed, which may pass (no file descriptors left): the next glance counts as a change.
    unread: bool,
}

impl KeyRing {
    /// Makes a key on the first start. `now`: seconds since the epoch.
    pub(crate) fn open(source: Source, config: &SigningConfig, issuer: &str, now: u64) -> Result<Self, NoKeys> {
        source.make_missing(config)?;
        let seen = Seen { glance: source.glance(), unread: false };
        let jwt = jwt(&source, config.legacy_secret.as_ref(), issuer, now)?;
        warn_of_oddities(config, jwt.keys()[0].algorithm());
        Ok(Self {
            issuer: issuer.to_owned(),
            source,
            legacy: config.legacy_secret.clone(),
            current: RwLock::new(Arc::new(jwt)),
            generation: AtomicU64::new(0),
            seen: Mutex::new(seen),
        })
    }

    /// The keys as they are now; good for as long as it is held.
    pub(crate) fn current(&self) -> Arc<Jwt> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another number as soon as the keys are others. What was verified counts under the number that was read before.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        self.refresh(claims.iat);
        self.current().sign(claims)
    }

    pub(crate) fn verify(&self, bearer: &str, now: u64) -> Result<VerifiedClaims, InvalidToken> {
        let before = self.current();
        match before.verify(bearer, now) {
            Err(InvalidToken::Key) => {
                self.refresh(now);
                let after = self.current();
                if Arc::ptr_eq(&before, &after) { Err(InvalidToken::Key) } else { after.verify(bearer, now) }
            }
            decided => decided,
        }
    }

    pub(crate) fn jwks(&self, now: u64) -> Value {
        self.refresh(now);
        self.current().jwks()
    }

    /// Reads the keys anew, whatever a glance would say: SIGHUP.
    pub fn reload(&self, now: u64) {
        if self.source.glance().is_none() {
            info!("keys come from the environment: they change with a restart (docs/keys.md)");
            return;
        }
        let mut seen = self.seen();
        seen.unread = false;
        self.read(&mut seen, now);
    }

    fn refresh(&self, now: u64) {
        let mut seen = self.seen();
        if seen.unread || seen.glance != self.source.glance() {
            self.read(&mut seen, now);
        }
    }

    fn read(&self, seen: &mut Seen, now: u64) {
        // Before reading: a change in between is then seen by the next glance.
        seen.glance = self.source.glance();
        match jwt(&self.source, self.legacy.as_ref(), &self.issuer, now) {
            Ok(jwt) => {
                let jwt = Arc::new(jwt);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = jwt.clone();
                self.generation.fetch_add(1, Ordering::Release);
                audit::keys_changed(jwt.keys()[0].kid(), jwt.keys().len());
                seen.unread = false;
            }
            Err(cause) => {
                // Once, not with every token of a stranger.
                if !seen.unread {
                    error!(cause:%; "keys could not be read; those in use stay");
                }
                seen.unread = matches!(cause, NoKeys::File { .. });
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("current", &self.current()).finish_non_exhaustive()
    }
}

/// What works, but is hardly what the operator wanted.
fn warn_of_oddities(config: &SigningConfig, signing: Algorithm) {
    if config.algorithm != Algorithm::Rs256 && config.algorithm != signing {
        let (wanted, alg) = (config.algorithm, signing);
        warn!(wanted:%, alg:%; "the signing key is not what JWT_ALGORITHM asks for: `auth-server keys rotate` makes one");
    }
    // RFC 7518 §3.2: whoever has one token can guess a shorter secret at leisure.
    if config.legacy_secret.as_ref().is_some_and(|secret| secret.expose().len() < 32) {
        warn!(
            "JWT_SECRET is short enough to be guessed from a token: unset JWT_ALGORITHM=HS256 once old tokens have expired"
        );
    }
}

fn jwt(source: &Source, legacy: Option<&Secret>, issuer: &str, now: u64) -> Result<Jwt, NoKeys> {
    let loaded = source.load(now)?;
    let jwt = Jwt::new(loaded.signing, issuer);
    let jwt = loaded.retired.into_iter().fold(jwt, |jwt, retired| jwt.accepting(retired.key));
    match legacy {
        Some(secret) => jwt.accepting_hs256(secret).map_err(|cause| NoKeys::Variable { variable: "JWT_SECRET", cause }),
        None => Ok(jwt),
    }
}

#[cfg(test)]
mod tests;
