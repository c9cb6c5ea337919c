//! Bytes under keys: the few primitives that both back ends share.
//!
//! [`Kv::commit`] is all or nothing: one Lua script in Redis, one transaction on disk. Everything atomic is a [`Batch`].

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use tokio_util::sync::CancellationToken;

use super::{
    StoreUnavailable,
    embedded::EmbeddedKv,
    redis::RedisKv,
    scan::{Listing, Page, Record},
    socket::RemoteKv,
    watch::Watch,
};

/// What must hold for a batch to be applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Expect {
    Absent,
    Present,
    Is(#[serde(with = "super::base64")] Vec<u8>),
    /// Of a set: fewer members than `most`. Before it fails, members whose own record (`prefix` + member) is gone are
    /// looked for and dropped.
    Fewer {
        most: usize,
        prefix: Cow<'static, str>,
    },
}

/// What a batch does to one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// `lifetime` `None`: until deleted.
    Put {
        #[serde(with = "super::base64")]
        value: Vec<u8>,
        lifetime: Option<Duration>,
    },
    Delete,
    /// Adds to a set. A few other members are looked at, and those whose own record (`prefix` + member) is gone are
    /// dropped: so a set stays in proportion to what lives, at a constant cost.
    AddMember {
        member: String,
        prefix: Cow<'static, str>,
    },
    RemoveMember {
        member: String,
    },
}

/// Conditions and changes that are applied together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) expect: Vec<(String, Expect)>,
    pub(crate) changes: Vec<(String, Change)>,
}

/// Members that are looked at when one is added to a set; commit.lua has the same number.
pub(crate) const PRUNED_AT_ONCE: usize = 8;
/// And when a set is full; commit.lua has this number too.
pub(crate) const PRUNED_WHEN_FULL: usize = 500;

impl Batch {
    pub(crate) fn expect(mut self, key: String, expect: Expect) -> Self {
        self.expect.push((key, expect));
        self
    }

    pub(crate) fn put(mut self, key: String, value: Vec<u8>, lifetime: Option<Duration>) -> Self {
        self.changes.push((key, Change::Put { value, lifetime }));
        self
    }

    pub(crate) fn delete(mut self, key: String) -> Self {
        self.changes.push((key, Change::Delete));
        self
    }

    pub(crate) fn add_member(mut self, set: String, member: &str, prefix: &'static str) -> Self {
        self.changes.push((set, Change::AddMember { member: member.to_owned(), prefix: prefix.into() }));
        self
    }

    pub(crate) fn remove_member(mut self, set: String, member: &str) -> Self {
        self.changes.push((set, Change::RemoveMember { member: member.to_owned() }));
        self
    }
}

/// Where the bytes are.
#[derive(Debug)]
pub(crate) enum Kv {
    Redis(RedisKv),
    Embedded(EmbeddedKv),
    /// The embedded store of another process.
    Remote(RemoteKv),
}

impl Kv {
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.get(key).await,
            Self::Embedded(kv) => kv.get(key),
            Self::Remote(kv) => kv.get(key).await,
        }
    }

    /// With a watch that was taken before the record was read. `None`: nobody tells of changes.
    pub(crate) async fn get_watched(
        &self,
        key: &str,
    ) -> Result<(Option<Vec<u8>>, Option<Arc<Watch>>), StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.get_watched(key).await,
            Self::Embedded(kv) => kv.get_watched(key).map(|(value, watch)| (value, Some(watch))),
            Self::Remote(kv) => kv.get(key).await.map(|value| (value, None)),
        }
    }

    /// How long a record still lives; `None`: it is absent or never expires.
    pub(crate) async fn time_left(&self, key: &str) -> Result<Option<Duration>, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.time_left(key).await,
            Self::Embedded(kv) => kv.time_left(key),
            Self::Remote(kv) => kv.time_left(key).await,
        }
    }

    pub(crate) async fn members(&self, set: &str) -> Result<Vec<String>, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.members(set).await,
            Self::Embedded(kv) => kv.members(set),
            Self::Remote(kv) => kv.members(set).await,
        }
    }

    /// `false`: something expected did not hold, and nothing was changed.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<bool, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.commit(batch).await,
            Self::Embedded(kv) => kv.commit(batch).await,
            Self::Remote(kv) => kv.commit(batch).await,
        }
    }

    /// Reads and deletes in one step: of many callers, one gets the value.
    pub(crate) async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.take(key).await,
            Self::Embedded(kv) => kv.take(key).await,
            Self::Remote(kv) => kv.take(key).await,
        }
    }

    /// A page of the records whose key begins with `prefix`; `from`: empty, or what the page before it gave.
    pub(crate) async fn scan(&self, prefix: &str, from: &str) -> Result<Page<Record>, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.scan(prefix, from).await,
            Self::Embedded(kv) => kv.scan(prefix, from),
            Self::Remote(kv) => kv.scan(prefix, from).await,
        }
    }

    /// A page of names; `from` as for [`Kv::scan`].
    pub(crate) async fn list(&self, listing: &Listing, from: &str) -> Result<Page<String>, StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.list(listing, from).await,
            Self::Embedded(kv) => kv.list(listing, from),
            Self::Remote(kv) => kv.list(listing, from).await,
        }
    }

    /// Cancelled when only a new process can use the file again.
    pub(crate) fn lost(&self) -> CancellationToken {
        match self {
            Self::Redis(_) | Self::Remote(_) => CancellationToken::new(),
            Self::Embedded(kv) => kv.lost(),
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreUnavailable> {
        match self {
            Self::Redis(kv) => kv.ping().await,
            Self::Embedded(kv) => kv.get("").map(drop),
            Self::Remote(kv) => kv.ping().await,
        }
    }
}
