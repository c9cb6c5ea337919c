//! What the server remembers. [`Store`] is typed and named by intent; `kv` moves bytes; `record` is their form at rest.
//!
//! Whatever must happen together is one `kv::Batch`. All that was issued from one authorization is listed in one
//! family record, and everyone who issues or revokes compares and swaps that record: it is where races are decided.
//!
//! What was read may be remembered for as long as nobody changes it: `watch` knows, told by Redis (RESP3 tracking) or
//! by the embedded store's writer; [`cache`] remembers verified tokens so. Sentinel and Cluster are other pools inside
//! `redis.rs`.

mod assertions;
mod base64;
pub mod cache;
mod clients;
mod consents;
mod embedded;
mod health;
mod inventory;
mod issue;
mod key;
mod kv;
mod logins;
mod people;
mod purge;
mod record;
mod redis;
mod revoke;
mod scan;
mod sessions;
mod socket;
mod transfer;
mod watch;

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use tokio_util::sync::CancellationToken;

pub(crate) use self::transfer::{Imported, Item};
use self::{embedded::EmbeddedKv, kv::Kv, redis::RedisKv, socket::RemoteKv};
pub use self::{
    health::Health,
    inventory::{Listed, Stats, StoredClient, TokenFilter},
    people::{Connection, LoggedOut},
    purge::Purged,
    socket::AdminSocket,
};
pub use crate::oauth::verify::Revocation;
use crate::oauth::{
    access_token::TokenRecord,
    grant::CodeGrant,
    id::FamilyId,
    refresh::{RefreshGrant, Rotation},
    secret::{Secret, SecretHash},
};

/// Where records live.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub backend: Backend,
    /// When entries of the embedded store expire. Redis has its own clock.
    pub clock: fn() -> SystemTime,
}

#[derive(Clone, Debug)]
pub enum Backend {
    /// `REDIS_URL`; `REDIS_PASSWORD` is used when the URL has none. `timeout`: for an operation as a whole.
    Redis { url: Secret, password: Option<Secret>, timeout: Duration },
    /// `auth.redb` in this directory (`DATA_DIR`).
    Embedded { data_dir: PathBuf },
}

/// The store cannot answer: 503, never 401. The cause is for the log, never for the client.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct StoreUnavailable(Box<dyn Error + Send + Sync>);

impl StoreUnavailable {
    pub(crate) fn because(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// Whether the cause is a `T` of this kind.
    fn is<T: Error + 'static>(&self, kind: impl Fn(&T) -> bool) -> bool {
        self.0.downcast_ref().is_some_and(kind)
    }
}

/// How an atomic step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was written"]
pub enum Commit {
    Done,
    /// What the decision was based on is no longer so: load and decide again.
    Conflict,
}

/// How long what is issued lives.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub access: Duration,
    pub refresh: Duration,
    /// A spent code is remembered this long, so that its replay is recognised.
    pub code: Duration,
}

/// A code becomes tokens.
#[derive(Debug)]
pub struct Redemption<'a> {
    pub code: &'a Secret,
    /// What [`Store::code`] gave.
    pub seen: &'a CodeGrant,
    /// Founded by this redemption.
    pub family: &'a FamilyId,
    pub access: &'a TokenRecord,
    pub refresh: Option<(&'a SecretHash, &'a RefreshGrant)>,
    pub lifetimes: Lifetimes,
}

/// A refresh token as it is stored.
#[derive(Clone)]
pub struct StoredRefresh {
    pub grant: RefreshGrant,
    hash: SecretHash,
    /// Holds the token itself if the Python service wrote it: never printed.
    key: String,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for StoredRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredRefresh").field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// A refresh token gives way to its successor.
#[derive(Debug)]
pub struct RotationCommit<'a> {
    pub stored: &'a StoredRefresh,
    pub rotation: &'a Rotation,
    pub access: &'a TokenRecord,
    pub lifetimes: Lifetimes,
}

/// Clients, logins, codes and tokens.
#[derive(Debug)]
pub struct Store {
    kv: Kv,
    clock: fn() -> SystemTime,
}

impl Store {
    /// Opens the embedded file, or prepares connections to Redis, which may come up later. Needs a tokio runtime.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreUnavailable> {
        let kv = match &config.backend {
            Backend::Redis { url, password, timeout } => Kv::Redis(RedisKv::new(url, password.as_ref(), *timeout)?),
            Backend::Embedded { data_dir } => Kv::Embedded(EmbeddedKv::open(data_dir, config.clock)?),
        };
        Ok(Self { kv, clock: config.clock })
    }

    /// For a command beside the server: as [`Store::open`], or through the server that has the embedded file open.
    pub fn open_beside(config: &StoreConfig) -> Result<Self, StoreUnavailable> {
        if let Backend::Embedded { data_dir } = &config.backend
            && let Some(kv) = RemoteKv::connect(data_dir)?
        {
            return Ok(Self { kv: Kv::Remote(kv), clock: config.clock });
        }
        Self::open(config)
    }

    /// Where the records are, for people.
    pub fn place(&self) -> &'static str {
        match &self.kv {
            Kv::Redis(_) => "Redis",
            Kv::Embedded(_) => "the embedded store",
            Kv::Remote(_) => "the embedded store, through the running server",
        }
    }

    /// Cancelled when the store cannot recover within this process. Redis comes back by itself.
    pub(crate) fn lost(&self) -> CancellationToken {
        self.kv.lost()
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), StoreUnavailable> {
        self.kv.ping().await
    }
}

fn done(committed: bool) -> Commit {
    if committed { Commit::Done } else { Commit::Conflict }
}
