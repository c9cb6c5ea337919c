//! Bytes that clients have sent and their session's child has not read. Lines are counted where they wait; this bounds
//! large ones, of which a few fill as much memory as all others may.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::ToActor;
use crate::mcp::jsonrpc::{Incoming, Message, Outcome};
use crate::mcp::rejection::Rejection;
use crate::metrics::Counter;

/// Smaller ones are bounded by their number: at most some hundred wait in all queues of a session.
const LARGE: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    limit: usize,
    refused: Counter,
}

/// So many bytes; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl ToActor {
    /// A message of a client, with the room that it takes.
    ///
    /// # Errors
    /// [`Rejection::TooManyBytes`] while there is none.
    pub(crate) fn weighed(self, backlog: &Arc<Backlog>) -> Result<Self, Rejection> {
        let bytes = match &self {
            Self::Call { incoming, .. } | Self::Relay(incoming) => weight(incoming),
            _ => 0,
        };
        Ok(match backlog.take(bytes)? {
            Some(held) => Self::Large(held, Box::new(self)),
            None => self,
        })
    }

    /// The same without its weight.
    pub(crate) fn alone(self) -> Self {
        match self {
            Self::Large(_, message) => *message,
            message => message,
        }
    }
}

fn weight(incoming: &Incoming) -> usize {
    let bytes = |message: &Message| match message {
        Message::Request(request) => request.params.as_ref().map_or(0, Bytes::len),
        Message::Notification(note) => note.params.as_ref().map_or(0, Bytes::len),
        Message::Response(response) => match &response.outcome {
            Outcome::Result(bytes) | Outcome::Error(bytes) => bytes.len(),
        },
    };
    incoming.messages().iter().map(bytes).sum()
}

impl Backlog {
    /// `refused` counts those for which there was no room.
    pub(super) fn new(limit: usize, refused: Counter) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), limit, refused })
    }

    /// Room for a client's message. One alone always has room.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Result<Option<Held>, Rejection> {
        if bytes < LARGE {
            return Ok(None);
        }
        let held = self.hold(bytes);
        let others = self.bytes.load(Ordering::Relaxed) - bytes;
        if others > 0 && others + bytes > self.limit {
            self.refused.inc();
            return Err(Rejection::TooManyBytes);
        }
        Ok(Some(held))
    }

    /// A line that is counted until nobody has it any more: in the room of the message that it comes of, if any, so that
    /// there is no moment without either.
    pub(super) fn line(self: &Arc<Self>, line: Bytes, of: Option<&mut Held>) -> Bytes {
        if line.len() < LARGE {
            return line;
        }
        let held = match of {
            Some(message) => message.part(line.len()),
            None => self.hold(line.len()),
        };
        Bytes::from_owner(Line { line, _held: held })
    }

    pub(super) fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Held { backlog: Arc::clone(self), bytes }
    }
}

impl Held {
    /// So many of these, and new ones where they do not suffice.
    fn part(&mut self, bytes: usize) -> Self {
        let own = bytes.min(self.bytes);
        self.backlog.bytes.fetch_add(bytes - own, Ordering::Relaxed);
        self.bytes -= own;
        Self { backlog: Arc::clone(&self.backlog), bytes }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.backlog.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

struct Line {
    line: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Line {
    fn as_ref(&self) -> &[u8] {
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_given_back_when_nobody_has_it() {
        let backlog = Backlog::new(3 * LARGE, Counter::default());
        let first = backlog.take(2 * LARGE).unwrap();
        assert_eq!(backlog.take(2 * LARGE).unwrap_err(), Rejection::TooManyBytes);
        assert!(backlog.take(LARGE - 1).unwrap().is_none(), "small ones are counted elsewhere");
        let line = backlog.line(vec![b'x'; LARGE].into(), None);
        let copy = line.clone();
        drop((first, line));
        assert_eq!(backlog.take(3 * LARGE).unwrap_err(), Rejection::TooManyBytes);
        assert_eq!(copy.len(), LARGE);
        drop(copy);
        assert!(backlog.take(4 * LARGE).is_ok(), "one alone always has room");
        assert_eq!(backlog.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_lines_of_a_message_take_its_room_and_what_they_need_beyond() {
        let backlog = Backlog::new(9 * LARGE, Counter::default());
        let counted = || backlog.bytes.load(Ordering::Relaxed) / LARGE;
        let mut message = backlog.take(3 * LARGE).unwrap();
        let mut line = |size: usize| backlog.line(vec![b'x'; size * LARGE].into(), message.as_mut());
        let first = line(2);
        assert_eq!(counted(), 3);
        let second = line(2);
        assert_eq!(counted(), 4);
        drop(message);
        assert_eq!(counted(), 4);
        drop((first, second));
        assert_eq!(counted(), 0);
    }
}
