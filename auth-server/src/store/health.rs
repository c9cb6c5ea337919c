//! What the operator wants to know of a store before relying on it.

use std::time::Duration;

use super::{
    Store, StoreUnavailable, key,
    kv::{Batch, Expect, Kv},
};

/// What Redis says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub version: String,
    /// It has an append-only file.
    pub durable: bool,
    /// It deletes records of its own choice when its memory is full.
    pub evicts: bool,
}

impl Store {
    /// Writes a record that nobody reads, and deletes it.
    pub async fn try_write(&self) -> Result<(), StoreUnavailable> {
        let key = format!("{}doctor", key::ALL);
        let written = Batch::default().put(key.clone(), b"{}".to_vec(), Some(Duration::from_secs(10)));
        self.kv.commit(written).await?;
        let deleted = Batch::default().expect(key.clone(), Expect::Present).delete(key);
        if self.kv.commit(deleted).await? {
            Ok(())
        } else {
            Err(StoreUnavailable::because("what was written is not there"))
        }
    }

    /// `None`: not Redis.
    pub async fn health(&self) -> Result<Option<Health>, StoreUnavailable> {
        let Kv::Redis(kv) = &self.kv else { return Ok(None) };
        let info = kv.info().await?;
        let value =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        Ok(Some(Health {
            version: value("redis_version:"),
            durable: value("aof_enabled:") == "1",
            evicts: !matches!(value("maxmemory_policy:").as_str(), "" | "noeviction"),
        }))
    }
}
