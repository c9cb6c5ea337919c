//! Server-sent events (WHATWG HTML §9.2) and the ids that say which stream they are of.

use bytes::Bytes;

/// Sent while nothing else is, so that proxies keep the connection and a vanished client is noticed.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// How long a client should wait before it comes back, in milliseconds.
const RETRY_MS: u32 = 1000;

/// A stream within a session; 0 is the one that GET opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

impl StreamId {
    pub const STANDALONE: Self = Self(0);
}

/// The place of an event: unique in its session, and naming its stream (2025-11-25 §Resumability 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    pub stream: StreamId,
    pub number: u64,
}

impl EventId {
    pub fn parse(text: &str) -> Option<Self> {
        let (stream, number) = text.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Self { stream: StreamId(digits(stream)?), number: digits(number)? })
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.stream.0, self.number)
    }
}

/// One message as an event. The message has no line breaks, as [`super::compose`] makes them.
pub fn event(id: EventId, message: &[u8]) -> Bytes {
    let head = format!("event: message\nid: {id}\ndata: ");
    [head.as_bytes(), message, b"\n\n"].concat().into()
}

/// The message of such an event.
pub fn data(event: &[u8]) -> Option<&[u8]> {
    event.splitn(4, |byte| *byte == b'\n').nth(2)?.strip_prefix(b"data: ")
}

/// One message as an event that cannot be asked for again (2026-07-28).
pub fn message(message: &[u8]) -> Bytes {
    [b"event: message\ndata: ", message, b"\n\n"].concat().into()
}

/// An id without data: the client may come back with it (2025-11-25 §Sending Messages 6).
pub fn priming(id: EventId) -> Bytes {
    format!("id: {id}\nretry: {RETRY_MS}\ndata: \n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_priming_event_has_an_id_a_retry_and_no_data() {
        let id = EventId { stream: StreamId(3), number: 0 };
        assert_eq!(priming(id), "id: 3-0\nretry: 1000\ndata: \n\n");
    }

    #[test]
    fn ids_that_are_not_ours_are_no_ids() {
        for text in ["", "-", "1", "1-", "-1", "a-b", "1-2-3", "+1-2", "1-99999999999999999999"] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_event_is_one_event_whatever_the_message(stream: u64, number: u64, message in "[^\r\n]*") {
            let id = EventId { stream: StreamId(stream), number };
            let event = event(id, message.as_bytes());
            prop_assert_eq!(data(&event), Some(message.as_bytes()));
            let text = String::from_utf8(event.to_vec()).unwrap();
            let mut lines = text.split('\n');
            prop_assert_eq!(lines.next(), Some("event: message"));
            let sent = lines.next().unwrap().strip_prefix("id: ").unwrap();
            prop_assert_eq!(EventId::parse(sent), Some(id));
            prop_assert_eq!(lines.next().unwrap().strip_prefix("data: ").unwrap(), message);
            prop_assert_eq!(lines.collect::<Vec<_>>(), ["", ""]);
        }
    }
}
