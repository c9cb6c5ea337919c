//! What was fetched for a URL: kept for as long as its headers allow, longer while its host is in trouble, and asked
//! for by one request at a time. Times are seconds since the epoch.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex as AsyncMutex;

use super::DocumentFault;

/// An old copy is served for this long while no new one can be had.
const STALE: u64 = 7 * 24 * 3600;
/// A failure is remembered for this long: a host in trouble, or one that is aimed at, is not asked at every request.
const RETRY_AFTER: u64 = 60;

/// A value and how long it may be kept.
pub(super) type Outcome<T> = Result<(T, Duration), DocumentFault>;

#[derive(Debug)]
pub(super) struct Cache<T> {
    slots: Mutex<HashMap<String, Arc<Slot<T>>>>,
    most: usize,
}

/// Whoever fetches holds `known`; the others wait for it and find what it brought. When its request goes away, the next
/// one fetches.
#[derive(Debug)]
struct Slot<T> {
    known: AsyncMutex<Known<T>>,
    used: AtomicU64,
}

#[derive(Debug)]
struct Known<T> {
    good: Option<Good<T>>,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Good<T> {
    value: T,
    fetched_at: u64,
    fresh_until: u64,
}

#[derive(Debug)]
struct Failure {
    cause: DocumentFault,
    until: u64,
}

impl<T: Clone> Cache<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { slots: Mutex::default(), most }
    }

    /// The value for `url`, from memory or by `fetch`. A fresh value that does not `suit` is fetched again once it is a
    /// minute old: keys rotate without waiting for caches.
    pub(super) async fn get<F>(
        &self,
        url: &str,
        now: u64,
        suits: impl Fn(&T) -> bool,
        fetch: F,
    ) -> Result<T, DocumentFault>
    where
        F: AsyncFnOnce() -> Outcome<T>,
    {
        let slot = self.slot(url, now);
        let mut known = slot.known.lock().await;
        match known.answer(now, suits) {
            Some(answer) => answer,
            None => known.learn(fetch().await, now),
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn slot(&self, url: &str, now: u64) -> Arc<Slot<T>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if !slots.contains_key(url) && slots.len() >= self.most {
            make_room(&mut slots);
        }
        let slot = slots.entry(url.to_owned()).or_insert_with(|| Arc::new(Slot::empty()));
        slot.used.store(now, Ordering::Relaxed);
        Arc::clone(slot)
    }
}

/// Of those that nobody waits for, what never was a client goes first, then what was not asked for the longest.
fn make_room<T>(slots: &mut HashMap<String, Arc<Slot<T>>>) {
    let idle = slots.iter().filter(|(_, slot)| Arc::strong_count(slot) == 1);
    let rank = |slot: &Slot<T>| (slot.is_good(), slot.used.load(Ordering::Relaxed));
    let least = idle.min_by_key(|(_, slot)| rank(slot)).map(|(url, _)| url.clone());
    if let Some(url) = least {
        slots.remove(&url);
    }
}

impl<T> Slot<T> {
    fn empty() -> Self {
        Self { known: AsyncMutex::new(Known { good: None, failure: None }), used: AtomicU64::new(0) }
    }

    fn is_good(&self) -> bool {
        self.known.try_lock().map_or(true, |known| known.good.is_some())
    }
}

impl<T: Clone> Known<T> {
    /// `None`: it is time to ask.
    fn answer(&self, now: u64, suits: impl Fn(&T) -> bool) -> Option<Result<T, DocumentFault>> {
        let good = self.good.as_ref();
        let holds = |good: &&Good<T>| suits(&good.value) || now < good.fetched_at.saturating_add(RETRY_AFTER);
        if let Some(fresh) = good.filter(|good| now < good.fresh_until).filter(holds) {
            return Some(Ok(fresh.value.clone()));
        }
        let failure = self.failure.as_ref().filter(|failure| now < failure.until)?;
        Some(good.map_or_else(|| Err(failure.cause.clone()), |stale| Ok(stale.value.clone())))
    }

    fn learn(&mut self, outcome: Outcome<T>, now: u64) -> Result<T, DocumentFault> {
        let cause = match outcome {
            Ok((value, lifetime)) => {
                let fresh_until = now.saturating_add(lifetime.as_secs());
                *self = Self { good: Some(Good { value: value.clone(), fetched_at: now, fresh_until }), failure: None };
                return Ok(value);
            }
            Err(cause) => cause,
        };
        // A document that was withdrawn or made unusable is what its owner says now; only trouble leaves the old one.
        let trouble = matches!(cause, DocumentFault::Unreachable(_));
        self.good = self.good.take().filter(|good| trouble && now < good.fresh_until.saturating_add(STALE));
        self.failure = Some(Failure { cause: cause.clone(), until: now.saturating_add(RETRY_AFTER) });
        self.good.as_ref().map_or(Err(cause), |stale| Ok(stale.value.clone()))
    }
}
