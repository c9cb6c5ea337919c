//! Registered clients (RFC 7591, RFC 7592).

use std::time::Duration;

use super::{
    Commit, Store, StoreUnavailable, done, key,
    kv::{Batch, Expect},
    record,
};
use crate::oauth::{client::Client, id::ClientId};

impl Store {
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        let stored = self.kv.get(&key::client(id)).await?;
        stored.map(|bytes| record::client::decode(&bytes)).transpose()
    }

    /// `lifetime` `None`: never expires.
    pub async fn put_client(&self, client: &Client, lifetime: Option<Duration>) -> Result<(), StoreUnavailable> {
        self.kv.commit(put(client, lifetime)?).await.map(drop)
    }

    /// For RFC 7592 §2.2: a client that was deleted meanwhile is not brought back.
    pub async fn replace_client(
        &self,
        client: &Client,
        lifetime: Option<Duration>,
    ) -> Result<Commit, StoreUnavailable> {
        let batch = put(client, lifetime)?.expect(key::client(&client.id), Expect::Present);
        self.kv.commit(batch).await.map(done)
    }

    /// RFC 7592 §2.3: with the client go its tokens.
    ///
    /// Its families go first, so that one who is interrupted can repeat the request; then the client, after which none
    /// can be founded; then those that were founded in between.
    pub async fn delete_client(&self, id: &ClientId) -> Result<(), StoreUnavailable> {
        self.revoke_families_of(id).await?;
        let batch = Batch::default().delete(key::client(id)).remove_member(key::CLIENT_INDEX.to_owned(), id.as_str());
        self.kv.commit(batch).await?;
        self.revoke_families_of(id).await
    }
}

fn put(client: &Client, lifetime: Option<Duration>) -> Result<Batch, StoreUnavailable> {
    Ok(Batch::default().put(key::client(&client.id), record::client::encode(client)?, lifetime).add_member(
        key::CLIENT_INDEX.to_owned(),
        client.id.as_str(),
        key::CLIENT,
    ))
}
