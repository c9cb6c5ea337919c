//! The headers of a request to `/mcp`, read once. `Host` and `Origin` are judged before: [`super::origin`].

use std::collections::BTreeMap;

use super::identity::Identity;
use super::mirror::Mirror;
use super::rejection::Rejection;
use super::session_id::{Owner, SessionId};
use super::version::ProtocolVersion;

/// Which answers a client can take. No `Accept` at all, or `*/*`, admits everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    pub json: bool,
    pub sse: bool,
}

/// The id that `Mcp-Session-Id` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    Nothing,
    /// Text that no session of ours can have.
    Foreign,
    Session(SessionId),
}

/// The revision that `MCP-Protocol-Version` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    Nothing,
    Known(ProtocolVersion),
    /// Nothing that has sessions.
    Other(&'a [u8]),
    /// Two readers could believe two.
    Repeated,
}

impl<'a> Named<'a> {
    /// # Errors
    /// [`Rejection::UnsupportedVersion`]
    pub fn known(&self) -> Result<Option<ProtocolVersion>, Rejection> {
        match self {
            Self::Nothing => Ok(None),
            Self::Known(version) => Ok(Some(*version)),
            Self::Other(_) => Err(Rejection::UnsupportedVersion),
            Self::Repeated => Err(Rejection::HeaderRepeated("MCP-Protocol-Version")),
        }
    }

    pub fn text(&self) -> Option<&'a str> {
        match self {
            Self::Nothing | Self::Repeated => None,
            Self::Known(version) => Some(version.as_str()),
            Self::Other(text) => text_of(text),
        }
    }
}

/// Headers that repeat what the body says; [`super::headers`] and [`super::tool_headers`] compare them.
#[derive(Clone, Debug, Default)]
pub struct Mirrors<'a> {
    pub version: Mirror<'a>,
    pub method: Mirror<'a>,
    pub name: Mirror<'a>,
    /// `Mcp-Param-*`, by what follows the dash, in lower case.
    pub params: BTreeMap<&'a str, Mirror<'a>>,
}

#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    pub accept: Accept,
    pub json_body: bool,
    pub version: Named<'a>,
    pub mirrors: Mirrors<'a>,
    pub session: Presented,
    pub last_event_id: Option<&'a str>,
    pub owner: Owner,
    pub identity: Identity<'a>,
    pub content_length: Option<u64>,
}

#[derive(Default)]
struct Raw<'a> {
    json: Ranges,
    sse: Ranges,
    content_type: Option<&'a [u8]>,
    mirrors: Mirrors<'a>,
    session: Option<&'a [u8]>,
    last_event_id: Option<&'a [u8]>,
    identity: Identity<'a>,
    content_length: Option<&'a [u8]>,
}

impl<'a> RequestHead<'a> {
    /// `headers` are names in lower case with their values, repeated names repeated.
    ///
    /// # Errors
    /// A header that decides something is given twice, or cannot be read.
    pub fn parse(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Rejection> {
        let raw = collect(headers)?;
        let version = match raw.mirrors.version {
            Mirror::Absent => Named::Nothing,
            Mirror::Value(text) => {
                text_of(text).and_then(ProtocolVersion::parse).map_or(Named::Other(text), Named::Known)
            }
            Mirror::Repeated => Named::Repeated,
        };
        let session = match raw.session {
            None => Presented::Nothing,
            Some(text) => SessionId::parse(text).map_or(Presented::Foreign, Presented::Session),
        };
        let owner = match raw.identity.user_id {
            None => Owner::nobody(),
            Some(text) => Owner::user(text_of(text).ok_or(Rejection::HeaderUnreadable("X-User-Id"))?),
        };
        Ok(Self {
            accept: Accept { json: raw.json.admit(), sse: raw.sse.admit() },
            json_body: raw.content_type.is_some_and(is_json),
            version,
            mirrors: raw.mirrors,
            session,
            last_event_id: raw.last_event_id.and_then(text_of),
            owner,
            identity: raw.identity,
            content_length: raw.content_length.and_then(text_of).and_then(|text| text.parse().ok()),
        })
    }
}

fn collect<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Raw<'a>, Rejection> {
    let mut raw = Raw::default();
    for (name, value) in headers {
        let (slot, name) = match name {
            "accept" => {
                raw.json.add(value, ["*/*", "application/*", "application/json"]);
                raw.sse.add(value, ["*/*", "text/*", "text/event-stream"]);
                continue;
            }
            "content-type" => (&mut raw.content_type, "Content-Type"),
            "mcp-protocol-version" => {
                raw.mirrors.version.add(value);
                continue;
            }
            "mcp-method" => {
                raw.mirrors.method.add(value);
                continue;
            }
            "mcp-name" => {
                raw.mirrors.name.add(value);
                continue;
            }
            _ if name.starts_with("mcp-param-") => {
                raw.mirrors.params.entry(&name["mcp-param-".len()..]).or_default().add(value);
                continue;
            }
            "mcp-session-id" => (&mut raw.session, "Mcp-Session-Id"),
            "last-event-id" => (&mut raw.last_event_id, "Last-Event-ID"),
            "x-user-id" => (&mut raw.identity.user_id, "X-User-Id"),
            "x-user-name" => (&mut raw.identity.user_name, "X-User-Name"),
            "x-client-id" => (&mut raw.identity.client_id, "X-Client-Id"),
            "x-scope" => (&mut raw.identity.scope, "X-Scope"),
            "content-length" => (&mut raw.content_length, "Content-Length"),
            _ => continue,
        };
        // Two values would let one reader believe the first and another the last.
        if slot.replace(value).is_some() {
            return Err(Rejection::HeaderRepeated(name));
        }
    }
    Ok(raw)
}

pub(super) fn text_of(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().map(str::trim).filter(|text| !text.is_empty())
}

/// What `Accept` says of one media type, over all its lines. The range that is most specific decides (RFC 9110 §12.5.1).
#[derive(Default)]
struct Ranges {
    given: bool,
    /// How specific the range is that decides so far, and whether it admits the type.
    decides: Option<(usize, bool)>,
}

impl Ranges {
    /// `matching` are the ranges that the type is in, the most specific last.
    fn add(&mut self, value: &[u8], matching: [&str; 3]) {
        self.given = true;
        for range in String::from_utf8_lossy(value).split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if let Some(specific) = matching.iter().position(|range| range.eq_ignore_ascii_case(media)) {
                let admitted = !parts.any(is_weight_zero);
                // Of two that are equal, the one that admits.
                self.decides = self.decides.max(Some((specific, admitted)));
            }
        }
    }

    fn admit(&self) -> bool {
        !self.given || self.decides.is_some_and(|(_, admitted)| admitted)
    }
}

/// RFC 9110 §12.4.2: it means «not acceptable».
fn is_weight_zero(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.is_some_and(|weight| weight.starts_with('0') && weight.bytes().all(|byte| matches!(byte, b'0' | b'.')))
}

fn is_json(value: &[u8]) -> bool {
    let media = value.split(|&byte| byte == b';').next().unwrap_or_default();
    media.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(headers: &[(&'a str, &'a str)]) -> Result<RequestHead<'a>, Rejection> {
        RequestHead::parse(headers.iter().map(|&(name, value)| (name, value.as_bytes())))
    }

    #[test]
    fn accept_is_read_as_rfc_9110_says() {
        for (text, json, sse) in [
            ("application/json, text/event-stream", true, true),
            ("*/*", true, true),
            ("application/json", true, false),
            ("TEXT/EVENT-STREAM", false, true),
            ("text/html", false, false),
            ("application/json;q=0, text/event-stream;q=0.9", false, true),
            ("application/*", true, false),
            ("application/json;q=0, */*", false, true),
            ("*/*, application/*;Q=0.000, text/event-stream;q=0.", false, false),
            ("application/*;q=0, application/json;q=0.001, text/*", true, true),
            ("application/json;q=0, application/json, text/event-stream", true, true),
            ("", false, false),
        ] {
            assert_eq!(head(&[("accept", text)]).unwrap().accept, Accept { json, sse }, "{text}");
        }
        assert_eq!(head(&[]).unwrap().accept, Accept { json: true, sse: true });
        let split = head(&[("accept", "application/json"), ("accept", "text/event-stream")]).unwrap();
        assert_eq!(split.accept, Accept { json: true, sse: true });
        let excluded = head(&[("accept", "application/json;q=0"), ("accept", "*/*")]).unwrap();
        assert_eq!(excluded.accept, Accept { json: false, sse: true });
    }

    #[test]
    fn a_body_is_json_by_its_media_type_only() {
        for (text, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/json-seq", false),
        ] {
            assert_eq!(head(&[("content-type", text)]).unwrap().json_body, json, "{text}");
        }
        assert!(!head(&[]).unwrap().json_body);
    }

    #[test]
    fn a_version_that_nobody_speaks_is_refused() {
        let known = |text| head(&[("mcp-protocol-version", text)]).unwrap().version.known();
        assert_eq!(known("1999-01-01"), Err(Rejection::UnsupportedVersion));
        assert_eq!(known(""), Err(Rejection::UnsupportedVersion));
        assert_eq!(known("2025-06-18"), Ok(Some(ProtocolVersion::V2025_06_18)));
        let twice = head(&[("mcp-protocol-version", "2025-06-18"), ("mcp-protocol-version", "2025-06-18")]).unwrap();
        assert_eq!(twice.version.known(), Err(Rejection::HeaderRepeated("MCP-Protocol-Version")));
    }

    #[test]
    fn a_header_that_decides_may_not_be_given_twice() {
        let twice = [("x-user-id", "alice"), ("x-user-id", "bob")];
        assert_eq!(head(&twice).unwrap_err(), Rejection::HeaderRepeated("X-User-Id"));
    }

    #[test]
    fn a_session_header_that_is_not_ours_is_foreign_and_not_absent() {
        assert_eq!(head(&[("mcp-session-id", "guess")]).unwrap().session, Presented::Foreign);
        assert_eq!(head(&[]).unwrap().session, Presented::Nothing);
    }
}
