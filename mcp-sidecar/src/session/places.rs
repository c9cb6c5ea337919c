//! A place for each process: a session has one until its process, and all that this has started, is gone. So
//! `--max-sessions` bounds what runs, and not only what is talked to: a server that is slow to end keeps its place, and
//! whoever is to have it waits.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Duration, timeout};

use super::registry::{Registry, Session};
use crate::mcp::rejection::Rejection;
use crate::mcp::version::Era;
use crate::metrics::Limit;

/// Nearly every server ends at the end of its input. A client that waits longer had better ask again.
const PATIENCE: Duration = Duration::from_secs(15);

/// Given back when dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Registry {
    /// Whether the session has a process, and not a seat at one.
    pub(super) fn needs_place(&self, session: &Session) -> bool {
        session.era == Era::Modern || self.spawning.isolation.key(&session.owner, session.requested).is_none()
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
}

pub(super) fn places(sessions: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(sessions.min(Semaphore::MAX_PERMITS)))
}
