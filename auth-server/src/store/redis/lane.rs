//! One connection for reads, on which Redis also tells of changes to what was read (client-side caching: RESP3,
//! `CLIENT TRACKING`, Redis 6 or later).
//!
//! Redis writes its answers and what it tells in one order, and the driver hears them in that order. So the answer to
//! a `PING` proves that every change before it has been heard; without one the [`Feed`] is soon not believed.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, ProtocolVersion, PushInfo, PushKind, RedisError,
    RedisResult, Value, aio::MultiplexedConnection, cmd,
};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::watch::Feed;

/// Between two proofs of life.
const BEAT: Duration = Duration::from_millis(150);
/// A server that did not track is asked again after this long.
const WITHOUT_TRACKING: Duration = Duration::from_secs(30);

pub(super) struct Lane {
    pub(super) connection: MultiplexedConnection,
    /// Absent: this server tells of no changes.
    pub(super) feed: Option<Arc<Feed>>,
    opened: Instant,
    /// Ends the beat.
    _beat: Option<DropGuard>,
}

impl Lane {
    /// Must run on the runtime that is to drive the connection.
    pub(super) async fn tracked(address: ConnectionInfo, patience: Duration) -> RedisResult<Self> {
        let resp3 = address.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let feed = Feed::remote();
        let told = feed.clone();
        let hear = move |push: PushInfo| {
            hear(&told, push);
            Ok::<_, Infallible>(())
        };
        let mut connection = connect(address.set_redis_settings(resp3), waits(patience).set_push_sender(hear)).await?;
        let () = cmd("CLIENT").arg("TRACKING").arg("ON").query_async(&mut connection).await?;
        let lost = CancellationToken::new();
        let beat = beat(connection.clone(), feed.clone(), lost.clone());
        #[expect(clippy::disallowed_methods, reason = "the lane owns it: it ends when the lane is dropped")]
        tokio::spawn(beat);
        Ok(Self { connection, feed: Some(feed), opened: Instant::now(), _beat: Some(lost.drop_guard()) })
    }

    /// Must run on the runtime that is to drive the connection.
    pub(super) async fn untracked(address: ConnectionInfo, patience: Duration) -> RedisResult<Self> {
        let connection = connect(address, waits(patience)).await?;
        Ok(Self { connection, feed: None, opened: Instant::now(), _beat: None })
    }

    /// Whether reads may go on here.
    pub(super) fn serves(&self) -> bool {
        match &self.feed {
            Some(feed) => !feed.has_ended(),
            None => self.opened.elapsed() < WITHOUT_TRACKING,
        }
    }

    /// What was read here counts no longer.
    pub(super) fn end(&self) {
        if let Some(feed) = &self.feed {
            feed.end();
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.end();
    }
}

/// For one answer less than for the operation, so that it is the connection which is found silent.
fn waits(patience: Duration) -> AsyncConnectionConfig {
    let answer = patience / 5 * 4;
    AsyncConnectionConfig::new().set_connection_timeout(Some(patience)).set_response_timeout(Some(answer))
}

async fn connect(address: ConnectionInfo, waits: AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    Client::open(address)?.get_multiplexed_async_connection_with_config(&waits).await
}

async fn beat(mut connection: MultiplexedConnection, feed: Arc<Feed>, lost: CancellationToken) {
    let alive = async {
        loop {
            let asked = Instant::now();
            match cmd("PING").query_async::<()>(&mut connection).await {
                Err(fault) if !is_answer(&fault) => break,
                _ => feed.prove(asked),
            }
            sleep(BEAT).await;
        }
    };
    lost.run_until_cancelled(alive).await;
    feed.end();
}

/// Whether the server said so itself: a Redis that cannot save answers even a `PING` with an error (MISCONF).
pub(super) fn is_answer(fault: &RedisError) -> bool {
    !matches!(fault.kind(), ErrorKind::Io | ErrorKind::Parse)
}

/// `invalidate` names keys; null stands for all of them.
fn hear(feed: &Feed, push: PushInfo) {
    match push.kind {
        PushKind::Disconnection => feed.end(),
        PushKind::Invalidate => match push.data.as_slice() {
            [Value::Array(keys)] => keys.iter().for_each(|key| match key {
                Value::BulkString(key) => feed.changed(&String::from_utf8_lossy(key)),
                _ => feed.all_changed(),
            }),
            _ => feed.all_changed(),
        },
        _ => {}
    }
}
