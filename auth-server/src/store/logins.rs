//! What is on its way: logins under their `state`, and codes.
//!
//! The Python service's `oauth:state:` records are not honoured: they are bound to no browser and carry no consent.
//! Whoever is at GitHub during the swap, for 300 s at most, starts again.

use std::time::Duration;

use super::{
    Store, StoreUnavailable, key,
    kv::Batch,
    record::{self, Origin},
};
use crate::{
    clock,
    oauth::{
        authorization::PendingAuthorization,
        grant::CodeGrant,
        secret::{Secret, SecretHash},
    },
};

/// The Python service's lifetime of a code: 365 days. What is left of it says when the code was issued.
const PYTHON_CODE_LIFETIME: u64 = 31_536_000;

/// A code as it is stored.
pub(super) struct StoredCode {
    pub(super) key: String,
    pub(super) bytes: Vec<u8>,
    pub(super) origin: Origin,
    pub(super) grant: CodeGrant,
}

impl Store {
    pub async fn put_pending(
        &self,
        state: &SecretHash,
        pending: &PendingAuthorization,
        lifetime: Duration,
    ) -> Result<(), StoreUnavailable> {
        let batch = Batch::default().put(key::pending(state), record::encode(pending)?, Some(lifetime));
        self.kv.commit(batch).await.map(drop)
    }

    /// Looks without taking: for the consent page.
    pub async fn pending(&self, state: &SecretHash) -> Result<Option<PendingAuthorization>, StoreUnavailable> {
        let stored = self.kv.get(&key::pending(state)).await?;
        Ok(stored.and_then(|bytes| record::decode(&bytes).ok()))
    }

    /// Of many who present one `state`, one gets the login.
    pub async fn take_pending(&self, state: &SecretHash) -> Result<Option<PendingAuthorization>, StoreUnavailable> {
        let stored = self.kv.take(&key::pending(state)).await?;
        Ok(stored.and_then(|bytes| record::decode(&bytes).ok()))
    }

    pub async fn put_code(
        &self,
        code: &SecretHash,
        grant: &CodeGrant,
        lifetime: Duration,
    ) -> Result<(), StoreUnavailable> {
        let batch = Batch::default().put(key::code(code), record::code::encode(grant)?, Some(lifetime));
        self.kv.commit(batch).await.map(drop)
    }

    pub async fn code(&self, code: &Secret) -> Result<Option<CodeGrant>, StoreUnavailable> {
        let Some(stored) = self.stored_code(code).await? else { return Ok(None) };
        let mut grant = stored.grant;
        if let (Origin::Python, CodeGrant::Approved { issued_at, .. }) = (stored.origin, &mut grant) {
            let left = self.kv.time_left(&stored.key).await?.unwrap_or_default().as_secs();
            *issued_at = clock::unix((self.clock)()).saturating_sub(PYTHON_CODE_LIFETIME.saturating_sub(left));
        }
        Ok(Some(grant))
    }

    /// Under the hash, or else where the Python service keeps it.
    pub(super) async fn stored_code(&self, code: &Secret) -> Result<Option<StoredCode>, StoreUnavailable> {
        for (key, origin) in [(key::code(&code.hash()), Origin::Ours), (key::plain_code(code), Origin::Python)] {
            let Some(bytes) = self.kv.get(&key).await? else { continue };
            let grant = record::code::decode(&bytes, origin)?;
            return Ok(grant.map(|grant| StoredCode { key, bytes, origin, grant }));
        }
        Ok(None)
    }
}
