//! Lines from the child, as events; then the reason of its end.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{ExitReason, FromChild, orphans};
use crate::mcp::lines::{Cut, Lines};

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
        while self.read(&mut over).await.is_ok_and(|read| read > 0) {
            orphans::stir();
            while let Some(cut) = self.lines.cut() {
                self.report(event(cut), &stopping).await;
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

    async fn read(&mut self, over: &mut watch::Receiver<Option<ExitReason>>) -> io::Result<usize> {
        let gone = async { drop(over.wait_for(Option::is_some).await) };
        read(&mut self.pipe, &mut self.lines, gone).await
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

/// The next piece; nothing, or an error, when there will be no more.
pub(super) async fn read(
    pipe: &mut pipe::Receiver,
    lines: &mut Lines,
    gone: impl Future<Output = ()>,
) -> io::Result<usize> {
    tokio::select! {
        biased;
        // Unlike try_read, this remembers that a short read has emptied the pipe: one system call less per message.
        read = pipe.read_buf(lines.room()) => return read,
        () = gone => {}
    }
    // A process that fled the family may hold the pipe open for ever: what is in it now is the rest. The pipe itself
    // is asked, as the reactor may not have heard yet of what the child wrote just before its end.
    let mut piece = [0; 4096];
    let read = nix::unistd::read(&*pipe, &mut piece)?;
    lines.room().extend_from_slice(&piece[..read]);
    Ok(read)
}

fn event(cut: Cut) -> FromChild {
    match cut {
        Cut::Line(line) => FromChild::Line(line),
        Cut::Oversized(line) => FromChild::Oversized(line),
    }
}
