//! One event stream of a seat: its numbered events, and the connection that reads it, if there is one.

use bytes::Bytes;

use super::kept::Kept;
use super::sink::Sink;
use crate::mcp::sse::{self, EventId, StreamId};

pub(super) struct Stream {
    last: u64,
    sink: Option<Sink>,
}

impl Stream {
    /// Its events are numbered from the next one on.
    pub(super) fn after(last: u64) -> Self {
        Self { last, sink: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.sink.as_ref().is_some_and(Sink::is_open)
    }

    /// The number of its last event.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn attach(&mut self, sink: Sink) {
        self.sink = Some(sink);
    }

    pub(super) fn detach(&mut self) {
        self.sink = None;
    }

    pub(super) fn begin(&mut self, id: StreamId, primes: bool) {
        let first = if primes {
            // An event like others, though nobody can have missed it: no other may have its id (§Resumability 1).
            self.last += 1;
            sse::priming(EventId { stream: id, number: self.last })
        } else {
            // The response's head goes out with the first bytes of its body.
            Bytes::from_static(sse::KEEP_ALIVE)
        };
        self.hand(first);
    }

    /// Whether a reader took it. Events that nobody can ask for again have no ids.
    pub(super) fn push(&mut self, id: StreamId, message: &Bytes, log: &mut Option<Kept>) -> bool {
        let Some(log) = log else { return self.hand(sse::message(message)) };
        self.last += 1;
        let id = EventId { stream: id, number: self.last };
        let event = sse::event(id, message);
        log.push(id, event.clone());
        self.hand(event)
    }

    fn hand(&mut self, event: Bytes) -> bool {
        let handed = self.sink.as_ref().is_some_and(|sink| sink.push(event).is_ok());
        if !handed {
            self.sink = None;
        }
        handed
    }

    pub(super) fn keep_alive(&mut self) {
        if self.sink.is_some() {
            self.hand(Bytes::from_static(sse::KEEP_ALIVE));
        }
    }
}
