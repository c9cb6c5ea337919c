//! The log: one line per event, values as keys, on stderr and, with `LOG_FILE`, in a file too. The twin of auth-server's.

mod escape;
mod line;
mod sink;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use env_logger::{Builder, Target};
use log::{LevelFilter, error};

use crate::config::{LogConfig, LogFormat};
pub(crate) use escape::one_line;
use sink::Sink;
pub(crate) use sink::{DROPPED, with_half_the_room};

/// One line for each request (`http/access.rs`).
pub(crate) const ACCESS: &str = "access";

/// How long the end waits for lines that are not written yet.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Starts the logger; its last lines are written when the answer is dropped.
///
/// # Errors
/// When the file cannot be opened for appending.
pub fn start(config: &LogConfig) -> io::Result<LastWords> {
    let mut builder = Builder::new();
    builder.filter_level(config.level);
    builder.filter_module(ACCESS, if config.access { config.level } else { LevelFilter::Off });
    // What actix says of its workers below a warning says nothing of this program.
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
