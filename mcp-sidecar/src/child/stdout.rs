//! Lines from the child, as events; then the reason of its end.

use std::io;

use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};
use tokio::task::coop;
use tokio_util::sync::CancellationToken;

use super::lines::{Cut, Lines};
use super::{ExitReason, FromChild};

#[derive(Debug)]
pub(super) struct Reader {
    pipe: pipe::Receiver,
    lines: Lines,
    events: mpsc::Sender<FromChild>,
    ended: watch::Receiver<Option<ExitReason>>,
}

impl Reader {
    pub(super) fn new(
        pipe: pipe::Receiver,
        max_line: usize,
        events: mpsc::Sender<FromChild>,
        ended: watch::Receiver<Option<ExitReason>>,
    ) -> Self {
        Self { pipe, lines: Lines::new(max_line), events, ended }
    }

    /// Delivers lines until end of file or the family's end, says so through `eof`, and reports the exit last.
    pub(super) async fn run(mut self, stopping: CancellationToken, eof: CancellationToken) {
        let mut over = self.ended.clone();
        loop {
            // A process that fled the family may hold the pipe open for ever: what is in it at the end is the rest.
            let is_over = over.borrow().is_some();
            let read = if is_over { self.read_directly() } else { self.pipe.try_read_buf(self.lines.room()) };
            match read {
                Ok(0) => break,
                Ok(_) => {
                    self.deliver(&stopping).await;
                    // A flood is one child's affair: the others get their turn.
                    coop::consume_budget().await;
                }
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock && is_over => break,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                    tokio::select! {
                        readable = self.pipe.readable() => if readable.is_err() { break },
                        _ = over.wait_for(Option::is_some) => {}
                    }
                }
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        if let Some(rest) = self.lines.rest() {
            self.report(event(rest), &stopping).await;
        }
        eof.cancel();
        let reason = over.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
        // Nobody listening any more is fine.
        self.events.send(FromChild::Exited(reason.unwrap_or(ExitReason::Unknown))).await.ok();
    }

    /// Asks the pipe itself: the reactor may not have heard yet of what a child wrote just before its end.
    fn read_directly(&mut self) -> io::Result<usize> {
        let mut piece = [0; 4096];
        let read = nix::unistd::read(&self.pipe, &mut piece)?;
        self.lines.room().extend_from_slice(&piece[..read]);
        Ok(read)
    }

    async fn deliver(&mut self, stopping: &CancellationToken) {
        while let Some(cut) = self.lines.next() {
            self.report(event(cut), stopping).await;
        }
    }

    /// Waits for room in the queue. Once the child is to stop nobody need be listening, so what does not fit is
    /// dropped: a full queue must not keep the child from flushing and ending by itself.
    async fn report(&self, event: FromChild, stopping: &CancellationToken) {
        match self.events.try_send(event) {
            Err(mpsc::error::TrySendError::Full(event)) => {
                tokio::select! {
                    _ = self.events.send(event) => {}
                    () = stopping.cancelled() => {}
                }
            }
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }
}

fn event(cut: Cut) -> FromChild {
    match cut {
        Cut::Line(line) => FromChild::Line(line),
        Cut::Oversized(bytes) => FromChild::Oversized { bytes },
    }
}
