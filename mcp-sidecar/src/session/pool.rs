//! Children that modern requests share. There is no session to key them by, so each owner has one (all who are nobody
//! share one; with `--isolation shared` all do); it counts as a session of its owner, ends like one when idle, and the next request starts another.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::time::sleep_until;

use super::era::{Found, NotFound};
use super::registry::{Registry, Session};
use crate::mcp::rejection::{Rejection, UnsupportedProtocolVersion};
use crate::mcp::session_id::Owner;
use crate::mcp::version::Era;

impl Registry {
    /// The owner's child; started if there is none, after a pause if the last one crashed.
    ///
    /// # Errors
    /// [`Rejection::UnsupportedProtocolVersion`] naming what the server speaks if it cannot be asked without a session.
    pub(crate) async fn child_of(self: &Arc<Self>, owner: &Owner, requested: &str) -> Result<Arc<Session>, Rejection> {
        if let Some(child) = self.running_child_of(owner) {
            return Ok(child);
        }
        let found = self.found(owner).await?;
        if found.era != Era::Modern {
            return Err(UnsupportedProtocolVersion::new(requested, &found.spoken()).into());
        }
        let owner = &*self.spawning.isolation.pool_key(owner);
        if let Some((due, first)) = self.crashes.turn(owner) {
            self.metrics.child_restarts.inc_by(first.into());
            sleep_until(due).await;
        }
        let (child, messages) = {
            let mut pool = self.pool();
            if let Some(child) = pool.get(owner).filter(|child| child.is_alive()) {
                return Ok(Arc::clone(child));
            }
            let (child, messages) = self.describe(owner.clone(), None, None)?;
            self.admit(&child)?;
            pool.insert(owner.clone(), Arc::clone(&child));
            (child, messages)
        };
        self.start(&child, messages).await?;
        Ok(child)
    }

    /// The owner's child, if it has one.
    pub(crate) fn running_child_of(&self, owner: &Owner) -> Option<Arc<Session>> {
        let owner = self.spawning.isolation.pool_key(owner);
        self.pool().get(&*owner).filter(|child| child.is_alive()).cloned()
    }

    /// The refusal of a revision that we do not speak.
    pub(crate) async fn unsupported(self: &Arc<Self>, owner: &Owner, requested: &str) -> Option<Rejection> {
        let found = self.found(owner).await.ok()?;
        Some(UnsupportedProtocolVersion::new(requested, &found.spoken()).into())
    }

    async fn found(self: &Arc<Self>, owner: &Owner) -> Result<Arc<Found>, NotFound> {
        self.era.found(owner, || self.admit_asking(owner)).await
    }

    pub(super) fn forget_child(&self, session: &Session) {
        let mut pool = self.pool();
        if pool.get(&session.owner).is_some_and(|child| child.number == session.number) {
            pool.remove(&session.owner);
        }
    }

    fn pool(&self) -> MutexGuard<'_, HashMap<Owner, Arc<Session>>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_alive(&self) -> bool {
        !self.inbox.is_closed() && !self.stop.is_cancelled()
    }
}
