//! Client assertions that were used (RFC 7523 §3): none proves anything twice, at whichever replica.

use std::time::Duration;

use super::{
    Commit, Store, StoreUnavailable, done, key,
    kv::{Batch, Expect},
};
use crate::oauth::secret::SecretHash;

impl Store {
    /// Of many who present one assertion, one gets [`Commit::Done`]. `lifetime`: until it expires by itself.
    pub async fn use_assertion(&self, id: &SecretHash, lifetime: Duration) -> Result<Commit, StoreUnavailable> {
        let key = key::assertion(id);
        let batch = Batch::default().expect(key.clone(), Expect::Absent).put(key, b"{}".to_vec(), Some(lifetime));
        self.kv.commit(batch).await.map(done)
    }
}
