//! Which replica has a session: remembered for a moment, else asked of Redis.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Member;
use super::address::Address;
use super::record::{ReplicaId, SignOfLife};
use super::whereabouts::{Place, of_another, reached};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::{Owner, SessionId};

/// As long as a replica that is told to stop goes on serving after it took its keys back: see [`super::Cluster::leave`].
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// A session never moves, so while Redis cannot tell it is where it was last seen, or nowhere; but not for ever.
const STALE: Duration = Duration::from_secs(600);
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Directory {
    seen: Mutex<HashMap<SessionId, (Place, Instant)>>,
}

impl Directory {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (Place, Instant)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only its owner is answered out of memory. Anybody else is answered as about a session that nobody has seen, which
    /// takes a question to Redis: being quicker would tell that there is one.
    fn remembered(&self, id: &SessionId, asker: &Owner, no_older: Duration, now: Instant) -> Option<Place> {
        let seen = self.lock();
        let (place, at) = seen.get(id)?;
        (now < *at + no_older && place.owner.is_same_user(asker)).then(|| place.clone())
    }

    fn remember(&self, id: &SessionId, place: &Place, now: Instant) {
        let mut seen = self.lock();
        if seen.len() >= REMEMBERED {
            seen.retain(|_, (_, at)| now < *at + FRESH);
        }
        if seen.len() < REMEMBERED {
            seen.insert(id.clone(), (place.clone(), now));
        }
    }

    pub(super) fn forget(&self, id: &SessionId) {
        self.lock().remove(id);
    }
}

impl Member {
    /// Where a session of `asker` is that is not here.
    pub(super) async fn place(&self, id: &SessionId, asker: &Owner) -> Result<Place, Rejection> {
        let now = Instant::now();
        if let Some(place) = self.directory.remembered(id, asker, FRESH, now) {
            return Ok(place);
        }
        match self.ask(id, asker, now).await {
            Err(unknown @ Rejection::SessionNotKnownYet) => {
                self.directory.remembered(id, asker, STALE, now).ok_or(unknown)
            }
            asked => asked,
        }
    }

    async fn ask(&self, id: &SessionId, asker: &Owner, now: Instant) -> Result<Place, Rejection> {
        if self.trust.is_away() {
            return Err(Rejection::SessionNotKnownYet);
        }
        let away = |cause| {
            self.trouble(&cause);
            Rejection::SessionNotKnownYet
        };
        let found = self.store.session(id).await.map_err(away)?;
        let knowledge = self.trust.judge(found.knowledge, now);
        let record = of_another(found.record.as_deref(), asker, &self.id, knowledge)?;
        let sign = self.store.sign_of_life(&record.replica).await.map_err(away)?;
        let place = reached(record, sign.as_deref(), &self.service, knowledge)?;
        self.directory.remember(id, &place, now);
        Ok(place)
    }

    /// Where the replica is that a request which came here was meant for, if it is another one that lives. Whoever sent
    /// the request may have made that up: it decides about nothing but this.
    pub(super) async fn meant_for(&self, named: &[u8]) -> Option<Address> {
        let meant = std::str::from_utf8(named).ok().and_then(ReplicaId::parse).filter(|meant| *meant != self.id)?;
        if self.trust.is_away() {
            return None;
        }
        let sign = self.store.sign_of_life(&meant).await.inspect_err(|cause| self.trouble(cause)).ok()??;
        SignOfLife::parse(&sign).map(|sign| sign.address)
    }

    /// Whether that replica still gives signs of life. Not known: it may.
    pub(super) async fn lives(&self, place: &Place) -> bool {
        match self.store.sign_of_life(&place.replica).await {
            Ok(sign) => sign.is_some(),
            Err(cause) => {
                self.trouble(&cause);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::store::{RedisAddress, Store};
    use crate::cluster::trust::Trust;
    use crate::metrics::Metrics;

    fn place() -> Place {
        let address = Address::parse("time-1:3000").unwrap();
        Place { replica: ReplicaId::from_random([1; 16]), address, owner: Owner::user("alice") }
    }

    fn id(number: usize) -> SessionId {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        SessionId::from_random(bytes)
    }

    #[test]
    fn what_was_seen_is_remembered_for_a_moment_and_until_it_is_forgotten() {
        let (directory, start, alice) = (Directory::default(), Instant::now(), Owner::user("alice"));
        directory.remember(&id(1), &place(), start);
        for other in [Owner::user("bob"), Owner::nobody()] {
            assert_eq!(directory.remembered(&id(1), &other, FRESH, start), None);
        }
        assert_eq!(directory.remembered(&id(1), &alice, FRESH, start), Some(place()));
        assert_eq!(directory.remembered(&id(1), &alice, FRESH, start + FRESH), None);
        assert_eq!(directory.remembered(&id(1), &alice, STALE, start + FRESH), Some(place()));
        directory.forget(&id(1));
        assert_eq!(directory.remembered(&id(1), &alice, STALE, start), None);
    }

    #[tokio::test]
    async fn who_finds_out_that_redis_is_away_is_still_told_where_their_own_session_was_last_seen() {
        let (alice, bob) = (Owner::user("alice"), Owner::user("bob"));
        for asker in [&alice, &bob] {
            let nobody_listens = RedisAddress::parse("redis://127.0.0.1:1", None).unwrap();
            let store = Store::new(nobody_listens, tokio::runtime::Handle::current()).unwrap();
            let (id_here, directory) = (ReplicaId::from_random([2; 16]), Directory::default());
            let (service, trust, metrics) = ("time".into(), Trust::new(), Metrics::new());
            let here = Member { id: id_here, service, store, trust, directory, metrics };
            here.directory.remember(&id(1), &place(), Instant::now() - FRESH);
            assert!(!here.trust.is_away());
            let [own, unknown] = [here.place(&id(1), asker).await, here.place(&id(2), asker).await];
            let found = if *asker == alice { Ok(place()) } else { Err(Rejection::SessionNotKnownYet) };
            assert_eq!((own, unknown), (found, Err(Rejection::SessionNotKnownYet)));
        }
    }

    #[test]
    fn the_memory_is_bounded_and_makes_room_by_age() {
        let (directory, start) = (Directory::default(), Instant::now());
        (0..REMEMBERED + 9).for_each(|number| directory.remember(&id(number), &place(), start));
        assert_eq!(directory.lock().len(), REMEMBERED);
        directory.remember(&id(REMEMBERED + 9), &place(), start + FRESH);
        assert_eq!(directory.lock().len(), 1);
    }
}
