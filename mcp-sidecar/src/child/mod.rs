//! One wrapped stdio server: a process tree with a line in, a line out, and an end that leaves nothing behind.
//!
//! What a child *means* (sessions, ids, restarts) is decided elsewhere; here it is processes, pipes and signals only.
//! `spawn` starts the program as leader of its own session, four tasks of the supervisor's runtime look after it:
//! `stdin` and `stdout` carry lines, `stderr` goes to the log, and `stop` sees to the end of the whole family.
//! The supervisor must outlive the HTTP server's workers, or a graceful stop would drop these tasks half-way.
//!
//! Left out on purpose: `PR_SET_PDEATHSIG`. It fires when the spawning *thread* ends and grandchildren do not
//! inherit it; `watchdog` covers the killed sidecar instead.

pub mod descriptors;
mod family;
mod label;
mod orphans;
pub mod private;
mod processes;
pub mod reap;
pub(crate) mod seat;
mod spawn;
mod stderr;
mod stdin;
mod stdout;
mod stop;
pub mod watchdog;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use nix::sys::signal::Signal;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::mcp::lines::TooLong;
use family::Family;
use label::Label;

/// What to start. No shell is involved.
#[derive(Clone, Debug)]
pub struct Command {
    /// Looked up in `PATH` unless it contains a slash.
    pub program: OsString,
    pub args: Vec<OsString>,
    /// Set on top of the inherited environment.
    pub env: Vec<(OsString, OsString)>,
}

/// Bounds on what one child may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest accepted line of stdout in bytes, without its newline; longer ones are skipped and reported.
    pub max_line: usize,
    /// Lines that may wait for the child to read them; after that [`Child::send`] waits.
    pub stdin_queue: usize,
    /// Events that may wait for the session to take them; after that the child's stdout is not read.
    pub stdout_queue: usize,
    /// How long a child may take after end of input, and again after SIGTERM.
    pub stop_grace: Duration,
}

/// What a child says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromChild {
    /// One line of stdout as it was written: no newline, perhaps not even UTF-8.
    Line(Bytes),
    /// A line was longer than [`Limits::max_line`] and was skipped.
    Oversized(TooLong),
    /// Always the last event, exactly once: the process and everything it started are gone.
    Exited(ExitReason),
}

/// Why a child is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// It ended by itself or after being asked to, with this status.
    Code(i32),
    /// A signal ended it: ours, somebody's, or a crash.
    Signal(i32),
    /// It closed its stdout and lived on; it could answer nobody any more and was stopped.
    StdoutClosed,
    /// It closed its stdin and lived on; it could be asked nothing any more and was stopped.
    StdinClosed,
    /// Somebody else collected its exit status.
    Unknown,
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exited with status {code}"),
            Self::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
            Self::StdoutClosed => f.write_str("closed its stdout"),
            Self::StdinClosed => f.write_str("closed its stdin"),
            Self::Unknown => f.write_str("ended for an unknown reason"),
        }
    }
}

/// The child no longer reads: it is gone, or going, as one is that has closed its stdin. Its exit is told as an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the child no longer reads its stdin")]
pub struct Gone;

/// A running child. Dropping it ends the child and all it started, as [`Child::stop`] does, but without waiting.
#[derive(Debug)]
pub struct Child {
    id: u32,
    stdin: mpsc::Sender<Bytes>,
    ended: watch::Receiver<Option<ExitReason>>,
    stopping: CancellationToken,
    _stop: DropGuard,
    /// Absent at a [`seat`].
    pulse: Option<Pulse>,
}

/// Tells whether a child can be given work.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    family: Weak<Family>,
    stopping: CancellationToken,
    label: Label,
}

impl Pulse {
    /// Its process lives, as the kernel says, and nobody has told it to end. One that cannot serve may still take a
    /// while until [`Child::has_ended`], as those that it started do.
    pub(crate) fn can_serve(&self) -> bool {
        let leads = |family: Arc<Family>| family.leader_end().is_none();
        !self.stopping.is_cancelled() && self.family.upgrade().is_some_and(leads)
    }
}

impl Child {
    /// Queues one line; the newline is added here. Waits while the queue is full. Cancel safe: a line is queued
    /// whole or not at all.
    ///
    /// # Errors
    /// [`Gone`] when the child no longer reads.
    pub async fn send(&self, line: Bytes) -> Result<(), Gone> {
        self.stdin.send(line).await.map_err(|_| Gone)
    }

    /// Ends the child: end of input, grace, SIGTERM to the group, grace, SIGKILL. Nothing of it is left afterwards.
    /// Lines queued before are still written. Needs nobody to take events meanwhile.
    pub async fn stop(self) -> ExitReason {
        self.begin_stop();
        let Self { mut ended, stdin, .. } = self;
        drop(stdin);
        let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
        reason.unwrap_or(ExitReason::Unknown)
    }

    /// The same without waiting: the end is told as the last event.
    pub fn begin_stop(&self) {
        self.stopping.cancel();
    }

    /// Whether nothing of it is left.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Waits for its end, whoever brings it about; its events stay where they are.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        async move { drop(ended.wait_for(Option::is_some).await) }
    }

    /// What it is called in the log from now on.
    pub(crate) fn rename(&self, name: String) {
        if let Some(pulse) = &self.pulse {
            pulse.label.rename(&name);
        }
    }

    /// Whether it is a process, and not a [`seat`] at one.
    pub(crate) fn is_process(&self) -> bool {
        self.pulse.is_some()
    }

    /// Of a process.
    pub(crate) fn pulse(&self) -> Option<&Pulse> {
        self.pulse.as_ref()
    }

    /// The process id, which is also that of its group and session.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }
}

/// Starts `cmd` and the tasks that look after it, on `supervisor`.
/// `label` names the child in the log (a session's number, never a secret), until it is renamed.
///
/// # Errors
/// What the system says: the program is missing or not executable, no process or descriptor is left.
pub fn spawn(
    cmd: &Command,
    limits: &Limits,
    label: &str,
    supervisor: &Handle,
) -> io::Result<(Child, mpsc::Receiver<FromChild>)> {
    let _reactor = supervisor.enter();
    let exits = stop::Exits::watch()?;
    let spawn::Spawned { family, stdin, stdout, stderr } = spawn::spawn(cmd)?;
    let family = Arc::new(family);
    let label = Label::new(label);
    let (to_child, lines) = mpsc::channel(limits.stdin_queue.max(1));
    let (events, from_child) = mpsc::channel(limits.stdout_queue.max(1));
    let (end, ended) = watch::channel(None);
    let stopping = CancellationToken::new();
    let [eof, deaf, gone] = std::array::from_fn(|_| CancellationToken::new());
    let _stop = stopping.clone().drop_guard();
    let child = Child {
        id: family.id(),
        stdin: to_child,
        ended: ended.clone(),
        stopping: stopping.clone(),
        _stop,
        pulse: Some(Pulse { family: Arc::downgrade(&family), stopping: stopping.clone(), label: label.clone() }),
    };

    let writer = supervisor.spawn(stdin::write(stdin, lines, stopping.clone(), deaf.clone()));
    let reader = stdout::Reader::new(stdout, limits.max_line, events, ended);
    supervisor.spawn(reader.run(stopping.clone(), eof.clone()));
    let drain = supervisor.spawn(stderr::drain(stderr, label.clone(), gone.clone()));
    let pipes = [writer, drain];
    let end_of = stop::End { family, label, grace: limits.stop_grace, stopping, eof, deaf, gone, pipes, exits };
    supervisor.spawn(end_of.run(end));
    Ok((child, from_child))
}
