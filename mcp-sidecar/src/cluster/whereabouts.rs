//! What follows from the answers of Redis about a session that is not here. Pure.
//!
//! Nothing found means «there is none» only while Redis knows everything. After it came back empty it does not: the
//! living replicas need a moment to say again what they have. Two marks tell: one that is there as long as the data
//! is, and one that lapses once everybody has had the time.

use super::address::Address;
use super::record::{ReplicaId, SessionRecord, SignOfLife};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::Owner;

/// As old as the data: gone when Redis lost it.
pub(super) const EPOCH: &str = "redis:replicas:epoch";
/// There while replicas may still have to say again what they have.
pub(super) const SETTLING: &str = "redis:replicas:settling";

/// Another replica, and whose session is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) replica: ReplicaId,
    pub(crate) address: Address,
    pub(super) owner: Owner,
}

/// Whether what is not found does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    Complete,
    Incomplete,
}

impl Knowledge {
    pub(super) fn of(epoch: Option<&[u8]>, settling: Option<&[u8]>) -> Self {
        if epoch.is_some() && settling.is_none() { Self::Complete } else { Self::Incomplete }
    }

    /// The refusal for a session that was looked for in vain.
    pub(super) fn unknown(self) -> Rejection {
        match self {
            Self::Complete => Rejection::SessionUnknown,
            Self::Incomplete => Rejection::SessionNotKnownYet,
        }
    }
}

/// The session's record, if another replica has it and it is the asker's; about anybody else's it is said what is said
/// about none, and no other replica is asked. Only the user is compared: the replica that has the session knows what else
/// makes its owner, and judges the whole request again.
pub(super) fn of_another(
    found: Option<&[u8]>,
    asker: &Owner,
    me: &ReplicaId,
    knowledge: Knowledge,
) -> Result<SessionRecord, Rejection> {
    let own = found.and_then(SessionRecord::parse).filter(|record| record.owner.is_same_user(asker));
    let record = own.ok_or_else(|| knowledge.unknown())?;
    // Ours, and not in the registry any more: it has ended.
    if record.replica == *me { Err(Rejection::SessionUnknown) } else { Ok(record) }
}

/// Where that replica is, if it lives and serves the same as we do.
pub(super) fn reached(
    record: SessionRecord,
    sign: Option<&[u8]>,
    service: &str,
    knowledge: Knowledge,
) -> Result<Place, Rejection> {
    let sign = sign.and_then(SignOfLife::parse).ok_or_else(|| knowledge.unknown())?;
    if sign.service != service {
        return Err(Rejection::SessionUnknown);
    }
    Ok(Place { replica: record.replica, address: sign.address, owner: record.owner })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: Rejection = Rejection::SessionUnknown;
    const NOT_YET: Rejection = Rejection::SessionNotKnownYet;

    fn there() -> ReplicaId {
        ReplicaId::from_random([1; 16])
    }

    fn record(user: &str) -> SessionRecord {
        SessionRecord { replica: there(), owner: Owner::user(user), created: 0, last_seen: 0 }
    }

    fn asked(
        found: Option<&str>,
        user: &str,
        me: &ReplicaId,
        knowledge: Knowledge,
    ) -> Result<SessionRecord, Rejection> {
        of_another(found.map(str::as_bytes), &Owner::user(user), me, knowledge)
    }

    #[test]
    fn a_session_of_another_replica_is_found_for_its_owner_and_for_nobody_else() {
        let (json, me) = (record("alice").to_json(), ReplicaId::from_random([2; 16]));
        assert_eq!(asked(Some(&json), "alice", &me, Knowledge::Complete), Ok(record("alice")));
        assert_eq!(asked(Some(&json), "bob", &me, Knowledge::Complete), Err(UNKNOWN));
        let nobody = of_another(Some(json.as_bytes()), &Owner::nobody(), &me, Knowledge::Complete);
        assert_eq!(nobody, Err(UNKNOWN));
        // While nothing is certain that one is not there either.
        for me in [&me, &there()] {
            assert_eq!(asked(Some(&json), "bob", me, Knowledge::Incomplete), Err(NOT_YET));
        }
    }

    #[test]
    fn a_session_of_this_replica_that_is_not_here_has_ended() {
        let json = record("alice").to_json();
        assert_eq!(asked(Some(&json), "alice", &there(), Knowledge::Complete), Err(UNKNOWN));
    }

    #[test]
    fn what_is_not_found_is_unknown_only_while_redis_knows_everything() {
        let me = ReplicaId::from_random([2; 16]);
        for found in [None, Some("rubbish")] {
            assert_eq!(asked(found, "alice", &me, Knowledge::Complete), Err(UNKNOWN));
            assert_eq!(asked(found, "alice", &me, Knowledge::Incomplete), Err(NOT_YET));
        }
        for (epoch, settling, knowledge) in [
            (Some(&b"1"[..]), None, Knowledge::Complete),
            (Some(b"1"), Some(&b"1"[..]), Knowledge::Incomplete),
            (None, None, Knowledge::Incomplete),
        ] {
            assert_eq!(Knowledge::of(epoch, settling), knowledge);
        }
    }

    #[test]
    fn only_a_living_replica_of_the_same_service_is_reached_where_it_says_it_is() {
        let sign = |address, service: &str| format!(r#"{{"address":"{address}","service":"{service}"}}"#);
        let at = |sign: Option<&str>, knowledge| reached(record("alice"), sign.map(str::as_bytes), "time", knowledge);
        let place = at(Some(&sign("10.0.0.7:3000", "time")), Knowledge::Complete).unwrap();
        assert_eq!((place.replica, place.address.as_str()), (there(), "10.0.0.7:3000"));
        assert_eq!(at(Some(&sign("10.0.0.7:3000", "fetch")), Knowledge::Complete), Err(UNKNOWN));
        assert_eq!(at(Some(&sign("10.0.0.7:3000/x", "time")), Knowledge::Complete), Err(UNKNOWN));
        assert_eq!(at(None, Knowledge::Complete), Err(UNKNOWN));
        assert_eq!(at(None, Knowledge::Incomplete), Err(NOT_YET));
    }
}
