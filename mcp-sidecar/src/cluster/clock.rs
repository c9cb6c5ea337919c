//! The only reader of the clock on the wall: Redis is told times that mean the same on every machine.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    here: Instant,
    wall: SystemTime,
}

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    pub(super) fn now() -> Self {
        Self { here: Instant::now(), wall: SystemTime::now() }
    }

    /// An earlier moment as seconds since 1970.
    pub(super) fn seconds(self, earlier: Instant) -> u64 {
        let wall = self.wall.checked_sub(self.here.saturating_duration_since(earlier)).unwrap_or(UNIX_EPOCH);
        wall.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_moment_ago_is_told_in_seconds_since_1970() {
        let moment =
            Moment { here: Instant::now() + Duration::from_secs(60), wall: UNIX_EPOCH + Duration::from_secs(100) };
        assert_eq!(moment.seconds(moment.here - Duration::from_secs(30)), 70);
        assert_eq!(moment.seconds(moment.here + Duration::from_secs(30)), 100);
    }
}
