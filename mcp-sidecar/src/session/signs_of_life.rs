//! Whether a process that several clients share still lives. It is used for as long as anybody asks it something, and
//! no client can have another one by starting anew: without this, one that hangs would be used for ever.
//!
//! Silence alone proves nothing: a call may take long, and one that was cancelled need not be answered. So a process
//! that has said nothing for `--call-timeout` since something was asked of it is asked what every server answers at
//! once. If it does not say a word then either, it is asked once more (that we did not hear it in time may be our own
//! fault: whoever was frozen finds all time over), and then given up. `initialize` is such a question itself.

use tokio::time::{Duration, Instant};

use super::restart::READY_WITHIN;

/// Questions of ours that it leaves unanswered.
const QUESTIONS: u32 = 2;

#[derive(Debug)]
pub(super) struct SignsOfLife {
    /// `--call-timeout`; none: silence is never too long.
    patience: Option<Duration>,
    silence: Option<Silence>,
    /// Until when it has to answer `initialize`, whatever else it says.
    greets_until: Option<Instant>,
    given_up: bool,
}

/// Not a word since something was asked of it.
#[derive(Clone, Copy, Debug)]
struct Silence {
    since: Instant,
    /// How often we have asked, after the patience was over.
    questions: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is to be asked whether it is there.
    Ask,
    /// For good.
    GiveUp,
}

impl SignsOfLife {
    pub(super) fn new(patience: Option<Duration>) -> Self {
        Self { patience, silence: None, greets_until: None, given_up: false }
    }

    /// Something was asked of it.
    pub(super) fn asked(&mut self, now: Instant) {
        self.silence.get_or_insert(Silence { since: now, questions: 0 });
    }

    /// It has said something, whatever it was.
    pub(super) fn heard(&mut self) {
        self.silence = None;
    }

    /// Whether it owes the answer to `initialize`.
    pub(super) fn greets(&mut self, owes: bool, now: Instant) {
        self.greets_until = owes.then(|| self.greets_until.unwrap_or_else(|| now + self.at_once()));
    }

    /// For what every server answers at once.
    fn at_once(&self) -> Duration {
        self.patience.map_or(READY_WITHIN, |patience| patience.min(READY_WITHIN))
    }

    /// When there will be a [`Verdict`].
    pub(super) fn due(&self) -> Option<Instant> {
        self.greets_until.into_iter().chain(self.speaks_until()).min().filter(|_| !self.given_up)
    }

    fn speaks_until(&self) -> Option<Instant> {
        let (patience, silence) = self.patience.zip(self.silence)?;
        Some(silence.since + if silence.questions == 0 { patience } else { self.at_once() })
    }

    /// To be carried out.
    pub(super) fn verdict(&mut self, now: Instant) -> Option<Verdict> {
        self.due().filter(|due| *due <= now)?;
        let questions = self.silence.map_or(0, |silence| silence.questions);
        if self.greets_until.is_some_and(|until| until <= now) || questions == QUESTIONS {
            self.given_up = true;
            return Some(Verdict::GiveUp);
        }
        self.silence = Some(Silence { since: now, questions: questions + 1 });
        Some(Verdict::Ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_is_silent_is_asked_twice_and_given_up_if_there_is_no_word_then_either() {
        let (mut signs, now) = (SignsOfLife::new(Some(HOUR)), Instant::now());
        assert_eq!(signs.due(), None, "nothing is owed");
        signs.asked(now);
        signs.asked(now + SECOND);
        assert_eq!(signs.due(), Some(now + HOUR), "since the first that was asked");
        assert_eq!(signs.verdict(now + HOUR - SECOND), None);
        assert_eq!(signs.verdict(now + HOUR), Some(Verdict::Ask));
        assert_eq!(signs.verdict(now + HOUR), None, "it has time to answer");
        signs.asked(now + HOUR + SECOND);
        assert_eq!(signs.due(), Some(now + HOUR + READY_WITHIN));
        assert_eq!(signs.verdict(now + 2 * HOUR), Some(Verdict::Ask), "we were frozen, perhaps");
        assert_eq!(signs.verdict(now + 2 * HOUR + READY_WITHIN), Some(Verdict::GiveUp));
        assert_eq!((signs.due(), signs.verdict(now + 3 * HOUR)), (None, None), "that was all");
    }

    #[test]
    fn any_word_is_a_sign_of_life() {
        let (mut signs, now) = (SignsOfLife::new(Some(HOUR)), Instant::now());
        signs.asked(now);
        assert_eq!(signs.verdict(now + HOUR), Some(Verdict::Ask));
        signs.heard();
        assert_eq!((signs.due(), signs.verdict(now + 2 * HOUR)), (None, None));
        signs.asked(now + 2 * HOUR);
        assert_eq!(signs.verdict(now + 3 * HOUR), Some(Verdict::Ask), "not given up at once for what was before");
    }

    #[test]
    fn initialize_is_to_be_answered_whatever_else_is_said() {
        for (patience, limit) in [(Some(2 * SECOND), 2 * SECOND), (Some(HOUR), READY_WITHIN), (None, READY_WITHIN)] {
            let (mut signs, now) = (SignsOfLife::new(patience), Instant::now());
            signs.greets(true, now);
            signs.greets(true, now + SECOND);
            signs.heard();
            assert_eq!((signs.due(), signs.verdict(now)), (Some(now + limit), None));
            assert_eq!(signs.verdict(now + limit), Some(Verdict::GiveUp));
            signs.greets(false, now + limit);
            assert_eq!(signs.due(), None);
        }
    }

    #[test]
    fn who_waits_for_ever_gives_nobody_up() {
        let (mut signs, now) = (SignsOfLife::new(None), Instant::now());
        signs.asked(now);
        assert_eq!((signs.due(), signs.verdict(now + 1000 * HOUR)), (None, None));
    }
}
