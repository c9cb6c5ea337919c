//! Whether records are still as they were read: what the store tells of changes, and who wants to know.
//!
//! A [`Watch`] on a key is taken before the key is read, so a change between reading and remembering is not missed.
//! The teller is a [`Feed`]: the embedded store's writer, or one tracked connection to Redis, which must go on proving
//! that it is alive. When it ends, nothing that was read by its means counts any longer.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// After a proof of life, a silent connection is believed this long: so late a revocation can be seen at most.
const LEASE: Duration = Duration::from_millis(500);
/// Below this many watches none is cleared away.
const FEW: usize = 1024;

/// Values of `trusted_until`; all others are milliseconds since the feed began.
const ENDED: u64 = 0;
const UNPROVEN: u64 = 1;
const ALWAYS: u64 = u64::MAX;

/// A teller of changes.
#[derive(Debug)]
pub(crate) struct Feed {
    watches: Mutex<Watches>,
    began: Instant,
    trusted_until: AtomicU64,
}

#[derive(Debug)]
struct Watches {
    by_key: HashMap<String, Weak<Watch>>,
    cleared_at: usize,
}

/// One record, as it was when the watch was taken.
#[derive(Debug)]
pub(crate) struct Watch {
    feed: Arc<Feed>,
    changed: AtomicBool,
}

impl Feed {
    /// In the same process: never silent.
    pub(crate) fn in_process() -> Arc<Self> {
        Self::new(ALWAYS)
    }

    /// Over a connection: believed for a while after each proof of life.
    pub(crate) fn remote() -> Arc<Self> {
        Self::new(UNPROVEN)
    }

    fn new(trusted_until: u64) -> Arc<Self> {
        let watches = Watches { by_key: HashMap::new(), cleared_at: FEW };
        let (watches, trusted_until) = (Mutex::new(watches), AtomicU64::new(trusted_until));
        Arc::new(Self { watches, began: Instant::now(), trusted_until })
    }

    /// To be called before `key` is read.
    pub(crate) fn watch(self: &Arc<Self>, key: &str) -> Arc<Watch> {
        let mut watches = self.watches();
        if let Some(watch) = watches.by_key.get(key).and_then(Weak::upgrade) {
            return watch;
        }
        if watches.by_key.len() >= watches.cleared_at {
            watches.by_key.retain(|_, watch| watch.strong_count() > 0);
            watches.cleared_at = FEW.max(2 * watches.by_key.len());
        }
        let watch = Arc::new(Watch { feed: self.clone(), changed: AtomicBool::new(false) });
        watches.by_key.insert(key.to_owned(), Arc::downgrade(&watch));
        watch
    }

    pub(crate) fn changed(&self, key: &str) {
        if let Some(watch) = self.watches().by_key.remove(key) {
            watch.upgrade().inspect(|watch| watch.changed.store(true, Ordering::Release));
        }
    }

    pub(crate) fn all_changed(&self) {
        for (_, watch) in self.watches().by_key.drain() {
            watch.upgrade().inspect(|watch| watch.changed.store(true, Ordering::Release));
        }
    }

    /// What was asked at `asked` has been answered, and so all that was told before it has been heard.
    pub(crate) fn prove(&self, asked: Instant) {
        let until = millis((asked + LEASE).saturating_duration_since(self.began)).max(UNPROVEN);
        let extend = |current| (current != ENDED).then_some(until);
        let _ended = self.trusted_until.fetch_update(Ordering::AcqRel, Ordering::Acquire, extend);
    }

    /// For good: a connection that is lost does not come back; the next one has a feed of its own.
    pub(crate) fn end(&self) {
        self.trusted_until.store(ENDED, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.trusted_until.load(Ordering::Acquire) == ENDED
    }

    fn is_trusted(&self) -> bool {
        let until = self.trusted_until.load(Ordering::Acquire);
        until == ALWAYS || until > UNPROVEN && millis(self.began.elapsed()) < until
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Whether the record is known to be as it was.
    pub(crate) fn holds(&self) -> bool {
        !self.changed.load(Ordering::Acquire) && self.feed.is_trusted()
    }

    /// Whether it can hold again: a feed that is only silent may still prove itself.
    pub(crate) fn may_hold(&self) -> bool {
        !self.changed.load(Ordering::Acquire) && !self.feed.has_ended()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proof from then holds for as long as any test may take.
    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    #[test]
    fn a_change_between_reading_and_remembering_is_not_missed() {
        let feed = Feed::in_process();
        let watch = feed.watch("a");
        feed.changed("a");
        assert!(!watch.holds());
        assert!(feed.watch("a").holds(), "what is read from now on is new");
    }

    #[test]
    fn a_change_is_told_to_all_who_watch_the_key_and_to_nobody_else() {
        let feed = Feed::in_process();
        let (one, same, other) = (feed.watch("a"), feed.watch("a"), feed.watch("b"));
        feed.changed("a");
        assert!(!one.holds() && !same.holds() && other.holds());
        feed.all_changed();
        assert!(!other.holds());
    }

    #[test]
    fn a_connection_is_believed_only_after_a_proof_and_never_after_its_end() {
        let feed = Feed::remote();
        let watch = feed.watch("a");
        assert!(!watch.holds());
        feed.prove(in_an_hour());
        assert!(watch.holds());
        feed.end();
        feed.prove(in_an_hour());
        assert!(!watch.holds() && !watch.may_hold() && feed.has_ended());
    }

    #[test]
    fn a_connection_that_has_been_silent_for_too_long_is_not_believed_until_it_answers() {
        let feed = Feed::remote();
        let watch = feed.watch("a");
        feed.prove(feed.began.checked_sub(LEASE).unwrap());
        assert!(!watch.holds() && watch.may_hold());
        feed.prove(in_an_hour());
        assert!(watch.holds());
    }

    #[test]
    fn watches_that_nobody_keeps_are_cleared_away() {
        let feed = Feed::in_process();
        let kept = feed.watch("kept");
        for i in 0..10 * FEW {
            drop(feed.watch(&i.to_string()));
        }
        assert!(feed.watches().by_key.len() <= FEW);
        feed.changed("kept");
        assert!(!kept.holds());
    }
}
