//! Where records and generated keys live.

use std::{path::PathBuf, time::Duration};

use super::{ConfigFaults, vars::Vars};
use crate::oauth::secret::Secret;

/// Where records and generated keys live.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// `REDIS_URL`; unset: the embedded store.
    pub redis_url: Option<Secret>,
    /// `REDIS_PASSWORD`, when it is not part of the URL.
    pub redis_password: Option<Secret>,
    /// `REDIS_TIMEOUT_SECONDS`: for connecting, for one answer, and for an operation as a whole.
    pub redis_timeout: Duration,
    /// `DATA_DIR`: the embedded store's file and the generated signing key.
    pub data_dir: PathBuf,
}

impl StorageConfig {
    /// The store alone, for commands that need nothing else.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars::new(vars);
        let storage = Self::read(&mut vars);
        vars.finish().map(|()| storage)
    }

    pub(super) fn read(vars: &mut Vars) -> Self {
        let redis_url = vars.text("REDIS_URL");
        if redis_url.as_ref().is_some_and(|url| !url.starts_with("redis://") && !url.starts_with("rediss://")) {
            // The value is not shown: it may hold the password.
            vars.fault("REDIS_URL", "is not a redis:// or rediss:// URL");
        }
        let redis_timeout = vars.seconds("REDIS_TIMEOUT_SECONDS", 1);
        if redis_timeout.is_zero() {
            vars.fault("REDIS_TIMEOUT_SECONDS", "is 0: no answer could come in time");
        }
        Self {
            redis_url: redis_url.map(Secret::new),
            redis_password: vars.text("REDIS_PASSWORD").map(Secret::new),
            redis_timeout,
            data_dir: vars.text("DATA_DIR").unwrap_or_else(|| "./data".to_owned()).into(),
        }
    }
}
