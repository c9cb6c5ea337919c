//! The one task that tells Redis what this replica has: its sign of life, and a record per session. New sessions are
//! told at once by whoever opens them ([`super::Cluster::opened`]); this task refreshes them in batches, removes what
//! has ended, and says everything again after Redis was away or lost its data.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::advertise::Advertised;
use super::record::{SessionRecord, SignOfLife};
use super::store::{Beat, StoreAway};
use super::trust::Change;
use super::{Member, clock};
use crate::mcp::session_id::SessionId;
use crate::session::registry::{Held, Registry, Session};

/// Between two signs of life: a loss of data is noticed and made good within.
const BEAT: Duration = Duration::from_secs(1);
/// A record is written anew after this long, with what was last seen; a third of its life.
const REFRESH: Duration = Duration::from_secs(20);
/// Between two attempts to register a session whose client waits for its id.
const AGAIN: Duration = Duration::from_millis(100);
/// However often Redis comes and goes, that client waits no longer. More than one outage takes to be noticed.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// Records in one pipeline.
const BATCH: usize = 500;

#[derive(Debug)]
pub(super) struct Announcer {
    pub(super) member: Arc<Member>,
    pub(super) registry: Arc<Registry>,
    pub(super) advertised: Advertised,
    /// When each record was last written.
    pub(super) written: HashMap<SessionId, Instant>,
}

impl Announcer {
    /// Until told to leave; then this replica's keys are gone.
    pub(super) async fn run(mut self, leave: CancellationToken) {
        let mut sign = None;
        loop {
            let beaten = leave.run_until_cancelled(self.beat(&mut sign)).await;
            if let Some(Err(cause)) = beaten {
                self.member.trouble(&cause);
            }
            if leave.run_until_cancelled(sleep(BEAT)).await.is_none() {
                return self.depart().await;
            }
        }
    }

    async fn beat(&mut self, sign: &mut Option<SignOfLife>) -> Result<(), StoreAway> {
        let sign = match sign {
            Some(sign) => sign,
            None => sign.insert(self.first_sign().await?),
        };
        let Beat { went_on } = self.member.store.beat(&self.member.id, sign).await?;
        if self.member.trust.answered(Instant::now()) == Change::CameBack || !went_on {
            info!(address:% = sign.address; "replica announced");
            self.written.clear();
        }
        self.tell(Instant::now()).await
    }

    async fn first_sign(&self) -> Result<SignOfLife, StoreAway> {
        let address = self.advertised.address().await.map_err(StoreAway::Unresolved)?;
        Ok(SignOfLife { address, service: self.member.service.clone() })
    }

    async fn tell(&mut self, now: Instant) -> Result<(), StoreAway> {
        let held = self.registry.held();
        let ended = ended(&self.written, &held);
        for batch in ended.chunks(BATCH) {
            self.member.store.remove(batch.iter()).await?;
            for id in batch {
                self.written.remove(id);
            }
        }
        let clock = clock::Moment::now();
        for batch in due(&self.written, held, now).chunks(BATCH) {
            let records = batch.iter().map(|held| (&held.id, self.member.record(held, clock)));
            self.member.store.put(records).await?;
            self.written.extend(batch.iter().map(|held| (held.id.clone(), now)));
        }
        Ok(())
    }

    /// So that the others answer 404 at once, and clients start anew elsewhere.
    async fn depart(self) {
        let left = async {
            let held = self.registry.held();
            self.member.store.leave(&self.member.id).await?;
            for batch in held.chunks(BATCH) {
                self.member.store.remove(batch.iter().map(|held| &held.id)).await?;
            }
            Ok::<_, StoreAway>(held.len())
        };
        match left.await {
            Ok(sessions) => debug!(sessions; "replica left"),
            // Its keys lapse by themselves, and connections to it are refused.
            Err(cause) => warn!(cause:%; "replica could not take back its keys"),
        }
    }
}

fn ended(written: &HashMap<SessionId, Instant>, held: &[Held]) -> Vec<SessionId> {
    let living: std::collections::HashSet<_> = held.iter().map(|held| &held.id).collect();
    written.keys().filter(|id| !living.contains(id)).cloned().collect()
}

/// What is new, and what was written long ago.
fn due(written: &HashMap<SessionId, Instant>, held: Vec<Held>, now: Instant) -> Vec<Held> {
    let is_due = |held: &Held| written.get(&held.id).is_none_or(|last| now >= *last + REFRESH);
    held.into_iter().filter(is_due).collect()
}

impl Member {
    /// Returns when the session is registered, or when that can wait until Redis is back: see
    /// [`super::Cluster::opened`].
    pub(super) async fn register(&self, session: &Session) {
        let deadline = Instant::now() + TOLD_WITHIN;
        while !self.is_registered(session).await {
            let now = Instant::now();
            let Some(until) = self.trust.unnoticed_until(now).filter(|_| now < deadline) else { return };
            sleep_until(until.min(now + AGAIN)).await;
        }
    }

    async fn is_registered(&self, session: &Session) -> bool {
        if self.trust.is_away() {
            return false;
        }
        let held = session.held();
        let record = self.record(&held, clock::Moment::now());
        let put = self.store.put([(&held.id, record)].into_iter()).await;
        put.inspect_err(|cause| self.trouble(cause)).is_ok()
    }

    pub(super) fn record(&self, held: &Held, clock: clock::Moment) -> SessionRecord {
        SessionRecord {
            replica: self.id.clone(),
            owner: held.owner.clone(),
            created: clock.seconds(held.opened),
            last_seen: clock.seconds(held.last_used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::session_id::Owner;

    fn session(number: u8, now: Instant) -> Held {
        let id = SessionId::from_random([number; 24]);
        Held { id, owner: Owner::nobody(), opened: now, last_used: now }
    }

    #[test]
    fn a_session_is_written_when_it_is_new_and_again_before_its_record_lapses() {
        let start = Instant::now();
        let (old, new) = (session(1, start), session(2, start));
        let written = HashMap::from([(old.id.clone(), start)]);
        let due_at = |now| due(&written, vec![old.clone(), new.clone()], now).into_iter().map(|held| held.id);
        assert!(due_at(start).eq([new.id.clone()]));
        assert!(due_at(start + REFRESH).eq([old.id.clone(), new.id.clone()]));
    }

    #[test]
    fn a_record_goes_when_its_session_has() {
        let start = Instant::now();
        let (gone, here) = (session(1, start), session(2, start));
        let written = HashMap::from([(gone.id.clone(), start), (here.id.clone(), start)]);
        assert_eq!(ended(&written, &[here]), [gone.id]);
    }
}
