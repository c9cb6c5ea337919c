//! Children of the pool that end by themselves are started again by the next request, but not faster than a crashed
//! session's: each owner whose child has crashed waits for its turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

use super::restart::{Backoff, HEALTHY, LONGEST};
use crate::mcp::session_id::Owner;

#[derive(Debug, Default)]
pub(super) struct Crashes(Mutex<HashMap<Owner, Crash>>);

#[derive(Debug)]
struct Crash {
    backoff: Backoff,
    /// When there may be another child.
    due: Instant,
    restarted: bool,
}

impl Crashes {
    /// The owner's child has ended by itself after `served`.
    pub(super) fn add(&self, owner: &Owner, served: Duration, now: Instant) {
        let mut crashes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has not crashed for long is as good as new.
        crashes.retain(|_, crash| now < crash.due + HEALTHY);
        let crash = crashes.entry(owner.clone()).or_insert_with(|| Crash {
            backoff: Backoff::default(),
            due: now,
            restarted: false,
        });
        crash.due = now + crash.backoff.after(served).unwrap_or(LONGEST);
        crash.restarted = false;
    }

    /// When the owner may have a child, and whether it is the first in the place of one that crashed.
    pub(super) fn turn(&self, owner: &Owner) -> Option<(Instant, bool)> {
        let mut crashes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let crash = crashes.get_mut(owner)?;
        Some((crash.due, !std::mem::replace(&mut crash.restarted, true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_waits_longer_with_each_crash_and_for_its_own_only() {
        let (crashes, now) = (Crashes::default(), Instant::now());
        let (alice, bob) = (Owner::user("alice"), Owner::user("bob"));
        crashes.add(&alice, Duration::ZERO, now);
        assert_eq!(crashes.turn(&alice), Some((now + Duration::from_millis(100), true)));
        assert_eq!(crashes.turn(&alice), Some((now + Duration::from_millis(100), false)));
        crashes.add(&alice, Duration::ZERO, now);
        assert_eq!(crashes.turn(&alice), Some((now + Duration::from_millis(200), true)));
        assert_eq!(crashes.turn(&bob), None);
    }

    #[test]
    fn what_is_long_past_is_forgotten() {
        let (crashes, now) = (Crashes::default(), Instant::now());
        for user in 0..100 {
            crashes.add(&Owner::user(&user.to_string()), Duration::ZERO, now);
        }
        crashes.add(&Owner::user("late"), Duration::ZERO, now + HEALTHY + LONGEST);
        assert_eq!(crashes.0.lock().unwrap().len(), 1);
    }
}
