//! The events that a client may still ask for again: bounded in number and bytes, over all streams of a session.

use std::collections::VecDeque;

use bytes::Bytes;

use super::sse::{EventId, StreamId};

#[derive(Debug)]
pub struct ReplayLog {
    events: VecDeque<(EventId, Bytes)>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl ReplayLog {
    pub fn new(max_events: usize, max_bytes: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, max_events, max_bytes }
    }

    /// Keeps an event, at the cost of the oldest ones. One that alone is over the bound is not kept. Answers how many
    /// bytes that cost.
    pub fn push(&mut self, id: EventId, event: Bytes) -> usize {
        if event.len() > self.max_bytes {
            return event.len();
        }
        let mut dropped = 0;
        self.bytes += event.len();
        self.events.push_back((id, event));
        while self.events.len() > self.max_events || self.bytes > self.max_bytes {
            let Some((_, oldest)) = self.events.pop_front() else { break };
            self.bytes -= oldest.len();
            dropped += oldest.len();
        }
        dropped
    }

    /// What came on that stream after that event, and on no other (§Resumability 2: MUST NOT).
    pub fn after(&self, last: EventId) -> impl Iterator<Item = Bytes> {
        let missed = self.events.iter().filter(move |(id, _)| id.stream == last.stream && id.number > last.number);
        missed.map(|(_, event)| event.clone())
    }

    /// Whether anything of that stream is kept.
    pub fn knows(&self, stream: StreamId) -> bool {
        self.events.iter().any(|(id, _)| id.stream == stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stream: u64, number: u64) -> EventId {
        EventId { stream: StreamId(stream), number }
    }

    #[test]
    fn only_later_events_of_the_same_stream_come_again() {
        let mut log = ReplayLog::new(10, 1000);
        for (id, text) in [(at(1, 1), "a"), (at(2, 1), "b"), (at(1, 2), "c"), (at(1, 3), "d")] {
            log.push(id, text.into());
        }
        assert_eq!(log.after(at(1, 1)).collect::<Vec<_>>(), ["c", "d"]);
        assert_eq!(log.after(at(2, 1)).count(), 0);
        assert_eq!(log.after(at(1, 0)).count(), 3);
    }

    #[test]
    fn the_log_is_bounded_in_events_and_in_bytes() {
        let mut log = ReplayLog::new(2, 10);
        for number in 1..=3 {
            assert_eq!(log.push(at(1, number), "xx".into()), if number == 3 { 2 } else { 0 });
        }
        assert_eq!(log.after(at(1, 0)).count(), 2);
        assert_eq!(log.push(at(1, 4), "123456789".into()), 4);
        assert_eq!(log.after(at(1, 0)).collect::<Vec<_>>(), ["123456789"]);
        assert_eq!(log.push(at(1, 5), "longer than the whole log".into()), 25);
        assert_eq!(log.after(at(1, 0)).collect::<Vec<_>>(), ["123456789"]);
        assert!(log.knows(StreamId(1)) && !log.knows(StreamId(2)));
    }
}
