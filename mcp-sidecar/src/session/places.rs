//! A place for each process: a session has one until its process, and all that this has started, is gone. So
//! `--max-sessions` bounds what runs, and not only what is talked to: a server that is slow to end keeps its place, and
//! whoever is to have it waits. Where servers are told their users, those that are asked which era they speak have one
//! too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use log::info;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Duration, timeout};

use super::registry::{Registry, Session};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};
use crate::mcp::version::Era;
use crate::metrics::Limit;

/// Nearly every server ends at the end of its input. A client that waits longer had better ask again.
const PATIENCE: Duration = Duration::from_secs(15);
/// Servers that one user may have asked at once, told other things each. Somebody with two clients has two.
const ASKED_PER_USER: usize = 2;

/// Given back when dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// Held by processes that are asked for somebody, until they are gone.
#[derive(Debug)]
pub(super) struct Asking {
    owner: Owner,
    answered: AtomicBool,
    place: OnceLock<Place>,
}

impl Asking {
    /// Its processes end: whoever comes for their place may wait for it, as for that of a session which ends.
    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }
}

/// What is being asked, and what was and is not gone.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<Vec<Weak<Asking>>>);

impl Asked {
    fn all(&self) -> Vec<Arc<Asking>> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|asking| asking.strong_count() > 0);
        asked.iter().filter_map(Weak::upgrade).collect()
    }

    fn add(&self, owner: Owner) -> Arc<Asking> {
        let asking = Arc::new(Asking { owner, answered: AtomicBool::new(false), place: OnceLock::new() });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&asking));
        asking
    }
}

impl Registry {
    /// Whether the session has a process, and not a seat at one.
    pub(super) fn needs_place(&self, session: &Session) -> bool {
        session.era() == Era::Modern || self.spawning.isolation.key(&session.owner, session.requested).is_none()
    }

    pub(super) fn free_place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// The next place that becomes free; who came first has the first.
    pub(super) async fn next_place(&self) -> Result<Place, Rejection> {
        tokio::select! {
            place = timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()) => match place {
                Ok(Ok(place)) => Ok(place),
                _ => {
                    self.metrics.limits.add(Limit::Sessions);
                    Err(Rejection::TooManySessions)
                }
            },
            () = self.drain.cancelled() => Err(Rejection::ShuttingDown),
        }
    }

    /// Whether there is one for a spare more than these. Spares hold none: whoever takes the place takes the spare.
    pub(super) fn has_place_beside(&self, spares: usize) -> bool {
        self.places.available_permits() > spares
    }

    pub(super) fn admit(&self, session: &Arc<Session>) -> Result<(), Rejection> {
        let mut sessions = self.lock();
        self.make_room(&mut sessions, &session.owner)?;
        sessions.insert(session.id.clone(), Arc::clone(session));
        Ok(())
    }

    /// Admits the asking of a server that is told this owner's values; its place is to be waited for. One that all
    /// have in common counts for nobody, and needs none: nobody can keep the others from its answer.
    pub(super) fn admit_asking(
        self: &Arc<Self>,
        owner: &Owner,
    ) -> Result<impl Future<Output = Result<Option<Arc<Asking>>, Rejection>> + use<>, Rejection> {
        let asking = if self.spawning.told.is_empty() { None } else { Some(self.room_to_ask(owner)?) };
        let registry = Arc::clone(self);
        Ok(async move {
            if let Some(asking) = &asking {
                // There is none before.
                let _ = asking.place.set(registry.next_place().await?);
            }
            Ok(asking)
        })
    }

    fn room_to_ask(&self, owner: &Owner) -> Result<Arc<Asking>, Rejection> {
        let mut sessions = self.lock();
        let own = self.asked.all().iter().filter(|asking| asking.owner.is_same_user(owner)).count();
        if owner.is_somebody() && own >= ASKED_PER_USER {
            self.metrics.limits.add(Limit::SessionsPerUser);
            return Err(Rejection::TooManySessions);
        }
        self.make_room(&mut sessions, owner)?;
        Ok(self.asked.add(owner.clone()))
    }

    /// If there is none: the owner's own oldest idle session goes first.
    fn make_room(&self, sessions: &mut Sessions, owner: &Owner) -> Result<(), Rejection> {
        let mut asked = self.asked.all();
        asked.retain(|asking| !asking.answered.load(Ordering::Relaxed));
        if owner.is_somebody() {
            let owners =
                sessions.values().map(|session| &session.owner).chain(asked.iter().map(|asking| &asking.owner));
            if owners.filter(|other| other.is_same_user(owner)).count() >= self.limits.sessions_per_user {
                self.metrics.limits.add(Limit::SessionsPerUser);
                evict(sessions, |other| other.owner.is_same_user(owner))?;
            }
        }
        if sessions.len() + asked.len() >= self.limits.sessions {
            self.metrics.limits.add(Limit::Sessions);
            evict(sessions, |_| true)?;
        }
        Ok(())
    }
}

type Sessions = HashMap<SessionId, Arc<Session>>;

fn evict(sessions: &mut Sessions, among: impl Fn(&Session) -> bool) -> Result<(), Rejection> {
    let idle = sessions.values().filter(|session| among(session) && !session.busy.load(Ordering::Acquire));
    let oldest = idle.min_by_key(|session| session.last_used()).map(|session| session.id.clone());
    let gone = oldest.and_then(|id| sessions.remove(&id)).ok_or(Rejection::TooManySessions)?;
    info!(session = gone.number; "idle session made room for a new one");
    gone.stop.cancel();
    Ok(())
}

pub(super) fn places(sessions: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(sessions.min(Semaphore::MAX_PERMITS)))
}
