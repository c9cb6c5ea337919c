//! The log: one line per event, values as keys, on stderr and, with `LOG_FILE`, in a file too.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use env_logger::fmt::Formatter;
use env_logger::{Builder, Target};
use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Record};

/// Starts the logger.
///
/// # Errors
/// When the file cannot be opened for appending.
pub fn start(level: LevelFilter, file: Option<&Path>) -> io::Result<()> {
    let mut builder = Builder::new();
    // actix tells at info level about its workers, which are nobody's business.
    builder.filter_level(level).filter_module("actix_server", level.min(LevelFilter::Warn)).format(line);
    if let Some(path) = file {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        builder.target(Target::Pipe(Box::new(Both { file })));
    }
    builder.init();
    Ok(())
}

/// `2026-07-28T10:00:00.123Z INFO mcp_sidecar::session: session opened session=1`
fn line(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = out.timestamp_millis();
    write!(out, "{time} {} {}: {}", record.level(), record.target(), one_line(&record.args().to_string()))?;
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
    let plain = |char: char| !char.is_whitespace() && !char.is_control() && !matches!(char, '"' | '=');
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("\"{}\"", one_line(value).replace('"', "\\\""))
    }
}

/// What clients and children write may hold line breaks and terminal escapes; a line of the log stays one line.
fn one_line(text: &str) -> String {
    let escape = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    text.chars().map(escape).collect()
}

/// stderr and a file.
struct Both {
    file: File,
}

impl Write for Both {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A full disk must not silence stderr, nor a closed stderr the file.
        let to_file = self.file.write_all(line);
        io::stderr().write_all(line).or(to_file).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_or_client_cannot_forge_a_line_of_the_log() {
        assert_eq!(quoted("a\nERROR owned"), "\"a\\nERROR owned\"");
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(one_line("\u{1b}[31m"), "\\u{1b}[31m");
    }
}
