//! When access was last used, for the account page: noticed by `/verify` for the price of one comparison, and written
//! down beside it. What cannot be written down at once is left out: a time on a page delays no request.

use std::sync::atomic::{AtomicU64, Ordering};

use log::debug;
use tokio::sync::{
    Mutex,
    mpsc::{Receiver, Sender, channel},
};

use crate::{oauth::id::TokenId, store::Store};

/// Seconds within which a further use is not written down.
const NOTICED_EVERY: u64 = 300;
/// Uses that may wait to be written down.
const QUEUE: usize = 256;

/// When a token was last noticed here; seconds since the epoch.
#[derive(Debug)]
pub(super) struct LastNoticed(AtomicU64);

impl LastNoticed {
    /// A token's issue is on record already: its first uses need no note.
    pub(super) fn when_issued(at: u64) -> Self {
        Self(AtomicU64::new(at))
    }

    /// Of many who ask at once, one is told to note it.
    fn is_due(&self, now: u64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        now >= last.saturating_add(NOTICED_EVERY)
            && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The way from `/verify` to the one task that writes.
#[derive(Debug)]
pub(crate) struct Usage {
    noticed: Sender<(TokenId, u64)>,
    waiting: Mutex<Receiver<(TokenId, u64)>>,
}

impl Default for Usage {
    fn default() -> Self {
        let (noticed, waiting) = channel(QUEUE);
        Self { noticed, waiting: Mutex::new(waiting) }
    }
}

impl Usage {
    pub(super) fn notice(&self, token: &TokenId, last: &LastNoticed, now: u64) {
        if last.is_due(now) {
            // Full: the next use will do as well.
            let _left_out = self.noticed.try_send((token.clone(), now)).is_err();
        }
    }

    /// Writes down what was noticed, until it is dropped.
    pub(crate) async fn write_down(&self, store: &Store) {
        let mut waiting = self.waiting.lock().await;
        while let Some((token, at)) = waiting.recv().await {
            if let Err(cause) = store.touch(&token, at, NOTICED_EVERY).await {
                debug!(cause:%; "the time of a use was not written down");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_steady_use_is_noticed_every_five_minutes_and_not_more_often() {
        let (usage, last) = (Usage::default(), LastNoticed::when_issued(1_000));
        let token = TokenId::parse("jti").unwrap();
        for now in 1_000..1_000 + 3 * NOTICED_EVERY {
            usage.notice(&token, &last, now);
        }
        let mut waiting = usage.waiting.try_lock().unwrap();
        assert_eq!(waiting.try_recv().unwrap(), (token.clone(), 1_000 + NOTICED_EVERY));
        assert_eq!(waiting.try_recv().unwrap(), (token, 1_000 + 2 * NOTICED_EVERY));
        assert!(waiting.try_recv().is_err());
    }

    #[test]
    fn more_uses_than_can_wait_are_left_out() {
        let usage = Usage::default();
        let token = TokenId::parse("jti").unwrap();
        for _ in 0..2 * QUEUE {
            usage.notice(&token, &LastNoticed::when_issued(0), 1_000);
        }
        assert_eq!(usage.waiting.try_lock().unwrap().len(), QUEUE);
    }
}
