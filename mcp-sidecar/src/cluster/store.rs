//! The Redis that replicas share (6.2 or later): the few questions asked of it, each bounded in time. Connections come
//! from a pool that checks them first, so a Redis that restarts needs no restart here.

use std::fmt;
use std::time::Duration;

use deadpool_redis::redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError,
    pipe,
};
use deadpool_redis::{Manager, Pool, PoolError, Runtime, Timeouts};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::record::{ReplicaId, SessionRecord, SignOfLife};
use super::whereabouts::{EPOCH, Knowledge, SETTLING};
use crate::mcp::session_id::SessionId;

/// For connecting, for one answer, and for a question as a whole.
const PATIENCE: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 8;
/// A replica that was not heard of for so long is dead. One that ended or was killed is found out earlier: it refuses
/// connections.
const ALIVE_FOR: Duration = Duration::from_secs(15);
/// A session's record lapses after this when nobody refreshes it; see [`super::announce`].
const RECORD_FOR: Duration = Duration::from_secs(60);
/// How long living replicas get to say again what they have: each does with its next beat.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// Where Redis is and how to get in. Shows neither.
#[derive(Clone)]
pub struct RedisAddress {
    info: ConnectionInfo,
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisAddress([redacted])")
    }
}

impl RedisAddress {
    /// `REDIS_URL`, and `REDIS_PASSWORD` for a URL that has none.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence. The value is not in it: it may hold the password.
    pub fn parse(url: &str, password: Option<&str>) -> Result<Self, &'static str> {
        if url.starts_with("rediss://") {
            return Err("asks for TLS, which this program does not speak: keep that Redis on a private network");
        }
        let info = url.starts_with("redis://").then(|| url.into_connection_info().ok()).flatten();
        let info = info.ok_or("is not a redis:// URL")?;
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return Err("names no host") };
        let settings = info.redis_settings().clone();
        let info = match password.filter(|password| settings.password().is_none() && !password.is_empty()) {
            Some(password) => info.set_redis_settings(settings.set_password(password)),
            None => info,
        };
        Ok(Self { info, host, port })
    }
}

/// Redis did not do what it was asked to, whatever the reason.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreAway {
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
    #[error("{0}")]
    Pool(#[from] PoolError),
    #[error("{0}")]
    Refused(#[from] RedisError),
    /// Its name, or the way to it, is not known.
    #[error("{0}")]
    Unresolved(std::io::Error),
    #[error("shutting down")]
    Ending,
}

pub(super) struct Store {
    pool: Pool,
    /// Connections are driven here: a task spawned by an HTTP worker ends with that worker.
    supervisor: Handle,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// What a replica reads in its own sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beat {
    /// The sign before this one was still there.
    pub(super) went_on: bool,
}

/// A session as Redis knows it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) record: Option<Vec<u8>>,
    pub(super) knowledge: Knowledge,
}

impl Store {
    /// Does not connect yet: a Redis that is down at start may come up later.
    pub(super) fn new(address: RedisAddress, supervisor: Handle) -> Result<Self, StoreAway> {
        let waits =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let manager = Manager::new_with_config(address.info, waits)?;
        let timeouts = Timeouts { wait: Some(PATIENCE), create: Some(PATIENCE), recycle: Some(PATIENCE) };
        let pool = Pool::builder(manager).max_size(CONNECTIONS).timeouts(timeouts).runtime(Runtime::Tokio1).build();
        Ok(Self { pool: pool.map_err(|_| StoreAway::Ending)?, supervisor })
    }

    /// Gives this replica's sign of life and sees to the marks of [`super::whereabouts`].
    pub(super) async fn beat(&self, me: &ReplicaId, sign: &SignOfLife) -> Result<Beat, StoreAway> {
        let mut beat = pipe();
        beat.cmd("SET").arg(SignOfLife::key(me)).arg(sign.to_json()).arg("PX").arg(millis(ALIVE_FOR)).arg("GET");
        beat.cmd("EXISTS").arg(EPOCH);
        let (before, epoch): (Option<Vec<u8>>, bool) = self.ask(&beat).await?;
        if !epoch {
            let mut marks = pipe();
            marks.atomic().cmd("SET").arg(SETTLING).arg(1).arg("PX").arg(millis(SETTLES_WITHIN)).ignore();
            marks.cmd("SET").arg(EPOCH).arg(1).ignore();
            let () = self.ask(&marks).await?;
        }
        Ok(Beat { went_on: before.is_some() })
    }

    pub(super) async fn put<'a>(
        &self,
        records: impl Iterator<Item = (&'a SessionId, SessionRecord)>,
    ) -> Result<(), StoreAway> {
        let mut put = pipe();
        for (id, record) in records {
            let set = put.cmd("SET").arg(SessionRecord::key(id)).arg(record.to_json());
            set.arg("PX").arg(millis(RECORD_FOR)).ignore();
        }
        self.ask(&put).await
    }

    pub(super) async fn remove<'a>(&self, sessions: impl Iterator<Item = &'a SessionId>) -> Result<(), StoreAway> {
        let mut remove = pipe();
        for id in sessions {
            remove.cmd("DEL").arg(SessionRecord::key(id)).ignore();
        }
        self.ask(&remove).await
    }

    pub(super) async fn leave(&self, me: &ReplicaId) -> Result<(), StoreAway> {
        self.ask(pipe().cmd("DEL").arg(SignOfLife::key(me)).ignore()).await
    }

    pub(super) async fn session(&self, id: &SessionId) -> Result<Found, StoreAway> {
        let mut look = pipe();
        look.cmd("MGET").arg(SessionRecord::key(id)).arg(EPOCH).arg(SETTLING);
        let (found,): (Vec<Option<Vec<u8>>>,) = self.ask(&look).await?;
        let mut found = found.into_iter();
        let mut next = || found.next().flatten();
        let (record, epoch, settling) = (next(), next(), next());
        Ok(Found { record, knowledge: Knowledge::of(epoch.as_deref(), settling.as_deref()) })
    }

    pub(super) async fn sign_of_life(&self, replica: &ReplicaId) -> Result<Option<Vec<u8>>, StoreAway> {
        let (sign,) = self.ask(pipe().cmd("GET").arg(SignOfLife::key(replica))).await?;
        Ok(sign)
    }

    async fn ask<T: FromRedisValue>(&self, questions: &Pipeline) -> Result<T, StoreAway> {
        let asked = async {
            let pool = self.pool.clone();
            // A connection that answered a moment ago.
            let connection = self.supervisor.spawn(async move { pool.get().await }).await;
            let mut connection = connection.map_err(|_| StoreAway::Ending)??;
            Ok(questions.query_async(&mut connection).await?)
        };
        timeout(PATIENCE, asked).await.unwrap_or(Err(StoreAway::Silent))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_taken_where_the_url_has_none_and_is_never_shown() {
        let password = |url: &str| {
            let parsed = RedisAddress::parse(url, Some("hunter2")).unwrap();
            assert_eq!(format!("{parsed:?}"), "RedisAddress([redacted])");
            parsed.info.redis_settings().password().unwrap().to_owned()
        };
        assert_eq!(password("redis://redis:6379/0"), "hunter2");
        assert_eq!(password("redis://:own@redis:6379/0"), "own");
        let none = RedisAddress::parse("redis://redis", Some("")).unwrap();
        assert_eq!((none.info.redis_settings().password(), none.host.as_str(), none.port), (None, "redis", 6379));
    }

    #[test]
    fn what_is_no_redis_url_is_refused_without_being_shown() {
        for url in ["hunter2@redis", "rediss://:hunter2@redis", "http://redis", "redis://"] {
            let fault = RedisAddress::parse(url, None).unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
