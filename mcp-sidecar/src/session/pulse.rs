//! Whether a process that several clients share still lives. It is used for as long as anybody asks it something, and
//! no client can have another one by starting anew: without this, one that hangs would be used for ever.
//!
//! Silence alone proves nothing: a call may take long, and one that was cancelled need not be answered. So a process
//! that has said nothing for `--call-timeout` since something was asked of it is asked what every server answers at
//! once; if it does not say a word then either, it is given up. `initialize` is such a question itself.

use tokio::time::{Duration, Instant};

use super::restart::READY_WITHIN;

#[derive(Debug)]
pub(super) struct Pulse {
    /// `--call-timeout`; none: silence is never too long.
    patience: Option<Duration>,
    silence: Option<Silence>,
    /// Until when it has to answer `initialize`, whatever else it says.
    greets_until: Option<Instant>,
}

/// Not a word since something was asked of it.
#[derive(Clone, Copy, Debug)]
struct Silence {
    since: Instant,
    /// By us, after the patience was over.
    asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is to be asked whether it is there.
    Ask,
    GiveUp,
}

impl Pulse {
    pub(super) fn new(patience: Option<Duration>) -> Self {
        Self { patience, silence: None, greets_until: None }
    }

    /// Something was asked of it.
    pub(super) fn asked(&mut self, now: Instant) {
        self.silence.get_or_insert(Silence { since: now, asked: false });
    }

    /// It has said something.
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
        self.greets_until.into_iter().chain(self.speaks_until()).min()
    }

    fn speaks_until(&self) -> Option<Instant> {
        let (patience, silence) = self.patience.zip(self.silence)?;
        Some(silence.since + if silence.asked { self.at_once() } else { patience })
    }

    /// To be carried out; if nothing changes, the next one is due later.
    pub(super) fn verdict(&mut self, now: Instant) -> Option<Verdict> {
        if self.greets_until.take_if(|until| *until <= now).is_some() {
            self.greets(true, now);
            return Some(Verdict::GiveUp);
        }
        self.speaks_until().filter(|until| *until <= now)?;
        let before = self.silence.replace(Silence { since: now, asked: true });
        Some(if before.is_some_and(|silence| silence.asked) { Verdict::GiveUp } else { Verdict::Ask })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_is_silent_is_asked_first_and_given_up_if_there_is_no_word_then_either() {
        let (mut pulse, now) = (Pulse::new(Some(HOUR)), Instant::now());
        assert_eq!(pulse.due(), None, "nothing is owed");
        pulse.asked(now);
        pulse.asked(now + SECOND);
        assert_eq!(pulse.due(), Some(now + HOUR), "since the first that was asked");
        assert_eq!(pulse.verdict(now + HOUR - SECOND), None);
        assert_eq!(pulse.verdict(now + HOUR), Some(Verdict::Ask));
        assert_eq!(pulse.verdict(now + HOUR), None, "it has time to answer");
        assert_eq!(pulse.due(), Some(now + HOUR + READY_WITHIN));
        pulse.asked(now + HOUR + SECOND);
        assert_eq!(pulse.verdict(now + HOUR + READY_WITHIN), Some(Verdict::GiveUp));
    }

    #[test]
    fn any_word_is_a_sign_of_life() {
        let (mut pulse, now) = (Pulse::new(Some(HOUR)), Instant::now());
        pulse.asked(now);
        assert_eq!(pulse.verdict(now + HOUR), Some(Verdict::Ask));
        pulse.heard();
        assert_eq!((pulse.due(), pulse.verdict(now + 2 * HOUR)), (None, None));
        pulse.asked(now + 2 * HOUR);
        assert_eq!(pulse.verdict(now + 3 * HOUR), Some(Verdict::Ask), "not given up at once for what was before");
    }

    #[test]
    fn initialize_is_to_be_answered_whatever_else_is_said() {
        for (patience, limit) in [(Some(2 * SECOND), 2 * SECOND), (Some(HOUR), READY_WITHIN), (None, READY_WITHIN)] {
            let (mut pulse, now) = (Pulse::new(patience), Instant::now());
            pulse.greets(true, now);
            pulse.greets(true, now + SECOND);
            pulse.heard();
            assert_eq!((pulse.due(), pulse.verdict(now)), (Some(now + limit), None));
            assert_eq!(pulse.verdict(now + limit), Some(Verdict::GiveUp));
            pulse.greets(false, now + limit);
            assert_eq!(pulse.due(), None);
        }
    }

    #[test]
    fn who_waits_for_ever_gives_nobody_up() {
        let (mut pulse, now) = (Pulse::new(None), Instant::now());
        pulse.asked(now);
        assert_eq!((pulse.due(), pulse.verdict(now + 1000 * HOUR)), (None, None));
    }
}
