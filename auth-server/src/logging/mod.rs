//! Logs: one line per event, values as keys, on standard error and, with `LOG_FILE`, in a file too.

mod escape;
mod line;
mod sink;

use std::{
    fs::OpenOptions,
    io::{self, Write},
    time::{Duration, Instant},
};

use env_logger::{Builder, Target};
use log::{LevelFilter, error};
pub(crate) use sink::DROPPED;
use sink::Sink;

use crate::{
    audit,
    config::{LogConfig, LogFormat},
};

/// How long the end waits for lines that are not written yet.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Starts the logger; its last lines are written when the answer is dropped.
pub fn start(config: &LogConfig) -> io::Result<LastWords> {
    let mut builder = Builder::new();
    builder.filter_level(config.level);
    // Who was let in must not get lost because somebody wanted a quiet log.
    builder.filter_module(audit::TARGET, audit_level(config.level));
    // What actix says of its workers below a warning says nothing of this service.
    builder.filter_module("actix_server", config.level.min(LevelFilter::Warn));
    match config.format {
        LogFormat::Text => builder.format(line::as_text),
        LogFormat::Json => builder.format(line::as_json),
    };
    let mut sinks = vec![Sink::start("stderr", io::stderr())?];
    if let Some(path) = &config.file {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        sinks.push(Sink::start("file", OpenOptions::new().create(true).append(true).open(path)?)?);
    }
    builder.target(Target::Pipe(Box::new(Everywhere(sinks.clone()))));
    builder.init();
    // Its own way is to write to stderr, in lines of another form, and to wait until somebody reads them.
    std::panic::set_hook(Box::new(|panic| error!("{panic}")));
    Ok(LastWords(sinks))
}

fn audit_level(level: LevelFilter) -> LevelFilter {
    if level == LevelFilter::Off { level } else { level.max(LevelFilter::Info) }
}

/// Standard error and, perhaps, a file: neither waits for the other.
struct Everywhere(Vec<Sink>);

impl Write for Everywhere {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.iter().for_each(|sink| sink.push(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Held by `main` until it ends, however it does.
#[derive(Debug)]
#[must_use]
pub struct LastWords(Vec<Sink>);

impl Drop for LastWords {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_WORDS;
        self.0.iter().for_each(|sink| sink.flush(deadline));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_log_still_has_the_audit_events_and_a_silent_one_has_none() {
        assert_eq!(audit_level(LevelFilter::Error), LevelFilter::Info);
        assert_eq!(audit_level(LevelFilter::Trace), LevelFilter::Trace);
        assert_eq!(audit_level(LevelFilter::Off), LevelFilter::Off);
    }
}
