//! What is logged, and where.

use std::path::PathBuf;

use super::vars::Vars;

/// What is logged, and where besides standard error.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `LOG_LEVEL`; `--log-level` wins.
    pub level: log::LevelFilter,
    /// `LOG_FILE`
    pub file: Option<PathBuf>,
}

impl LogConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let expected = "one of off, error, warn, info, debug, trace";
        // Python's names too: an old `.env` says WARNING.
        let level = match vars.text("LOG_LEVEL").map(|level| level.to_ascii_lowercase()).as_deref() {
            Some("warning") => log::LevelFilter::Warn,
            Some("critical") => log::LevelFilter::Error,
            _ => vars.parsed("LOG_LEVEL", expected, log::LevelFilter::Info),
        };
        Self { level, file: vars.text("LOG_FILE").map(Into::into) }
    }
}
