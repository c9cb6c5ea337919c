//! Logs: one line per event, values as keys, on standard error and, with `LOG_FILE`, in a file too.

mod escape;
mod line;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
};

use env_logger::{Builder, Target};
use log::LevelFilter;

use crate::{
    audit,
    config::{LogConfig, LogFormat},
};

/// Starts the logger; a second start in one process (tests) changes nothing.
pub fn start(config: &LogConfig) -> io::Result<()> {
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
    let file = config.file.as_ref().map(|path| {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        OpenOptions::new().create(true).append(true).open(path)
    });
    builder.target(Target::Pipe(Box::new(Both { file: file.transpose()? })));
    let _already_started = builder.try_init();
    Ok(())
}

fn audit_level(level: LevelFilter) -> LevelFilter {
    if level == LevelFilter::Off { level } else { level.max(LevelFilter::Info) }
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
