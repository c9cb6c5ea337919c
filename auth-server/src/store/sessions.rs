//! Who is at their account page, and who is on the way there.

use std::time::Duration;

use super::{Store, StoreUnavailable, key, kv::Batch, record};
use crate::oauth::{
    account::{SESSION_LIFETIME, Session, SignIn},
    secret::{Secret, SecretHash},
};

impl Store {
    pub async fn put_sign_in(
        &self,
        state: &SecretHash,
        sign_in: &SignIn,
        lifetime: Duration,
    ) -> Result<(), StoreUnavailable> {
        let batch = Batch::default().put(key::sign_in(state), record::encode(sign_in)?, Some(lifetime));
        self.kv.commit(batch).await.map(drop)
    }

    /// Looks without taking: another browser's attempt uses nothing up.
    pub async fn sign_in(&self, state: &SecretHash) -> Result<Option<SignIn>, StoreUnavailable> {
        self.kv.get(&key::sign_in(state)).await?.map(|bytes| record::decode(&bytes)).transpose()
    }

    /// Of many who present one `state`, one gets in.
    pub async fn take_sign_in(&self, state: &SecretHash) -> Result<Option<SignIn>, StoreUnavailable> {
        self.kv.take(&key::sign_in(state)).await?.map(|bytes| record::decode(&bytes)).transpose()
    }

    pub async fn put_session(&self, secret: &Secret, session: &Session) -> Result<(), StoreUnavailable> {
        let lifetime = Some(Duration::from_secs(SESSION_LIFETIME));
        let batch = Batch::default().put(key::session(&secret.hash()), record::encode(session)?, lifetime);
        self.kv.commit(batch).await.map(drop)
    }

    pub async fn session(&self, secret: &Secret) -> Result<Option<Session>, StoreUnavailable> {
        self.kv.get(&key::session(&secret.hash())).await?.map(|bytes| record::decode(&bytes)).transpose()
    }

    pub async fn end_session(&self, secret: &Secret) -> Result<(), StoreUnavailable> {
        self.kv.commit(Batch::default().delete(key::session(&secret.hash()))).await.map(drop)
    }

    /// All that a person has, in whatever browser: for the operator, since a person who revokes everything stays at
    /// their account page.
    pub async fn end_sessions_of(&self, username: &str) -> Result<usize, StoreUnavailable> {
        let (mut ended, mut records) = (0, self.kv.records(key::SESSION));
        while let Some(page) = records.page().await? {
            for found in page {
                if record::decode::<Session>(&found.value).is_ok_and(|session| session.username == username) {
                    self.kv.commit(Batch::default().delete(found.key)).await?;
                    ended += 1;
                }
            }
        }
        Ok(ended)
    }
}
