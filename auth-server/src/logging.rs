//! Logs: one line per event, values as keys, on standard error and, with `LOG_FILE`, in a file too.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
};

use env_logger::{Builder, Target, fmt::Formatter};
use log::{
    LevelFilter, Record,
    kv::{self, Key, Value, VisitSource},
};

use crate::{audit, config::LogConfig};

/// Starts the logger; a second start in one process (tests) changes nothing.
pub fn start(config: &LogConfig) -> io::Result<()> {
    let mut builder = Builder::new();
    // Who was let in must not get lost because somebody wanted a quiet log.
    builder.filter_module(audit::TARGET, audit_level(config.level));
    // What actix says of its workers below a warning says nothing of this service.
    builder.filter_level(config.level).filter_module("actix_server", config.level.min(LevelFilter::Warn)).format(line);
    if let Some(path) = &config.file {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        builder.target(Target::Pipe(Box::new(Tee { file })));
    }
    let _already_started = builder.try_init();
    Ok(())
}

fn audit_level(level: LevelFilter) -> LevelFilter {
    if level == LevelFilter::Off { level } else { level.max(LevelFilter::Info) }
}

/// `2026-07-28T10:00:00.123Z INFO auth_server::http: token issued client_id=abc`
fn line(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = out.timestamp_millis();
    let message = one_line(&record.args().to_string());
    write!(out, "{time} {} {}: {message}", record.level(), record.target())?;
    record.key_values().visit(&mut Values(out)).map_err(io::Error::other)?;
    writeln!(out)
}

struct Values<'a>(&'a mut Formatter);

impl<'kvs> VisitSource<'kvs> for Values<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        Ok(write!(self.0, " {key}={}", quoted(&value.to_string()))?)
    }
}

fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && value.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"\"=".contains(c));
    if plain { value.to_owned() } else { format!("\"{}\"", one_line(value).replace('"', "\\\"")) }
}

/// What a client sent may hold newlines and terminal escapes; a log line stays one line (log injection).
fn one_line(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// Standard error and a file.
struct Tee {
    file: File,
}

impl Write for Tee {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(buf)?;
        self.file.write_all(buf)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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

    #[test]
    fn a_value_cannot_forge_a_second_log_line() {
        assert_eq!(quoted("a\nERROR owned"), "\"a\\nERROR owned\"");
        assert_eq!(quoted("client_abc"), "client_abc");
        assert_eq!(one_line("\u{1b}[31m"), "\\u{1b}[31m");
    }
}
