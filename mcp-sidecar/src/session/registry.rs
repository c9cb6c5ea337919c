//! All sessions: who owns which, and how they start and end. How many there may be: [`super::places`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::{error, info};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ToActor;
use super::actor::Actor;
use super::crashes::Crashes;
use super::entrance::Slot;
pub(crate) use super::entry::{Held, Session, Transport};
use super::era::{EraProbe, Patience};
use super::places::{self, Asked, Place};
use super::restart::Spawned;
use super::warm::{self, Warm};
use crate::child;
use crate::config::{Common, EraSetting, Limits, Spawning};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};
use crate::mcp::version::{Era, ProtocolVersion};
use crate::metrics::{ChildStart, Metrics};

#[derive(Debug)]
pub(crate) struct Registry {
    sessions: Mutex<HashMap<SessionId, Arc<Session>>>,
    /// Of the sessions above, those that modern requests of an owner share.
    pub(super) pool: Mutex<HashMap<Owner, Arc<Session>>>,
    pub(super) crashes: Crashes,
    pub(super) era: EraProbe,
    /// Children that sessions share, by what their sessions have in common.
    pub(super) hubs: Mutex<HashMap<Common, Slot>>,
    pub(super) places: Arc<Semaphore>,
    pub(super) asked: Asked,
    pub(super) spawning: Spawning,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    pub(super) warm: Arc<Warm>,
    /// Outlives the HTTP server's workers, as children must.
    pub(super) supervisor: Handle,
    pub(super) actors: TaskTracker,
    pub(super) opened: AtomicU64,
    pub(super) drain: CancellationToken,
    pub(super) stop: CancellationToken,
}

impl Registry {
    pub(crate) fn new(
        spawning: Spawning,
        era: EraSetting,
        limits: Limits,
        supervisor: Handle,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let registry = Arc::new(Self {
            sessions: Mutex::default(),
            pool: Mutex::default(),
            crashes: Crashes::default(),
            hubs: Mutex::default(),
            era: EraProbe::new(spawning.clone(), era, Patience::USUAL, supervisor.clone(), limits.sessions),
            places: places::places(limits.sessions),
            asked: Asked::default(),
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

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, if it is this owner's and of that transport. That it exists for another is told to nobody.
    pub(crate) fn find(&self, id: &SessionId, owner: &Owner, transport: Transport) -> Option<Arc<Session>> {
        let sessions = self.lock();
        let found = sessions.get(id).filter(|session| session.transport == Some(transport));
        found.filter(|session| session.owner == *owner).cloned()
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        let sessions = self.lock();
        sessions.values().filter(|session| session.era() == Era::Legacy).map(|session| session.held()).collect()
    }

    /// How many sessions are no more, those among them that never were.
    pub(crate) fn ended(&self) -> u64 {
        let open = self.lock().len() as u64;
        self.opened.load(Ordering::Relaxed).saturating_sub(open)
    }

    /// Ends a session; its child is stopped meanwhile.
    pub(crate) fn close(&self, session: &Session) {
        self.lock().remove(&session.id);
        session.stop.cancel();
    }

    /// A new session with a child of its own, whose first message this is.
    pub(crate) async fn open(self: &Arc<Self>, owner: Owner, first: ToActor) -> Result<Arc<Session>, Rejection> {
        let (transport, requested) = match &first {
            ToActor::Call { incoming, .. } => (Transport::StreamableHttp, ProtocolVersion::requested(incoming)),
            _ => (Transport::HttpWithSse, None),
        };
        let (session, messages) = self.describe(owner, Some(transport), requested)?;
        session.inbox.try_send(first).map_err(|_| Rejection::ChildNotStarted)?;
        self.admit(&session)?;
        self.start(&session, messages).await?;
        Ok(session)
    }

    /// Starts the child of a session that was admitted.
    pub(super) async fn start(
        self: &Arc<Self>,
        session: &Arc<Session>,
        messages: mpsc::Receiver<ToActor>,
    ) -> Result<(), Rejection> {
        if !self.needs_place(session) {
            return self.fork_for(session, None, messages).await;
        }
        if let Some(place) = self.free_place() {
            return self.fork_for(session, Some(place), messages).await;
        }
        let (registry, session) = (Arc::clone(self), Arc::clone(session));
        // Whoever asked may leave meanwhile, so what follows is not left to them.
        let started = self.supervisor.spawn(async move {
            let place = registry.next_place().await.inspect_err(|_| session.forget())?;
            registry.fork_for(&session, Some(place), messages).await
        });
        started.await.unwrap_or(Err(Rejection::ShuttingDown))
    }

    async fn fork_for(
        self: &Arc<Self>,
        session: &Arc<Session>,
        place: Option<Place>,
        messages: mpsc::Receiver<ToActor>,
    ) -> Result<(), Rejection> {
        let (registry, session) = (Arc::clone(self), Arc::clone(session));
        // Whoever asked may leave meanwhile, so what follows is not left to them.
        let started = self.supervisor.spawn(async move {
            registry.spawn(&session, place, messages).await.map_err(|cause| {
                error!(session = session.number, cause:%; "child could not be started");
                session.forget();
                Rejection::ChildNotStarted
            })
        });
        started.await.unwrap_or(Err(Rejection::ShuttingDown))
    }

    async fn spawn(
        self: &Arc<Self>,
        session: &Arc<Session>,
        place: Option<Place>,
        inbox: mpsc::Receiver<ToActor>,
    ) -> std::io::Result<()> {
        let (child, events) = self.spawn_child(session).await?;
        self.metrics.sessions_opened.add(session.era().into());
        info!(session = session.number, pid = child.id(); "session opened");
        let actor = Actor::new(child, Arc::clone(session), self.limits.session, inbox);
        let registry = Arc::downgrade(self);
        let life = async move {
            actor.run(events).await;
            drop(place);
            if let Some(registry) = registry.upgrade() {
                registry.warm.changed.notify_one();
            }
        };
        self.actors.spawn_on(life, &self.supervisor);
        Ok(())
    }

    /// A child of the session's own, or a seat at one.
    pub(super) async fn spawn_child(self: &Arc<Self>, session: &Session) -> std::io::Result<Spawned> {
        match self.spawning.isolation.key(&session.owner, session.requested) {
            Some(key) if session.era() == Era::Legacy => self.take_seat(&key, session).await,
            _ => self.spawn_process(&session.owner, session).await,
        }
    }

    /// A spare, or a new one.
    pub(super) async fn spawn_process(self: &Arc<Self>, owner: &Owner, session: &Session) -> std::io::Result<Spawned> {
        match self.warm.take() {
            Some(spare) => {
                spare.0.rename(session.number.to_string());
                Ok(spare)
            }
            None => self.fork_aside(owner.clone(), session.number.to_string()).await,
        }
    }

    /// A fork can take long on a machine under pressure; other work must not wait for it.
    async fn fork_aside(self: &Arc<Self>, owner: Owner, label: String) -> std::io::Result<Spawned> {
        let registry = Arc::clone(self);
        let spawned = self.supervisor.spawn_blocking(move || registry.fork(&owner, &label)).await;
        spawned.unwrap_or_else(|gone| Err(std::io::Error::other(gone)))
    }

    fn fork(&self, owner: &Owner, label: &str) -> std::io::Result<Spawned> {
        let Spawning { command, limits, .. } = self.spawning.for_owner(owner);
        let spawned = child::spawn(&command, &limits, label, &self.supervisor);
        self.metrics.child_starts.add(if spawned.is_ok() { ChildStart::Started } else { ChildStart::Failed });
        spawned
    }

    pub(super) async fn spawn_spare(self: &Arc<Self>) -> std::io::Result<Spawned> {
        self.fork_aside(Owner::nobody(), "spare".to_owned()).await
    }

    pub(super) fn has_room_for_spare(&self) -> bool {
        let spares = self.warm.len();
        spares < self.limits.warm && self.lock().len() + spares < self.limits.sessions && self.has_place_beside(spares)
    }

    /// Takes no new work, lets calls in flight finish for that long, then ends everything.
    pub(crate) async fn shut_down(&self, patience: Duration) {
        self.drain.cancel();
        self.era.stop();
        self.actors.close();
        if timeout(patience, self.actors.wait()).await.is_err() {
            self.stop.cancel();
            self.actors.wait().await;
        }
    }
}
