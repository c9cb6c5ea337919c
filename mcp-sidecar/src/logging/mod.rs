//! The log: one line per event, values as keys, on stderr and, with `LOG_FILE`, in a file too. The twin of auth-server's.

mod escape;
mod line;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use env_logger::{Builder, Target};
use log::LevelFilter;

use crate::config::{LogConfig, LogFormat};
pub(crate) use escape::one_line;

/// One line for each request (`http/access.rs`).
pub(crate) const ACCESS: &str = "access";

/// Starts the logger.
///
/// # Errors
/// When the file cannot be opened for appending.
pub fn start(config: &LogConfig) -> io::Result<()> {
    let mut builder = Builder::new();
    builder.filter_level(config.level);
    builder.filter_module(ACCESS, if config.access { config.level } else { LevelFilter::Off });
    // What actix says of its workers below a warning says nothing of this program.
    builder.filter_module("actix_server", config.level.min(LevelFilter::Warn));
    match config.format {
        LogFormat::Text => builder.format(line::as_text),
        LogFormat::Json => builder.format(line::as_json),
    };
    let file = config.file.as_ref().map(|path| {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        OpenOptions::new().create(true).append(true).open(path)
    });
    builder.target(Target::Pipe(Box::new(Both { file: file.transpose()? })));
    builder.init();
    Ok(())
}

/// Standard error and, perhaps, a file.
struct Both {
    file: Option<File>,
}

impl Write for Both {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A full disk must not silence standard error, nor a closed standard error the file.
        let to_file = self.file.as_mut().map_or(Ok(()), |file| file.write_all(line));
        let to_stderr = io::stderr().write_all(line);
        to_stderr.or(to_file).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
