//! How long a POST may wait for its answers.

use std::time::Duration;

use tokio::time::Instant;

use super::{Route, StreamId, Streams};

/// Times `--call-timeout` that a call may take however much progress it makes (2025-11-25 basic/lifecycle §Timeouts:
/// «implementations SHOULD always enforce a maximum timeout, regardless of progress notifications»).
const MOST_PATIENCE: u32 = 10;

impl Streams {
    /// The child works on it (2025-11-25 basic/lifecycle §Timeouts: progress «corresponding to the request»).
    pub(in super::super) fn progressed(&mut self, id: StreamId, now: Instant) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.heard = now;
        }
    }

    /// POSTs that wait too long, and how long that is: since the last sign of progress, or in all.
    pub(in super::super) fn overdue(&self, patience: Duration, now: Instant) -> Vec<(Route, Duration)> {
        let most = patience.saturating_mul(MOST_PATIENCE);
        let overdue = self.pending.iter().filter_map(|(&stream, pending)| {
            let limits = [(most, pending.since), (patience, pending.heard)];
            let (limit, _) = limits.into_iter().find(|&(limit, begun)| now - begun >= limit)?;
            Some((Route { seat: self.seat, stream }, limit))
        });
        overdue.collect()
    }
}
