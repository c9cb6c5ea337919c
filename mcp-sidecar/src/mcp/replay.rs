//! The events that a client may still ask for again: bounded in number and bytes, over all streams of a session. Who
//! comes back for an answer that had no room is told so, as the answer: it would wait for ever.

use std::collections::VecDeque;

use bytes::Bytes;

use super::compose;
use super::sse::{self, EventId};

/// Lost answers whose clients can still be told.
const MAX_LOST: usize = 256;
/// A client's longer id is not remembered for that.
const MAX_ID: usize = 256;

/// Whether who comes back with the id of that event gets a stream: as long as more may come on it, or something of what
/// came later is there. Numbers of the session's events begin after `before`, at random: an id from another session is
/// none of this one. `open`: the last number on the stream, if it is still to be answered. `missed`: something later is
/// there.
///
/// All else is refused with 405 (2025-11-25 basic/transports §Listening for Messages 3: a stream «or else» that). A stream
/// without events is an invitation to come again, and TypeScript's SDK does so without an id, and then has the standalone
/// stream twice; 400 is tried again, for ever by Rust's.
pub fn resumes(last: EventId, before: u64, open: Option<u64>, missed: bool) -> bool {
    last.number > before && open.map_or(missed, |newest| last.number <= newest)
}

#[derive(Debug)]
pub struct ReplayLog {
    events: VecDeque<(EventId, Bytes)>,
    /// Answers that are not kept, and the ids of their requests.
    lost: VecDeque<(EventId, Bytes)>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl ReplayLog {
    pub fn new(max_events: usize, max_bytes: usize) -> Self {
        Self { events: VecDeque::new(), lost: VecDeque::new(), bytes: 0, max_events, max_bytes }
    }

    /// Keeps an event, at the cost of the oldest ones. One that alone is over the bound is not kept. Answers how many
    /// bytes that cost.
    pub fn push(&mut self, id: EventId, event: Bytes) -> usize {
        if event.len() > self.max_bytes {
            self.lose(id, &event);
            return event.len();
        }
        let mut dropped = 0;
        self.bytes += event.len();
        self.events.push_back((id, event));
        while self.events.len() > self.max_events || self.bytes > self.max_bytes {
            let Some((id, oldest)) = self.events.pop_front() else { break };
            self.bytes -= oldest.len();
            dropped += oldest.len();
            self.lose(id, &oldest);
        }
        dropped
    }

    fn lose(&mut self, id: EventId, event: &[u8]) {
        let Some(asked) = sse::data(event).and_then(compose::answered).filter(|asked| asked.len() <= MAX_ID) else {
            return;
        };
        self.lost.push_back((id, Bytes::copy_from_slice(asked)));
        if self.lost.len() > MAX_LOST {
            self.lost.pop_front();
        }
    }

    /// What came on that stream after that event, and on no other (§Resumability 2: MUST NOT).
    pub fn after(&self, last: EventId) -> impl Iterator<Item = Bytes> {
        let later = move |id: &EventId| id.stream == last.stream && id.number > last.number;
        let kept = self.events.iter().filter(move |(id, _)| later(id)).cloned();
        let lost = self.lost.iter().filter(move |(id, _)| later(id));
        let told = lost.map(|(id, asked)| (*id, sse::event(*id, &compose::not_kept(asked))));
        let mut missed: Vec<_> = kept.chain(told).collect();
        missed.sort_by_key(|(id, _)| id.number);
        missed.into_iter().map(|(_, event)| event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::sse::StreamId;

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
    }

    #[test]
    fn a_stream_is_there_while_more_may_come_or_something_is_kept_and_ids_of_other_sessions_name_none() {
        let (before, nothing, something) = (1000, false, true);
        let resumed = |number, open, missed| resumes(at(2, number), before, open, missed);
        for missed in [nothing, something] {
            assert!(resumed(1001, Some(1003), missed), "its answer is still to come");
            assert!(resumed(1003, Some(1003), missed));
            assert!(!resumed(1004, Some(1003), missed), "that event never was");
            assert!(!resumed(1000, Some(1003), missed) && !resumed(3, Some(1003), missed), "another session's");
        }
        assert!(resumed(1001, None, something), "it is over, and its answer was lost on the way, however often");
        assert!(!resumed(1003, None, nothing), "it is over, and its answer was read");
        assert!(!resumed(3, None, something));
    }

    #[test]
    fn an_answer_that_is_not_kept_is_told_of_in_its_place() {
        let event = |id, message: &str| sse::event(id, message.as_bytes());
        let answer =
            |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"id":7,"text":"{}"}}}}"#, "x".repeat(300));
        let told = |id| sse::event(id, &compose::not_kept(br#""a,\"result\":""#));
        let mut log = ReplayLog::new(10, 420);
        let note = event(at(1, 1), r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#);
        log.push(at(1, 1), note.clone());
        log.push(at(1, 2), event(at(1, 2), &answer(r#""a,\"result\":""#)));
        assert_eq!(log.after(at(1, 1)).count(), 1);
        log.push(at(2, 1), event(at(2, 1), &answer("1")));
        assert_eq!(log.after(at(1, 0)).collect::<Vec<_>>(), [told(at(1, 2))], "the oldest went first");
        assert_eq!(log.after(at(1, 2)).count(), 0, "who has had it is told nothing");
        let mut log = ReplayLog::new(10, 200);
        log.push(at(1, 1), note.clone());
        log.push(at(1, 2), event(at(1, 2), &answer(r#""a,\"result\":""#)));
        log.push(at(1, 3), note.clone());
        assert_eq!(
            log.after(at(1, 0)).collect::<Vec<_>>(),
            [note.clone(), told(at(1, 2)), note],
            "it alone is too large"
        );
    }

    #[test]
    fn only_so_many_answers_are_told_of_and_what_is_no_answer_is_not() {
        let mut log = ReplayLog::new(0, 1000);
        let push = |log: &mut ReplayLog, id, message: &str| log.push(id, sse::event(id, message.as_bytes()));
        push(&mut log, at(1, 1), r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
        push(&mut log, at(1, 2), r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#);
        push(&mut log, at(1, 3), &format!(r#"{{"jsonrpc":"2.0","id":"{}","result":1}}"#, "x".repeat(MAX_ID)));
        assert_eq!(log.after(at(1, 0)).count(), 0);
        for number in 1..=MAX_LOST as u64 + 1 {
            push(&mut log, at(number, 1), r#"{"jsonrpc":"2.0","id":1,"error":{}}"#);
        }
        let told = |stream| log.after(at(stream, 0)).count();
        assert_eq!((told(1), told(2), told(MAX_LOST as u64 + 1)), (0, 1, 1));
    }
}
