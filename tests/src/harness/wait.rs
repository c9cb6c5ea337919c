//! Waiting for something to become true, with a deadline and without guessing how long it takes.

use std::{
    future::Future,
    thread::sleep,
    time::{Duration, Instant},
};

const BETWEEN_LOOKS: Duration = Duration::from_millis(15);

/// Looks until `look` finds something; panics with `what` when it has not in time.
pub fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        sleep(BETWEEN_LOOKS);
    }
}

/// [`within`] for looks that have to wait themselves.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
