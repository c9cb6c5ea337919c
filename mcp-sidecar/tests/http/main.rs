//! The sidecar over real HTTP, around a real child (`tests/fixture/server.py`).

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod alone;
mod attacks;
mod eras;
mod faults;
mod health;
mod identity;
mod isolation;
mod known_troubles;
mod legacy_sse;
mod messages;
mod metrics;
mod mirrored;
mod refusals;
mod restarts;
mod resuming;
mod revisions;
mod sessions;
mod shared_child;
mod sharing;
mod shutdown;
mod silence;
mod streams;
mod support;
mod warm;
