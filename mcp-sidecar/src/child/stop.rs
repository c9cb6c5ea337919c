//! The end of a child: end of input, grace, SIGTERM to the family, grace, SIGKILL; whoever began it, nothing is left.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::ExitReason;
use super::family::{self, Family};
use super::label::{Label, labelled};
use super::orphans;
use super::processes::{Look, Process};

/// How long a child that closed its stdin or stdout may take to exit by itself before it is told to.
const AFTER_PIPE: Duration = Duration::from_millis(250);
/// For what it has written to stderr and we have not read.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// SIGKILL is obeyed at once but for processes stuck in the kernel.
pub(super) const AFTER_KILL: Duration = Duration::from_secs(10);
/// Nobody tells us of a grandchild's end, so we look; seldom enough not to be noticed.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// SIGCHLD, watched since before the fork so that no exit is missed.
#[derive(Debug)]
pub(super) struct Exits(unix::Signal);

impl Exits {
    pub(super) fn watch() -> io::Result<Self> {
        unix::signal(SignalKind::child()).map(Self)
    }

    async fn of(&mut self, family: &Family) -> ExitReason {
        loop {
            if let Some(reason) = family.leader_end() {
                return reason;
            }
            if self.0.recv().await.is_none() {
                sleep(LAST_LOOK).await;
            }
        }
    }
}

/// Everything needed to see a child off.
#[derive(Debug)]
pub(super) struct End {
    pub(super) family: Arc<Family>,
    pub(super) label: Label,
    pub(super) grace: Duration,
    /// Cancelled by the owner: the child is to end.
    pub(super) stopping: CancellationToken,
    /// Cancelled by the reader: the child has closed its stdout.
    pub(super) eof: CancellationToken,
    /// Cancelled by the writer: the child has closed its stdin.
    pub(super) deaf: CancellationToken,
    /// For the reader of stderr: nobody of the family is left.
    pub(super) gone: CancellationToken,
    /// The tasks on stdin and stderr, which end with the child.
    pub(super) pipes: [JoinHandle<()>; 2],
    pub(super) exits: Exits,
}

impl End {
    pub(super) async fn run(mut self, end: watch::Sender<Option<ExitReason>>) {
        let mut reason = self.begins().await;
        if reason.is_none() || reason == Some(ExitReason::StdoutClosed) {
            // The writer closes stdin when it has written what was queued.
            self.stopping.cancel();
            let by_itself = timeout(self.grace, self.exits.of(&self.family)).await.ok();
            reason = reason.or(by_itself);
        }
        self.disband().await;
        let reason = reason.or_else(|| self.family.leader_end()).unwrap_or(ExitReason::Unknown);
        self.close_pipes().await;
        self.family.bury();
        labelled!(info!(self.label), pid = self.family.id(); "child {reason}");
        end.send_replace(Some(reason));
    }

    /// Waits for whatever ends the child first; `None` is our own wish.
    async fn begins(&mut self) -> Option<ExitReason> {
        let closed = tokio::select! {
            reason = self.exits.of(&self.family) => return Some(reason),
            () = self.stopping.cancelled() => return None,
            () = self.eof.cancelled() => ExitReason::StdoutClosed,
            // Its end of input is behind it: SIGTERM is next.
            () = self.deaf.cancelled() => ExitReason::StdinClosed,
        };
        tokio::select! {
            // On a busy machine the signal may be late; who has ended is told by the kernel.
            exit = timeout(AFTER_PIPE, self.exits.of(&self.family)) =>
                Some(exit.ok().or_else(|| self.family.leader_end()).unwrap_or(closed)),
            () = self.stopping.cancelled() => None,
        }
    }

    /// Signals until nobody is left: those that outlived the leader too.
    async fn disband(&self) {
        self.family.ends();
        if self.is_gone_after(Signal::SIGTERM, self.grace).await {
            return;
        }
        let remaining = self.family.remaining(&*Look::shared().await);
        labelled!(warn!(self.label), pid = self.family.id(); "{remaining} ignored SIGTERM");
        if !self.is_gone_after(Signal::SIGKILL, AFTER_KILL).await {
            let look = Look::shared().await;
            let remaining = self.family.remaining(&look);
            labelled!(error!(self.label), pid = self.family.id(); "{remaining} outlived SIGKILL");
            orphans::give_up(&self.family.living(&look));
        }
    }

    async fn is_gone_after(&self, signal: Signal, patience: Duration) -> bool {
        is_gone_after(signal, patience, Some(self.family.id()), |look| self.family.remains(look)).await
    }

    /// What the child wrote to stderr last is worth a moment, and comes before its end in the log; a stranger who holds
    /// the pipe is not.
    async fn close_pipes(&mut self) {
        let [writer, drain] = &mut self.pipes;
        writer.abort();
        self.gone.cancel();
        timeout(LAST_WORDS, &mut *drain).await.ok();
        drain.abort();
    }
}

/// Whether nobody remains, in time. `leader` has not been collected.
pub(super) async fn is_gone_after(
    signal: Signal,
    patience: Duration,
    leader: Option<u32>,
    remains: impl Fn(&Look) -> Option<Vec<Process>>,
) -> bool {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_LOOK;
    let mut is_first = true;
    loop {
        let Some(living) = remains(&*Look::shared().await) else { return true };
        if Instant::now() >= deadline {
            return false;
        }
        // Once is enough to ask; what is killed may still have forked meanwhile.
        if is_first || signal == Signal::SIGKILL {
            family::send(signal, leader, &living);
            is_first = false;
        }
        sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
        pause = (pause * 2).min(LAST_LOOK);
    }
}
