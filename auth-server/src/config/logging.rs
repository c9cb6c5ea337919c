//! What is logged, and where.

use std::path::PathBuf;

use super::vars::Vars;

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for machines.
    Json,
}

/// What is logged, and where besides standard error.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `LOG_LEVEL`; `--log-level` wins.
    pub level: log::LevelFilter,
    /// `LOG_FORMAT`
    pub format: LogFormat,
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
        let format = match vars.text("LOG_FORMAT").map(|format| format.to_ascii_lowercase()).as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                vars.fault("LOG_FORMAT", format_args!("«{other}» is neither text nor json"));
                LogFormat::Text
            }
        };
        Self { level, format, file: vars.text("LOG_FILE").map(Into::into) }
    }
}
