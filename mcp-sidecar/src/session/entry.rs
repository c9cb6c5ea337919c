//! One session as everybody may know it: how to speak to its actor, whose it is, and how long it has not been used.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ToActor;
use super::backlog::Backlog;
use super::registry::Registry;
use super::restart::Spawned;
use super::tools::Tools;
use crate::mcp::dispatch::Phase;
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};
use crate::mcp::version::{Era, ProtocolVersion};
use crate::metrics::{Limit, Metrics};

/// Messages that wait for a session's actor; after that their senders wait.
const INBOX: usize = 256;

/// Where a session is spoken to. What one transport has opened the other knows nothing of: at `/mcp` an answer would not
/// come where it was asked, and a GET would take the stream with which a session of `/sse` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    StreamableHttp,
    HttpWithSse,
}

/// What everybody may know of a session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// Names the session in the log, where its id must not be.
    pub(crate) number: u64,
    pub(crate) inbox: mpsc::Sender<ToActor>,
    /// What its child has not read.
    pub(crate) backlog: Arc<Backlog>,
    pub(super) stop: CancellationToken,
    pub(super) drain: CancellationToken,
    /// None in the modern era: there is no session to be spoken to.
    pub(super) transport: Option<Transport>,
    pub(super) owner: Owner,
    pub(super) registry: Weak<Registry>,
    pub(super) started: Instant,
    /// Milliseconds after `started`.
    pub(super) used: AtomicU64,
    pub(super) busy: AtomicBool,
    /// The revision that its client asked for.
    pub(super) requested: Option<ProtocolVersion>,
    pub(super) version: OnceLock<Option<ProtocolVersion>>,
    /// Its events are numbered from the next one on: at random, so that an event of another session is none of this.
    pub(super) before: u64,
    pub(super) tools: Tools,
    pub(super) metrics: Arc<Metrics>,
}

impl Registry {
    /// A session that is not there yet.
    pub(super) fn describe(
        self: &Arc<Self>,
        owner: Owner,
        transport: Option<Transport>,
        requested: Option<ProtocolVersion>,
    ) -> Result<(Arc<Session>, mpsc::Receiver<ToActor>), Rejection> {
        if self.drain.is_cancelled() {
            return Err(Rejection::ShuttingDown);
        }
        let (inbox, messages) = mpsc::channel(INBOX);
        let session = Session {
            id: SessionId::from_random(random()?),
            number: self.opened.fetch_add(1, Ordering::Relaxed) + 1,
            inbox,
            backlog: Backlog::new(self.limits.session.unread_bytes, self.metrics.limits.of(Limit::ChildBytes)),
            stop: self.stop.child_token(),
            drain: self.drain.child_token(),
            transport,
            owner,
            registry: Arc::downgrade(self),
            started: Instant::now(),
            used: AtomicU64::new(0),
            busy: AtomicBool::new(true),
            requested,
            version: OnceLock::new(),
            before: u32::from_le_bytes(random()?).into(),
            tools: Tools::new(self.limits.session.call_timeout),
            metrics: Arc::clone(&self.metrics),
        };
        Ok((Arc::new(session), messages))
    }
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], Rejection> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).map_err(|_| Rejection::ChildNotStarted)?;
    Ok(random)
}

impl Session {
    pub(super) fn era(&self) -> Era {
        if self.transport.is_some() { Era::Legacy } else { Era::Modern }
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase { version: self.version.get().copied().flatten() }
    }

    pub(super) fn set_version(&self, version: Option<ProtocolVersion>) {
        // A second answer to `initialize` cannot come: its id is spent.
        let _ = self.version.set(version);
    }

    pub(super) fn is_opened(&self) -> bool {
        self.era() == Era::Modern || self.version.get().is_some()
    }

    pub(super) fn touch(&self, now: Instant) {
        let elapsed = u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX);
        self.used.store(elapsed, Ordering::Relaxed);
    }

    pub(super) fn last_used(&self) -> Instant {
        self.started + Duration::from_millis(self.used.load(Ordering::Relaxed))
    }

    pub(crate) fn held(&self) -> Held {
        let (id, owner) = (self.id.clone(), self.owner.clone());
        Held { id, owner, opened: self.started, last_used: self.last_used() }
    }

    /// A session that is in use, or was until now, has not been idle before. Its actor alone says so.
    pub(super) fn set_busy(&self, busy: bool, now: Instant) {
        let was_busy = self.busy.load(Ordering::Relaxed);
        if was_busy || busy {
            self.touch(now);
        }
        if was_busy != busy {
            // Who sees that it is idle sees since when.
            self.busy.store(busy, Ordering::Release);
        }
    }

    /// Another child in the place of one that is gone. To be called on the supervisor, where actors are.
    pub(super) fn respawn(self: &Arc<Self>) -> JoinHandle<std::io::Result<Spawned>> {
        let session = Arc::clone(self);
        Handle::current().spawn(async move {
            match session.registry.upgrade() {
                Some(registry) => registry.spawn_child(&session).await,
                None => Err(std::io::Error::other("the sidecar is gone")),
            }
        })
    }

    /// The child has ended by itself; the next one of its owner waits for its turn.
    pub(super) fn crashed(&self, now: Instant) {
        if let Some(registry) = self.registry.upgrade() {
            registry.crashes.add(&self.owner, now - self.started, now);
        }
    }

    /// Requests that stand alone are for another child from now on.
    pub(super) fn leave_pool(&self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.forget_child(self);
        }
    }

    pub(super) fn forget(&self) {
        self.tools.end();
        if let Some(registry) = self.registry.upgrade() {
            registry.lock().remove(&self.id);
            registry.warm.changed.notify_one();
            registry.forget_child(self);
        }
    }
}

/// What other replicas are told of a session.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: SessionId,
    pub(crate) owner: Owner,
    pub(crate) opened: Instant,
    pub(crate) last_used: Instant,
}
