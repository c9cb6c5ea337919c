//! The replay log of a session, with its numbers.

use std::sync::Arc;

use bytes::Bytes;

use crate::mcp::replay::ReplayLog;
use crate::mcp::sse::EventId;
use crate::metrics::Metrics;

pub(super) struct Kept {
    log: ReplayLog,
    metrics: Arc<Metrics>,
}

impl Kept {
    pub(super) fn new(max_events: usize, max_bytes: usize, metrics: Arc<Metrics>) -> Self {
        Self { log: ReplayLog::new(max_events, max_bytes), metrics }
    }

    pub(super) fn push(&mut self, id: EventId, event: Bytes) {
        let dropped = self.log.push(id, event);
        if dropped > 0 {
            self.metrics.replay_dropped_bytes.inc_by(dropped as u64);
        }
    }

    /// Whether a client that comes back has missed anything.
    pub(super) fn has_after(&self, last: EventId) -> bool {
        self.log.after(last).next().is_some()
    }

    /// What a client that comes back has missed.
    pub(super) fn after(&self, last: EventId) -> impl Iterator<Item = Bytes> {
        self.log.after(last).inspect(|_| {
            self.metrics.events_replayed.inc();
        })
    }
}
