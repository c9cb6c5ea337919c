//! Redis 6.2 or later through deadpool-redis: bounded waits, and recovery without a restart.
//!
//! Reads share one multiplexed connection (`lane`): one round trip each, pipelined; on it Redis tells of changes, too.
//! Writes take a connection from the pool, which checks it first: a write is never sent twice, so it must not be lost to
//! a connection that died meanwhile. What a write has changed nobody here believes from then on, also before Redis tells.
//! The same pool type exists for Sentinel and Cluster; in a cluster every key needs one hash tag as its prefix,
//! since a batch must live in one slot.

mod lane;
mod reads;
mod scan;

use std::{future::Future, sync::Arc, time::Duration};

use deadpool_redis::{
    Manager, Pool, Runtime, Timeouts,
    redis::{AsyncConnectionConfig, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError, Script, cmd},
};
use tokio::runtime::Handle;

use self::reads::Reads;
use super::{
    StoreUnavailable,
    kv::{Batch, Change, Expect},
    watch::Watch,
};
use crate::oauth::secret::Secret;

/// Connections for writes; each carries one script at a time.
const CONNECTIONS: usize = 16;

pub(crate) struct RedisKv {
    pool: Pool,
    reads: Box<Reads>,
    commit: Script,
    /// For connecting, for one answer, and for an operation as a whole.
    patience: Duration,
    /// Connections are driven here: in actix a task spawned by a worker dies with that worker.
    runtime: Handle,
}

impl std::fmt::Debug for RedisKv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisKv").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl RedisKv {
    /// Does not connect yet: a Redis that is down at start may come up later. Errors: the URL cannot be used.
    pub(crate) fn new(url: &Secret, password: Option<&Secret>, patience: Duration) -> Result<Self, StoreUnavailable> {
        let waits =
            AsyncConnectionConfig::new().set_connection_timeout(Some(patience)).set_response_timeout(Some(patience));
        let address = address(url, password)?;
        let manager = Manager::new_with_config(address.clone(), waits)?;
        let timeouts = Timeouts { wait: Some(patience), create: Some(patience), recycle: Some(patience) };
        let pool = Pool::builder(manager).max_size(CONNECTIONS).timeouts(timeouts).runtime(Runtime::Tokio1).build();
        Ok(Self {
            pool: pool.map_err(StoreUnavailable::because)?,
            reads: Box::new(Reads::new(address, patience, Handle::current())),
            commit: Script::new(include_str!("commit.lua")),
            patience,
            runtime: Handle::current(),
        })
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        self.read(cmd("GET").arg(key)).await
    }

    /// With a watch that was taken before the record was read; `None`: this Redis tells of no changes.
    pub(crate) async fn get_watched(
        &self,
        key: &str,
    ) -> Result<(Option<Vec<u8>>, Option<Arc<Watch>>), StoreUnavailable> {
        self.bounded(self.reads.ask(cmd("GET").arg(key), |lane| lane.feed.as_ref().map(|feed| feed.watch(key)))).await
    }

    pub(crate) async fn time_left(&self, key: &str) -> Result<Option<Duration>, StoreUnavailable> {
        let millis: i64 = self.read(cmd("PTTL").arg(key)).await?;
        Ok(u64::try_from(millis).ok().map(Duration::from_millis))
    }

    pub(crate) async fn members(&self, set: &str) -> Result<Vec<String>, StoreUnavailable> {
        self.read(cmd("SMEMBERS").arg(set)).await
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreUnavailable> {
        self.read(&cmd("PING")).await
    }

    pub(crate) async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        let taken = async {
            let mut connection = self.checked().await?;
            Ok(cmd("GETDEL").arg(key).query_async(&mut connection).await?)
        };
        let taken = self.bounded(taken).await;
        self.reads.changed([key]);
        taken
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<bool, StoreUnavailable> {
        let mut call = self.commit.prepare_invoke();
        for (key, expect) in &batch.expect {
            call.key(key);
            match expect {
                Expect::Absent => call.arg("absent").arg("").arg("").arg(""),
                Expect::Present => call.arg("present").arg("").arg("").arg(""),
                Expect::Is(value) => call.arg("is").arg(value.as_slice()).arg("").arg(""),
                Expect::Fewer { most, prefix } => call.arg("fewer").arg(*most).arg("").arg(prefix.as_ref()),
            };
        }
        for (key, change) in &batch.changes {
            call.key(key);
            match change {
                Change::Put { value, lifetime: None } => call.arg("put").arg(value.as_slice()).arg("").arg(""),
                Change::Put { value, lifetime: Some(lifetime) } => {
                    call.arg("put").arg(value.as_slice()).arg(millis(*lifetime)).arg("")
                }
                Change::Delete => call.arg("delete").arg("").arg("").arg(""),
                Change::AddMember { member, prefix } => call.arg("add").arg(member).arg("").arg(prefix.as_ref()),
                Change::RemoveMember { member } => call.arg("remove").arg(member).arg("").arg(""),
            };
        }
        let committed = self.bounded(async { Ok(call.invoke_async(&mut self.checked().await?).await?) }).await;
        // After an error, too: it may have been done all the same.
        self.reads.changed(batch.changes.iter().map(|(key, _)| key.as_str()));
        committed
    }

    async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreUnavailable> {
        self.bounded(self.reads.ask(command, |_| ())).await.map(|(answer, ())| answer)
    }

    async fn bounded<T>(&self, work: impl Future<Output = Result<T, StoreUnavailable>>) -> Result<T, StoreUnavailable> {
        tokio::time::timeout(self.patience, work).await.map_err(StoreUnavailable::because)?
    }

    /// A connection that answered a moment ago.
    async fn checked(&self) -> Result<deadpool_redis::Connection, StoreUnavailable> {
        let pool = self.pool.clone();
        let opened = self.runtime.spawn(async move { pool.get().await }).await;
        opened.map_err(StoreUnavailable::because)?.map_err(StoreUnavailable::because)
    }
}

/// `REDIS_PASSWORD` goes into a URL that has none.
fn address(url: &Secret, password: Option<&Secret>) -> Result<ConnectionInfo, StoreUnavailable> {
    let info = url.expose().into_connection_info()?;
    let settings = info.redis_settings().clone();
    match password.filter(|password| settings.password().is_none() && !password.expose().is_empty()) {
        Some(password) => Ok(info.set_redis_settings(settings.set_password(password.expose()))),
        None => Ok(info),
    }
}

/// Redis refuses a lifetime of 0.
fn millis(lifetime: Duration) -> u64 {
    u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX / 2).max(1)
}

impl From<RedisError> for StoreUnavailable {
    fn from(fault: RedisError) -> Self {
        Self::because(fault)
    }
}
