//! How often a child that ends by itself is replaced: soon at first, then ever more seldom, and not for ever.

use std::io;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep_until};

use crate::child::{Child, ExitReason, FromChild};

const FIRST: Duration = Duration::from_millis(100);
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// A child that has lived this long was healthy: what came before it is forgotten.
pub(super) const HEALTHY: Duration = Duration::from_secs(60);
/// A fresh child that has not answered `initialize` by then is as good as none.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(60);
/// Replacements in a row that came to nothing.
const ATTEMPTS: u32 = 10;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    in_a_row: u32,
}

impl Backoff {
    /// A child has ended that had served for so long (nothing, if it never did). How long to wait before the next;
    /// `None`: no more.
    pub(super) fn after(&mut self, served: Duration) -> Option<Duration> {
        if served >= HEALTHY {
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(self.in_a_row - 1)).min(LONGEST);
        (self.in_a_row <= ATTEMPTS).then_some(pause)
    }
}

/// A child and what it says.
pub(super) type Spawned = (Child, mpsc::Receiver<FromChild>);

/// Where a session's child stands.
#[derive(Debug)]
enum State {
    Serving {
        since: Instant,
    },
    /// The fresh child is being told what the lost one was.
    Opening {
        until: Instant,
    },
    Lost {
        due: Instant,
        starting: Option<JoinHandle<io::Result<Spawned>>>,
    },
}

/// The way from a lost child to the next one.
#[derive(Debug)]
pub(super) struct Restart {
    state: State,
    backoff: Backoff,
    /// How the last one ended.
    pub(super) reason: ExitReason,
}

impl Restart {
    pub(super) fn new(now: Instant) -> Self {
        Self { state: State::Serving { since: now }, backoff: Backoff::default(), reason: ExitReason::Unknown }
    }

    /// The child is gone, or none could be started. `false`: and that was the last.
    pub(super) fn lost(&mut self, now: Instant) -> bool {
        let served = match self.state {
            State::Serving { since } => now - since,
            State::Opening { .. } | State::Lost { .. } => Duration::ZERO,
        };
        let pause = self.backoff.after(served);
        self.state = State::Lost { due: now + pause.unwrap_or_default(), starting: None };
        pause.is_some()
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost { .. })
    }

    pub(super) fn is_late(&self, now: Instant) -> bool {
        matches!(self.state, State::Opening { until } if until <= now)
    }

    /// Another child is there.
    pub(super) fn opening(&mut self, now: Instant) {
        self.state = State::Opening { until: now + READY_WITHIN };
    }

    pub(super) fn reopened(&mut self, now: Instant) {
        self.state = State::Serving { since: now };
    }

    /// Waits until one is due and started by `start`. Cancel safe: begun again, it goes on. For ever while none is lost.
    pub(super) async fn fresh(
        &mut self,
        start: impl FnOnce() -> JoinHandle<io::Result<Spawned>>,
    ) -> io::Result<Spawned> {
        let State::Lost { due, starting } = &mut self.state else { return std::future::pending().await };
        sleep_until(*due).await;
        let started = starting.get_or_insert_with(start).await;
        *starting = None;
        started.unwrap_or_else(|gone| Err(io::Error::other(gone)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_tenth_of_a_second_to_thirty_and_then_it_is_given_up() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.after(Duration::ZERO)).collect();
        let millis: Vec<_> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000]);
        assert_eq!(backoff.after(Duration::from_secs(59)), None, "given up is given up");
    }

    #[test]
    fn a_child_that_served_for_a_minute_starts_the_count_anew() {
        let mut backoff = Backoff::default();
        for _ in 0..9 {
            backoff.after(Duration::from_secs(59));
        }
        assert_eq!(backoff.after(HEALTHY), Some(FIRST));
    }
}
