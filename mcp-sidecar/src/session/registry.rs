//! All sessions: who owns which, how many there may be, and which one goes when there is no room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use log::{error, info};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ToActor;
use super::actor::Actor;
use super::restart::Spawned;
use super::warm::{self, Warm};
use crate::child;
use crate::config::{Limits, Spawning};
use crate::mcp::dispatch::Phase;
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};
use crate::mcp::version::ProtocolVersion;
use crate::metrics::{ChildStart, Limit, Metrics, SessionKind};

/// Messages that wait for a session's actor; after that their senders wait.
const INBOX: usize = 256;

/// What everybody may know of a session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// Names the session in the log, where its id must not be.
    pub(crate) number: u64,
    pub(crate) inbox: mpsc::Sender<ToActor>,
    pub(super) stop: CancellationToken,
    pub(super) drain: CancellationToken,
    owner: Owner,
    registry: Weak<Registry>,
    started: Instant,
    /// Milliseconds after `started`.
    used: AtomicU64,
    busy: AtomicBool,
    version: OnceLock<Option<ProtocolVersion>>,
    pub(super) metrics: Arc<Metrics>,
}

impl Session {
    pub(crate) fn phase(&self) -> Phase {
        Phase { version: self.version.get().copied().flatten() }
    }

    pub(super) fn set_version(&self, version: Option<ProtocolVersion>) {
        // A second answer to `initialize` cannot come: its id is spent.
        let _ = self.version.set(version);
    }

    pub(super) fn is_opened(&self) -> bool {
        self.version.get().is_some()
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

    pub(super) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// Another child in the place of one that is gone.
    pub(super) fn respawn(self: &Arc<Self>) -> JoinHandle<std::io::Result<Spawned>> {
        let session = Arc::clone(self);
        let spawn = move || match session.registry.upgrade() {
            Some(registry) => registry.spawn_child(&session),
            None => Err(std::io::Error::other("the sidecar is gone")),
        };
        self.registry
            .upgrade()
            .map_or_else(|| Handle::current(), |registry| registry.supervisor.clone())
            .spawn_blocking(spawn)
    }

    pub(super) fn forget(&self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.lock().remove(&self.id);
            registry.warm.changed.notify_one();
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

#[derive(Debug)]
pub(crate) struct Registry {
    sessions: Mutex<HashMap<SessionId, Arc<Session>>>,
    spawning: Spawning,
    limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    warm: Arc<Warm>,
    /// Outlives the HTTP server's workers, as children must.
    supervisor: Handle,
    actors: TaskTracker,
    opened: AtomicU64,
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Registry {
    pub(crate) fn new(spawning: Spawning, limits: Limits, supervisor: Handle, metrics: Arc<Metrics>) -> Arc<Self> {
        let registry = Arc::new(Self {
            sessions: Mutex::default(),
            spawning,
            limits,
            metrics,
            warm: Arc::default(),
            supervisor,
            actors: TaskTracker::new(),
            opened: AtomicU64::new(0),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        });
        if limits.warm > 0 {
            let (warm, stop) = (Arc::clone(&registry.warm), registry.drain.clone());
            registry.actors.spawn_on(warm::keep(Arc::downgrade(&registry), warm, stop), &registry.supervisor);
        }
        registry
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, if it is this owner's. That it exists for another is told to nobody.
    pub(crate) fn find(&self, id: &SessionId, owner: &Owner) -> Option<Arc<Session>> {
        self.lock().get(id).filter(|session| session.owner == *owner).cloned()
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        self.lock().values().map(|session| session.held()).collect()
    }

    /// Ends a session; its child is stopped meanwhile.
    pub(crate) fn close(&self, session: &Session) {
        self.lock().remove(&session.id);
        session.stop.cancel();
    }

    /// A new session with a child of its own, whose first message this is.
    pub(crate) async fn open(self: &Arc<Self>, owner: Owner, first: ToActor) -> Result<Arc<Session>, Rejection> {
        if self.drain.is_cancelled() {
            return Err(Rejection::ShuttingDown);
        }
        let (inbox, messages) = mpsc::channel(INBOX);
        inbox.try_send(first).map_err(|_| Rejection::ChildNotStarted)?;
        let session = Arc::new(self.describe(owner, inbox)?);
        self.admit(&session)?;
        let (registry, started) = (Arc::clone(self), Arc::clone(&session));
        // A fork can take long on a machine under pressure; other requests must not wait for it.
        let spawned = self.supervisor.spawn_blocking(move || registry.start(&started, messages)).await;
        match spawned {
            Ok(Ok(())) => Ok(session),
            Ok(Err(cause)) => {
                error!(session = session.number, cause:%; "child could not be started");
                session.forget();
                Err(Rejection::ChildNotStarted)
            }
            Err(_) => {
                session.forget();
                Err(Rejection::ShuttingDown)
            }
        }
    }

    fn describe(self: &Arc<Self>, owner: Owner, inbox: mpsc::Sender<ToActor>) -> Result<Session, Rejection> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).map_err(|_| Rejection::ChildNotStarted)?;
        Ok(Session {
            id: SessionId::from_random(random),
            number: self.opened.fetch_add(1, Ordering::Relaxed) + 1,
            inbox,
            stop: self.stop.child_token(),
            drain: self.drain.child_token(),
            owner,
            registry: Arc::downgrade(self),
            started: Instant::now(),
            used: AtomicU64::new(0),
            busy: AtomicBool::new(true),
            version: OnceLock::new(),
            metrics: Arc::clone(&self.metrics),
        })
    }

    fn start(&self, session: &Arc<Session>, inbox: mpsc::Receiver<ToActor>) -> std::io::Result<()> {
        let (child, events) = self.spawn_child(session)?;
        self.metrics.sessions_opened.add(SessionKind::Legacy);
        info!(session = session.number, pid = child.id(); "session opened");
        let actor = Actor::new(child, Arc::clone(session), self.limits.session, inbox);
        self.actors.spawn_on(actor.run(events), &self.supervisor);
        Ok(())
    }

    /// A spare, or a new one. Forks: not for an async worker.
    fn spawn_child(&self, session: &Session) -> std::io::Result<Spawned> {
        match self.warm.take() {
            Some(spare) => Ok(spare),
            None => self.fork(&session.owner, &session.number.to_string()),
        }
    }

    fn fork(&self, owner: &Owner, label: &str) -> std::io::Result<Spawned> {
        let Spawning { command, limits, .. } = self.spawning.for_owner(owner);
        let spawned = child::spawn(&command, &limits, label, &self.supervisor);
        self.metrics.child_starts.add(if spawned.is_ok() { ChildStart::Started } else { ChildStart::Failed });
        spawned
    }

    pub(super) async fn spawn_spare(self: &Arc<Self>) -> std::io::Result<Spawned> {
        let registry = Arc::clone(self);
        let spawned = self.supervisor.spawn_blocking(move || registry.fork(&Owner::nobody(), "spare")).await;
        spawned.unwrap_or_else(|gone| Err(std::io::Error::other(gone)))
    }

    pub(super) fn has_room_for_spare(&self) -> bool {
        let spares = self.warm.len();
        spares < self.limits.warm && self.lock().len() + spares < self.limits.sessions
    }

    /// Makes room if there is none: the owner's own oldest idle session goes first.
    fn admit(&self, session: &Arc<Session>) -> Result<(), Rejection> {
        let mut sessions = self.lock();
        if session.owner.is_somebody() {
            let own = sessions.values().filter(|other| other.owner.is_same_user(&session.owner)).count();
            if own >= self.limits.sessions_per_user {
                self.metrics.limits.add(Limit::SessionsPerUser);
                evict(&mut sessions, |other| other.owner.is_same_user(&session.owner))?;
            }
        }
        if sessions.len() >= self.limits.sessions {
            self.metrics.limits.add(Limit::Sessions);
            evict(&mut sessions, |_| true)?;
        }
        sessions.insert(session.id.clone(), Arc::clone(session));
        Ok(())
    }

    /// Takes no new work, lets calls in flight finish for that long, then ends everything.
    pub(crate) async fn shut_down(&self, patience: Duration) {
        self.drain.cancel();
        self.actors.close();
        if timeout(patience, self.actors.wait()).await.is_err() {
            self.stop.cancel();
            self.actors.wait().await;
        }
    }
}

fn evict(sessions: &mut HashMap<SessionId, Arc<Session>>, among: impl Fn(&Session) -> bool) -> Result<(), Rejection> {
    let idle = sessions.values().filter(|session| among(session) && !session.busy.load(Ordering::Relaxed));
    let oldest = idle.min_by_key(|session| session.last_used()).map(|session| session.id.clone());
    let gone = oldest.and_then(|id| sessions.remove(&id)).ok_or(Rejection::TooManySessions)?;
    info!(session = gone.number; "idle session made room for a new one");
    gone.stop.cancel();
    Ok(())
}
