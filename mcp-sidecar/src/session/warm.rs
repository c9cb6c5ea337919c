//! Spare children (`--warm N`), so that a new session need not wait for npx.
//!
//! A spare is started and not initialized: `initialize` carries the client's own version, capabilities and name, and a
//! first message of ours would pin the era of a server that speaks both. What takes long, fetching and loading, is
//! done all the same. They are started one after the other in the background, never above `--max-sessions` together
//! with the sessions; dead ones are replaced with the same pauses as crashed ones.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::future::{join_all, select_all};
use log::{info, warn};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use super::restart::{Backoff, LONGEST, Spawned};
use crate::child::Pulse;
use crate::metrics::InUse;

/// Between two spares, so that starting them leaves sessions their share of the machine.
const BREATH: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Spare {
    spawned: Spawned,
    since: Instant,
    _counted: InUse,
}

impl Spare {
    fn can_serve(&self) -> bool {
        self.spawned.0.pulse().is_some_and(Pulse::can_serve)
    }

    fn has_ended(&self) -> bool {
        self.spawned.0.has_ended()
    }
}

#[derive(Debug, Default)]
pub(super) struct Warm {
    spares: Mutex<VecDeque<Spare>>,
    /// One was taken, or there is room for another.
    pub(super) changed: Notify,
}

impl Warm {
    /// The oldest one that lives: it has had most time to load. One whose process has died is none, though what that
    /// had started may take a while to end.
    pub(super) fn take(&self) -> Option<Spawned> {
        let spare = {
            let mut spares = self.spares();
            let living = spares.iter().position(Spare::can_serve)?;
            spares.remove(living)?
        };
        self.changed.notify_one();
        Some(spare.spawned)
    }

    pub(super) fn len(&self) -> usize {
        self.spares().len()
    }

    /// Removes the dead and tells how long they lived.
    fn bury(&self) -> Vec<Duration> {
        let mut lives = Vec::new();
        self.spares().retain(|spare| {
            let ended = spare.has_ended();
            lives.extend(ended.then(|| spare.since.elapsed()));
            !ended
        });
        lives
    }

    /// Waits until one has ended.
    async fn one_ended(&self) {
        let ends: Vec<_> = self.spares().iter().map(|spare| Box::pin(spare.spawned.0.ended())).collect();
        if ends.is_empty() {
            return std::future::pending().await;
        }
        select_all(ends).await;
    }

    async fn stop_all(&self) {
        let spares = std::mem::take(&mut *self.spares());
        // The events go first: nobody takes what they still say.
        join_all(spares.into_iter().map(|Spare { spawned: (child, _), .. }| child.stop())).await;
    }

    fn spares(&self) -> MutexGuard<'_, VecDeque<Spare>> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the registry's spares until it stops; then they end.
pub(super) async fn keep(registry: Weak<Registry>, warm: Arc<Warm>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    let mut due = Instant::now();
    loop {
        for lived in warm.bury() {
            warn!("a spare child has ended before it was needed");
            due = Instant::now() + backoff.after(lived).unwrap_or(LONGEST);
        }
        let Some(wanted) = registry.upgrade().map(|registry| registry.has_room_for_spare()) else { break };
        tokio::select! {
            () = stop.cancelled() => break,
            () = warm.changed.notified() => {}
            () = warm.one_ended() => {}
            () = sleep_until(due), if wanted => {
                due = Instant::now() + match add(&registry, &warm).await {
                    Ok(()) => BREATH,
                    Err(cause) => {
                        warn!(cause:%; "a spare child could not be started");
                        backoff.after(Duration::ZERO).unwrap_or(LONGEST)
                    }
                };
            }
        }
    }
    warm.stop_all().await;
}

async fn add(registry: &Weak<Registry>, warm: &Warm) -> io::Result<()> {
    let Some(registry) = registry.upgrade() else { return Ok(()) };
    // Until it is one of those that are there, so that no session takes the last place meanwhile.
    let Some(_place) = registry.free_place() else { return Ok(()) };
    let spawned = registry.spawn_spare().await?;
    let pid = spawned.0.id();
    // Counted and told of once it can be taken.
    warm.spares().push_back(Spare { spawned, since: Instant::now(), _counted: registry.metrics.warm() });
    info!(pid; "spare child started");
    Ok(())
}
