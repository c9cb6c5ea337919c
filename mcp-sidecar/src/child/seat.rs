//! A seat at a child that several share, in the guise of a child of its own: the same lines and events, but its end is
//! nobody's but its own.

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Child, ExitReason};

/// The other end of a [`Child`] that is no process.
#[derive(Debug)]
pub(crate) struct Seat {
    lines: mpsc::Receiver<Bytes>,
    stopping: CancellationToken,
    end: watch::Sender<Option<ExitReason>>,
}

/// A child that is a seat at the process with that id; so many lines of it may wait.
pub(crate) fn take(process: u32, queue: usize) -> (Child, Seat) {
    let (stdin, lines) = mpsc::channel(queue.max(1));
    let (end, ended) = watch::channel(None);
    let stopping = CancellationToken::new();
    let _stop = stopping.clone().drop_guard();
    let child = Child { id: process, stdin, ended, stopping: stopping.clone(), _stop, pulse: None };
    (child, Seat { lines, stopping, end })
}

impl Seat {
    /// The next line that was said here; `None` once the seat is left.
    pub(crate) async fn line(&mut self) -> Option<Bytes> {
        tokio::select! {
            biased;
            line = self.lines.recv() => line,
            () = self.stopping.cancelled() => None,
        }
    }

    /// Until it is left. Lines may wait here all the same.
    pub(crate) async fn left(&self) {
        self.stopping.cancelled().await;
    }

    /// Says that it is left.
    pub(crate) fn leave(self) {
        self.end.send_replace(Some(ExitReason::Code(0)));
    }
}
