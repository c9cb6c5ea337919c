//! The clock, read once per request at the edge; rules get the time as an argument.

use std::time::SystemTime;

#[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Seconds since the Unix epoch.
pub(crate) fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
