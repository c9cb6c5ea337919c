//! The line of one request in the log: who asked what of which server, how it went, and how long it took. Never a
//! session's id, never arguments, never a whole URI. What clients name is bounded here and escaped by the logger.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest};
use log::kv::{self, Key, Value, VisitSource};
use log::{Level, Record, log_enabled};

use super::access::Note;
use crate::logging::ACCESS;
use crate::mcp::subject::Subject;
use crate::mcp::version::ProtocolVersion;

/// Characters of a header or of a method's name; a log is no place for 100 kB.
const LONGEST: usize = 128;

pub(super) fn tell(request: &HttpRequest, status: StatusCode, took: Duration, bytes: u64) {
    if !log_enabled!(target: ACCESS, Level::Info) {
        return;
    }
    let mut line = Line(Vec::with_capacity(10));
    line.about(request);
    line.0.push(("status", Field::Number(status.as_u16().into())));
    line.0.push(("ms", Field::Fraction(millis(took))));
    line.0.push(("bytes", Field::Number(bytes)));
    let mut record = Record::builder();
    record.level(Level::Info).target(ACCESS).module_path_static(Some(module_path!())).key_values(&line);
    log::logger().log(&record.args(format_args!("request")).build());
}

/// Most calls take less than one: whole milliseconds would say nothing.
fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e5).round() / 1e2
}

enum Field {
    Text(String),
    Number(u64),
    Fraction(f64),
}

struct Line(Vec<(&'static str, Field)>);

impl Line {
    fn about(&mut self, request: &HttpRequest) {
        let extensions = request.extensions();
        let unread = Note::default();
        let note = extensions.get::<Note>().unwrap_or(&unread);
        self.text("http", Some(request.method().as_str()));
        self.text("user", header(request, "x-user-id").as_deref());
        self.0.extend(note.session.map(|number| ("session", Field::Number(number))));
        let named = header(request, "mcp-protocol-version");
        self.text("version", named.as_deref().or(note.version.map(ProtocolVersion::as_str)));
        let method = note.method.as_ref().map(|method| String::from_utf8_lossy(method.as_json()));
        self.text("method", method.as_ref().map(|method| method.trim_matches('"')));
        match &note.subject {
            Some(Subject::Name(name)) => self.text("name", Some(name)),
            Some(Subject::Scheme(scheme)) => self.text("scheme", Some(scheme)),
            None => {}
        }
    }

    fn text(&mut self, key: &'static str, text: Option<&str>) {
        self.0.extend(text.map(|text| (key, Field::Text(text.chars().take(LONGEST).collect()))));
    }
}

impl kv::Source for Line {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        self.0.iter().try_for_each(|(key, field)| {
            let value = match field {
                Field::Text(text) => Value::from(text.as_str()),
                Field::Number(number) => Value::from(*number),
                Field::Fraction(fraction) => Value::from(*fraction),
            };
            visitor.visit_pair(Key::from_str(key), value)
        })
    }
}

fn header(request: &HttpRequest, name: &str) -> Option<String> {
    request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
