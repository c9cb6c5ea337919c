//! How far Redis is to be believed just now. Pure but for the lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::store::SETTLES_WITHIN;
use super::whereabouts::Knowledge;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not heard of since the start.
    NotYet,
    Here,
    /// It answers again. What was written last before it went may be lost.
    Back {
        at: Instant,
    },
    Away {
        since: Instant,
    },
}

/// Shared by everything that talks to Redis.
#[derive(Debug)]
pub(super) struct Trust(Mutex<State>);

/// What a question ended in, where it differs from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    WentAway,
    CameBack,
}

impl Trust {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::NotYet))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answered(&self, now: Instant) -> Change {
        let mut state = self.lock();
        match *state {
            State::Here | State::Back { .. } => Change::None,
            State::NotYet => {
                *state = State::Here;
                Change::CameBack
            }
            State::Away { .. } => {
                *state = State::Back { at: now };
                Change::CameBack
            }
        }
    }

    pub(super) fn failed(&self, now: Instant) -> Change {
        let mut state = self.lock();
        if matches!(*state, State::Away { .. }) {
            return Change::None;
        }
        *state = State::Away { since: now };
        Change::WentAway
    }

    /// Asking would only take time.
    pub(super) fn is_away(&self) -> bool {
        matches!(*self.lock(), State::Away { .. })
    }

    /// While Redis is away: until when another replica may not have noticed it, and would take what it does not find
    /// there for what does not exist. `None`: by now all have.
    pub(super) fn unnoticed_until(&self, now: Instant) -> Option<Instant> {
        match *self.lock() {
            State::Away { since } => Some(since + SETTLES_WITHIN).filter(|until| now < *until),
            State::NotYet | State::Here | State::Back { .. } => None,
        }
    }

    /// What Redis itself says of its completeness, and what we know of it.
    pub(super) fn judge(&self, said: Knowledge, now: Instant) -> Knowledge {
        match *self.lock() {
            State::Here => said,
            State::Back { at } if now >= at + SETTLES_WITHIN => said,
            State::Back { .. } | State::Away { .. } | State::NotYet => Knowledge::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_that_was_away_is_believed_again_once_everybody_has_had_the_time() {
        let (trust, start) = (Trust::new(), Instant::now());
        assert!(!trust.is_away(), "it is asked before anything is known of it");
        assert_eq!(trust.judge(Knowledge::Complete, start), Knowledge::Incomplete);
        assert_eq!((trust.answered(start), trust.answered(start)), (Change::CameBack, Change::None));
        assert_eq!(trust.judge(Knowledge::Complete, start), Knowledge::Complete);
        assert_eq!((trust.failed(start), trust.failed(start)), (Change::WentAway, Change::None));
        assert!(trust.is_away());
        assert_eq!(trust.answered(start), Change::CameBack);
        assert!(!trust.is_away());
        assert_eq!(trust.judge(Knowledge::Complete, start), Knowledge::Incomplete);
        assert_eq!(trust.judge(Knowledge::Complete, start + SETTLES_WITHIN), Knowledge::Complete);
        assert_eq!(trust.judge(Knowledge::Incomplete, start + SETTLES_WITHIN), Knowledge::Incomplete);
    }
    #[test]
    fn a_redis_that_went_away_has_been_missed_by_everybody_after_as_long_as_they_have_to_settle() {
        let (trust, start) = (Trust::new(), Instant::now());
        assert_eq!(trust.unnoticed_until(start), None);
        trust.failed(start);
        trust.failed(start + SETTLES_WITHIN / 2);
        assert_eq!(trust.unnoticed_until(start), Some(start + SETTLES_WITHIN), "counted from the first failure");
        assert_eq!(trust.unnoticed_until(start + SETTLES_WITHIN), None);
        trust.answered(start);
        assert_eq!(trust.unnoticed_until(start), None);
    }
}
