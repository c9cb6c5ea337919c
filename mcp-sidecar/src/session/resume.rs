//! Who opens the standalone stream, or comes back to any.

use super::super::sink::{self, Events};
use super::{Rejection, StreamId, Streams};
use crate::mcp::replay::resumes;
use crate::mcp::sse::EventId;

impl Streams {
    /// A GET. Replaces the stream's earlier reader, whose connection ends.
    pub(in super::super) fn listen(&mut self, last: Option<EventId>) -> Result<Events, Rejection> {
        let place = last.unwrap_or(EventId { stream: StreamId::STANDALONE, number: self.handed_over });
        let has_missed = || self.log.as_ref().is_some_and(|log| log.has_after(place));
        if last.is_some() && !resumes(place, self.before, self.newest(place.stream), has_missed()) {
            return Err(Rejection::EventUnknown);
        }
        let (mut sink, events) = sink::channel(self.actor.clone(), self.slow_readers.clone());
        sink.replay(self.log.iter().flat_map(|log| log.after(place)));
        let stream = if place.stream == StreamId::STANDALONE {
            self.handed_over = self.standalone.last();
            Some(&mut self.standalone)
        } else {
            self.pending.get_mut(&place.stream).map(|pending| &mut pending.stream)
        };
        if let Some(stream) = stream {
            stream.attach(sink);
            stream.begin(place.stream, self.primes);
        }
        Ok(events)
    }

    /// The number of the last event of a stream on which more may come.
    fn newest(&self, id: StreamId) -> Option<u64> {
        if id == StreamId::STANDALONE {
            return Some(self.standalone.last());
        }
        let begun = self.pending.get(&id).filter(|pending| pending.reply.is_none());
        begun.map(|pending| pending.stream.last())
    }
}
