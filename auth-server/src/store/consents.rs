//! What people allowed before, so that they are not asked twice.

use std::time::Duration;

use super::{
    Store, StoreUnavailable,
    issue::ATTEMPTS,
    key,
    kv::{Batch, Expect},
    record,
};
use crate::oauth::{
    authorization::AuthorizationRequest,
    consent::{LIFETIME, Memory},
    grant::User,
    id::ClientId,
    secret::Secret,
};

impl Store {
    pub async fn consent_memory(&self, username: &str) -> Result<Option<Memory>, StoreUnavailable> {
        let stored = self.kv.get(&key::consent(username)).await?;
        Ok(stored.and_then(|bytes| record::decode(&bytes).ok()))
    }

    /// `browser`: what the browser presents when it asks again. `now`: seconds since the epoch.
    pub async fn remember_consent(
        &self,
        user: &User,
        request: &AuthorizationRequest,
        browser: &Secret,
        now: u64,
    ) -> Result<(), StoreUnavailable> {
        self.change_memory(&user.username, |known| {
            // A login that has a new owner since: what the old one allowed is nothing to the new one.
            let memory = known.filter(|memory| memory.person == user.id).unwrap_or_else(|| Memory::of(user.id.clone()));
            Some(memory.with(request, browser, now))
        })
        .await
    }

    /// `client` `None`: all that this person decided.
    pub async fn forget_consent(&self, username: &str, client: Option<&ClientId>) -> Result<(), StoreUnavailable> {
        let Some(client) = client else {
            return self.kv.commit(Batch::default().delete(key::consent(username))).await.map(drop);
        };
        self.change_memory(username, |known| known.map(|memory| memory.without(client))).await
    }

    async fn change_memory(
        &self,
        username: &str,
        change: impl Fn(Option<Memory>) -> Option<Memory>,
    ) -> Result<(), StoreUnavailable> {
        let key = key::consent(username);
        for _ in 0..ATTEMPTS {
            let stored = self.kv.get(&key).await?;
            let memory = change(stored.as_deref().and_then(|bytes| record::decode(bytes).ok()));
            let batch = Batch::default().expect(key.clone(), stored.map_or(Expect::Absent, Expect::Is));
            let batch = match memory.filter(|memory| !memory.is_empty()) {
                Some(memory) => batch.put(key.clone(), record::encode(&memory)?, Some(Duration::from_secs(LIFETIME))),
                None => batch.delete(key.clone()),
            };
            if self.kv.commit(batch).await? {
                return Ok(());
            }
        }
        Err(StoreUnavailable::because("what a person allowed is being changed without pause"))
    }
}
