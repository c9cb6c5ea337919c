//! Server-sent events: a client reads back exactly the messages, in their order, and can say which was the last.

use mcp_sidecar::mcp::{
    replay::ReplayLog,
    sse::{self, EventId, StreamId},
};

/// Lines are messages; each goes to one of two streams.
pub fn event(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // As composed, a message is never empty and has no line break.
    let messages: Vec<&str> = text.split(['\n', '\r']).filter(|message| !message.is_empty()).collect();
    messages.iter().for_each(|message| any_text_is_an_id_or_none(message));
    let mut log = ReplayLog::new(usize::MAX, usize::MAX);
    let sent: Vec<(EventId, &str)> =
        messages.iter().zip(1..).map(|(message, n)| (place(message, n), *message)).collect();
    for stream in [StreamId::STANDALONE, StreamId(7)] {
        let own: Vec<_> = sent.iter().filter(|(id, _)| id.stream == stream).copied().collect();
        let start = EventId { stream, number: 0 };
        let mut body = [sse::KEEP_ALIVE, &sse::priming(start)].concat();
        for &(id, message) in &own {
            let event = sse::event(id, message.as_bytes());
            body.extend([&event, sse::KEEP_ALIVE].concat());
            log.push(id, event);
        }
        assert_eq!(read(&body), own);
        for (missed, (last, _)) in own.iter().enumerate() {
            let again: Vec<u8> = log.after(*last).flatten().collect();
            assert_eq!(read(&again), own[missed + 1..], "after {last}");
        }
    }
}

fn place(message: &str, number: u64) -> EventId {
    EventId { stream: if message.len().is_multiple_of(2) { StreamId::STANDALONE } else { StreamId(7) }, number }
}

fn any_text_is_an_id_or_none(text: &str) {
    if let Some(id) = EventId::parse(text) {
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
    }
}

/// A reader as in WHATWG HTML §9.2.6: events with data, and the last id seen.
fn read(body: &[u8]) -> Vec<(EventId, &str)> {
    let mut events = Vec::new();
    let (mut data, mut last_id) = (None, None);
    for line in std::str::from_utf8(body).expect("UTF-8").split(['\n', '\r']) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => assert!(data.replace(value).is_none(), "a message has one line"),
            "id" => last_id = EventId::parse(value),
            "event" => assert_eq!(value, "message"),
            "retry" => assert!(value.parse::<u32>().is_ok(), "{value:?}"),
            _ if line.is_empty() => {
                let event = data.take().filter(|data: &&str| !data.is_empty());
                events.extend(event.map(|data| (last_id.expect("every event has an id"), data)));
            }
            comment => assert!(comment.is_empty(), "an unknown field: {line:?}"),
        }
    }
    events
}
