//! Tokens that were verified a moment ago: no signature check and no question to the store while nothing changes.
//!
//! What is remembered of a token counts as long as its [`Basis`] holds: every record that it was read from is watched
//! (`watch`), and the store tells of each change. Only good tokens are remembered, under the SHA-256 of their text;
//! their expiry, audience and scope are looked at again for each request, by `oauth::verify`.

use std::{ops::Deref, sync::Arc};

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::watch::Watch;

/// Tokens that are remembered: about 1 KiB each. A gateway with more in use at once verifies the rarer ones anew.
const TOKENS: usize = 8192;

/// The records that an answer was read from, as they were. Without any, nobody would tell of a change.
#[derive(Debug, Default)]
pub struct Basis(Vec<Arc<Watch>>);

/// What was found out about a token.
#[derive(Debug)]
pub struct Remembered<T> {
    found: T,
    basis: Basis,
}

/// SHA-256 of a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

#[derive(Debug)]
pub struct TokenCache<T> {
    tokens: Cache<TokenHash, Arc<Remembered<T>>>,
}

impl Basis {
    /// `None` where changes are not told of: then there is no basis at all.
    pub(super) fn of(watches: impl IntoIterator<Item = Option<Arc<Watch>>>) -> Self {
        Self(watches.into_iter().collect::<Option<_>>().unwrap_or_default())
    }

    fn holds(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|watch| watch.holds())
    }

    fn may_hold(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|watch| watch.may_hold())
    }
}

impl TokenHash {
    pub fn of(bearer: &str) -> Self {
        Self(Sha256::digest(bearer).into())
    }
}

impl<T> Deref for Remembered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.found
    }
}

impl<T> TokenCache<T> {
    /// What is remembered, if it is known to be so still.
    pub fn get(&self, token: &TokenHash) -> Option<Arc<Remembered<T>>> {
        let remembered = self.tokens.get(token)?;
        if remembered.basis.holds() {
            return Some(remembered);
        }
        if !remembered.basis.may_hold() {
            self.tokens.remove_if(token, |found| !found.basis.may_hold());
        }
        None
    }

    /// Remembers `found` for as long as `basis` holds, which it may have ceased to do already.
    pub fn keep(&self, token: TokenHash, found: T, basis: Basis) -> Arc<Remembered<T>> {
        let remembered = Arc::new(Remembered { found, basis });
        if remembered.basis.may_hold() {
            self.tokens.insert(token, remembered.clone());
        }
        remembered
    }
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self { tokens: Cache::new(TOKENS) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::watch::Feed, *};

    fn token(name: &str) -> TokenHash {
        TokenHash::of(name)
    }

    #[test]
    fn what_is_kept_is_found_until_one_of_its_records_changes() {
        let (cache, feed) = (TokenCache::default(), Feed::in_process());
        cache.keep(token("t"), "found", Basis::of([Some(feed.watch("token")), Some(feed.watch("client"))]));
        assert_eq!(cache.get(&token("t")).map(|found| **found), Some("found"));
        assert!(cache.get(&token("u")).is_none());
        feed.changed("client");
        assert!(cache.get(&token("t")).is_none());
        assert_eq!(cache.tokens.len(), 0, "and it is not kept any longer");
    }

    #[test]
    fn what_changed_before_it_was_kept_is_not_found() {
        let (cache, feed) = (TokenCache::default(), Feed::in_process());
        let watch = feed.watch("token");
        feed.changed("token");
        assert_eq!(**cache.keep(token("t"), "found", Basis::of([Some(watch)])), "found");
        assert!(cache.get(&token("t")).is_none());
    }

    #[test]
    fn without_a_teller_of_changes_nothing_is_remembered() {
        let (cache, feed) = (TokenCache::default(), Feed::in_process());
        cache.keep(token("t"), (), Basis::of([Some(feed.watch("token")), None]));
        cache.keep(token("u"), (), Basis::default());
        assert!(cache.get(&token("t")).is_none() && cache.get(&token("u")).is_none());
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let (cache, feed) = (TokenCache::default(), Feed::in_process());
        for i in 0..2 * TOKENS {
            cache.keep(token(&i.to_string()), (), Basis::of([Some(feed.watch(&i.to_string()))]));
        }
        assert!(cache.tokens.len() <= TOKENS);
    }
}
