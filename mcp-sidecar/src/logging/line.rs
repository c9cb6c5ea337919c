//! One event, one line: as text for people, or as JSON for machines. The twin of auth-server's.

use std::io::{self, Write};

use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{self, Key, Value, VisitSource};

use super::escape::{json, one_line, quoted};

/// `2026-07-28T10:00:00.123Z INFO mcp_sidecar::session: session opened session=1`
pub(super) fn as_text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = out.timestamp_millis();
    write!(out, "{time} {} {}: {}", record.level(), record.target(), one_line(&record.args().to_string()))?;
    record.key_values().visit(&mut Text(out)).map_err(io::Error::other)?;
    writeln!(out)
}

/// `{"time":"…","level":"INFO","target":"…","message":"…","session":1}`
pub(super) fn as_json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let (time, level) = (out.timestamp_millis(), record.level());
    let (target, message) = (json(record.target()), json(&record.args().to_string()));
    write!(out, "{{\"time\":\"{time}\",\"level\":\"{level}\",\"target\":{target},\"message\":{message}")?;
    record.key_values().visit(&mut Json(out)).map_err(io::Error::other)?;
    writeln!(out, "}}")
}

struct Text<'a>(&'a mut Formatter);

impl<'kvs> VisitSource<'kvs> for Text<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        Ok(write!(self.0, " {key}={}", quoted(&value.to_string()))?)
    }
}

struct Json<'a>(&'a mut Formatter);

impl<'kvs> VisitSource<'kvs> for Json<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let text = value.to_string();
        // Numbers and booleans stay what they are; a text that looks like one stays a text.
        let bare = value.to_bool().is_some()
            || (value.to_borrowed_str().is_none() && value.to_f64().is_some_and(f64::is_finite));
        let written = if bare { text } else { json(&text) };
        Ok(write!(self.0, ",{}:{written}", json(key.as_str()))?)
    }
}
