//! Reads share one [`Lane`]; one that met a dead connection is asked again, once, on a new one.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool_redis::redis::{Cmd, ConnectionInfo, FromRedisValue, RedisError, RedisResult};
use log::warn;
use tokio::{runtime::Handle, sync::Mutex as AsyncMutex};

use super::{
    super::StoreUnavailable,
    lane::{self, Lane},
};

pub(super) struct Reads {
    address: ConnectionInfo,
    patience: Duration,
    /// Drives the lanes.
    runtime: Handle,
    current: Mutex<Option<Arc<Lane>>>,
    /// Held by the one who opens the next lane.
    opening: AsyncMutex<()>,
    has_warned: AtomicBool,
}

impl Reads {
    pub(super) fn new(address: ConnectionInfo, patience: Duration, runtime: Handle) -> Self {
        let (current, opening) = (Mutex::new(None), AsyncMutex::new(()));
        Self { address, patience, runtime, current, opening, has_warned: AtomicBool::new(false) }
    }

    /// `before` is shown the lane that the answer will come from, before the question is sent.
    pub(super) async fn ask<T: FromRedisValue, B>(
        &self,
        command: &Cmd,
        before: impl Fn(&Lane) -> B,
    ) -> Result<(T, B), StoreUnavailable> {
        let ask = async |lane: &Arc<Lane>| {
            let noted = before(lane);
            let answer = command.query_async(&mut lane.connection.clone()).await;
            answer.map(|answer| (answer, noted)).inspect_err(|fault| self.leave_if_dead(lane, fault))
        };
        let (lane, is_new) = self.lane().await?;
        match ask(&lane).await {
            Err(fault) if fault.is_unrecoverable_error() && !is_new => {}
            answer => return Ok(answer?),
        }
        let (lane, _) = self.lane().await?;
        Ok(ask(&lane).await?)
    }

    /// What was read of them before this counts no longer. Redis tells of it as well, but perhaps later.
    pub(super) fn changed<'a>(&self, keys: impl IntoIterator<Item = &'a str>) {
        let lane = self.current().clone();
        if let Some(feed) = lane.as_ref().and_then(|lane| lane.feed.as_ref()) {
            keys.into_iter().for_each(|key| feed.changed(key));
        }
    }

    /// The shared connection, and whether it was opened just now.
    async fn lane(&self) -> Result<(Arc<Lane>, bool), StoreUnavailable> {
        if let Some(lane) = self.serving() {
            return Ok((lane, false));
        }
        let _opening = self.opening.lock().await;
        // Somebody else may have opened it meanwhile.
        if let Some(lane) = self.serving() {
            return Ok((lane, true));
        }
        let opened = Arc::new(self.open().await?);
        *self.current() = Some(opened.clone());
        Ok((opened, true))
    }

    async fn open(&self) -> Result<Lane, StoreUnavailable> {
        match self.driven(Lane::tracked(self.address.clone(), self.patience)).await? {
            Err(refusal) if lane::is_answer(&refusal) => {
                let lane = self.driven(Lane::untracked(self.address.clone(), self.patience)).await??;
                if !self.has_warned.swap(true, Ordering::Relaxed) {
                    warn!(cause:% = refusal; "redis tells of no changes (RESP3 tracking), so every /verify asks it");
                }
                Ok(lane)
            }
            tracked => Ok(tracked?),
        }
    }

    async fn driven(
        &self,
        opening: impl Future<Output = RedisResult<Lane>> + Send + 'static,
    ) -> Result<RedisResult<Lane>, StoreUnavailable> {
        self.runtime.spawn(opening).await.map_err(StoreUnavailable::because)
    }

    fn serving(&self) -> Option<Arc<Lane>> {
        self.current().clone().filter(|lane| lane.serves())
    }

    /// Unless somebody has left it already. Its feed ends with that, although others may still wait here for an answer:
    /// only the current one is told what is changed by this process.
    fn leave_if_dead(&self, lane: &Arc<Lane>, fault: &RedisError) {
        if !lane::is_answer(fault) {
            lane.end();
            self.current().take_if(|current| Arc::ptr_eq(current, lane));
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Lane>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
