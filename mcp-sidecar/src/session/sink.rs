//! One open event stream: a channel bounded in events and in bytes. A reader that is too slow loses the connection,
//! not its messages: those are in the replay log, and nobody else waits for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::ToActor;
use crate::metrics::Counter;

/// More than a server says at once, such as progress ten thousand times: readers need time to catch up.
const MAX_EVENTS: usize = 1 << 14;
/// Unread bytes beyond what was replayed, except that a single event may be larger.
const MAX_BYTES: usize = 16 << 20;

/// The session's end.
#[derive(Debug)]
pub(crate) struct Sink {
    events: mpsc::Sender<Bytes>,
    unread: Arc<AtomicUsize>,
    max_unread: usize,
    slow: Counter,
}

/// The connection's end: the body of the response.
#[derive(Debug)]
pub(crate) struct Events {
    events: mpsc::Receiver<Bytes>,
    unread: Arc<AtomicUsize>,
    /// Who wants to know that the reader has gone before the end.
    actor: Option<mpsc::Sender<ToActor>>,
}

/// The reader is gone or too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

/// `slow` counts readers that are given up.
pub(crate) fn channel(actor: mpsc::Sender<ToActor>, slow: Counter) -> (Sink, Events) {
    let (sender, receiver) = mpsc::channel(MAX_EVENTS);
    let unread = Arc::new(AtomicUsize::new(0));
    (
        Sink { events: sender, unread: Arc::clone(&unread), max_unread: MAX_BYTES, slow },
        Events { events: receiver, unread, actor: Some(actor) },
    )
}

impl Sink {
    /// Hands over what the replay log keeps, which has a bound of its own (`--replay-bytes`) and fewer events than fit
    /// here: a reader that comes back is not slow because it has missed much.
    pub(crate) fn replay(&mut self, missed: impl Iterator<Item = Bytes>) {
        for event in missed {
            self.max_unread += event.len();
            self.unread.fetch_add(event.len(), Ordering::Relaxed);
            // A reader that has left meanwhile needs nothing.
            let _ = self.events.try_send(event);
        }
    }

    pub(crate) fn push(&self, event: Bytes) -> Result<(), Lost> {
        let before = self.unread.fetch_add(event.len(), Ordering::Relaxed);
        if before > 0 && before + event.len() > self.max_unread {
            self.slow.inc();
            return Err(Lost);
        }
        self.events.try_send(event).map_err(|refused| {
            if matches!(refused, mpsc::error::TrySendError::Full(_)) {
                self.slow.inc();
            }
            Lost
        })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.events.is_closed()
    }
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.events.poll_recv(cx);
        match &next {
            Poll::Ready(Some(event)) => drop(self.unread.fetch_sub(event.len(), Ordering::Relaxed)),
            Poll::Ready(None) => self.actor = None,
            Poll::Pending => {}
        }
        next.map(|event| event.map(Ok))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(actor) = self.actor.take() {
            // First the fact, then the news of it.
            self.events.close();
            // One that has no room for the news sees the fact at its next tick.
            let _ = actor.try_send(ToActor::Left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn a_slow_reader_is_given_up_and_a_large_event_still_passes() {
        let (sink, mut events) = channel(mpsc::channel(1).0, Counter::default());
        let large = Bytes::from(vec![b'x'; MAX_BYTES + 1]);
        sink.push(large.clone()).unwrap();
        assert_eq!(sink.push("more".into()), Err(Lost));
        assert_eq!(sink.slow.get(), 1);
        assert_eq!(events.next().await, Some(Ok(large)));
    }

    #[tokio::test]
    async fn a_reader_that_has_missed_more_than_may_be_unread_gets_it_all_and_what_comes_next() {
        let (mut sink, mut events) = channel(mpsc::channel(1).0, Counter::default());
        let missed = [(); 3].map(|()| Bytes::from(vec![b'x'; MAX_BYTES]));
        sink.replay(missed.clone().into_iter());
        sink.push("next".into()).unwrap();
        for event in missed {
            assert_eq!(events.next().await, Some(Ok(event)));
        }
        assert_eq!(events.next().await, Some(Ok("next".into())));
        assert_eq!(sink.slow.get(), 0);
    }

    #[tokio::test]
    async fn a_reader_that_went_away_is_told_of_and_one_that_read_to_the_end_is_not() {
        let (actor, mut inbox) = mpsc::channel(1);
        let (sink, mut events) = channel(actor.clone(), Counter::default());
        drop(sink);
        assert_eq!(events.next().await, None);
        drop(events);
        assert!(inbox.try_recv().is_err());
        let (sink, events) = channel(actor, Counter::default());
        drop(events);
        assert!(matches!(inbox.try_recv(), Ok(ToActor::Left)));
        assert!(!sink.is_open());
        assert_eq!(sink.push("late".into()), Err(Lost));
        assert_eq!(sink.slow.get(), 0);
    }
}
