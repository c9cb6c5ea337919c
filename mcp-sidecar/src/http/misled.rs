//! An address that leads to another replica than the one that has the session. A replica that was started anew at its
//! old address answers so for a moment; one that says the wrong address does for ever, and nothing else would tell.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use log::warn;
use tokio::time::Instant;

use crate::cluster::address::Address;

/// Every request would say it again.
const AGAIN: Duration = Duration::from_secs(60);

/// What this replica says of it, as the one that passes on and as the one that is met.
#[derive(Debug, Default)]
pub(super) struct Misled {
    passed_on: Seldom,
    met: Seldom,
}

impl Misled {
    pub(super) fn passed_on(&self, address: &Address) {
        if self.passed_on.is_due(Instant::now()) {
            warn!(address:%; "another replica answers where a session should be, which is unknown now: unless one was just started anew there, set --advertise of the one that should be");
        }
    }

    pub(super) fn met(&self, address: &Address) {
        if self.met.is_due(Instant::now()) {
            warn!(address:%; "a request came here that was meant for another replica, which says it is at this address: unless this one was just started there, set --advertise of the other");
        }
    }
}

#[derive(Debug, Default)]
struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now >= last + AGAIN);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_request_would_say_again_is_said_once_a_minute() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        let due = [0, 1, 59, 60, 61].map(|seconds| seldom.is_due(start + Duration::from_secs(seconds)));
        assert_eq!(due, [true, false, false, true, false]);
    }
}
