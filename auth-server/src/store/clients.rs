//! Registered clients (RFC 7591, RFC 7592).
//!
//! A registration that nobody uses lapses within the hour; getting tokens makes it one in use, which lives
//! `CLIENT_LIFETIME` from then on. What an operator made, without a lifetime, stays.

use std::time::Duration;

use super::{
    Commit, Store, StoreUnavailable, done, key,
    kv::{Batch, Expect},
    record,
};
use crate::{
    clock,
    oauth::{client::Client, id::ClientId, registration::Fingerprint},
};

/// How long a registration may wait for its first tokens.
const UNUSED: Duration = Duration::from_secs(3600);
/// A client in use is written again this long after the last time, not at every token.
const RENEWED_EVERY: Duration = Duration::from_secs(86_400);

impl Store {
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        let stored = self.kv.get(&key::client(id)).await?;
        stored.map(|bytes| record::client::decode(&bytes)).transpose()
    }

    /// `lifetime` `None`: never expires.
    pub async fn put_client(&self, client: &Client, lifetime: Option<Duration>) -> Result<(), StoreUnavailable> {
        self.kv.commit(put(client, lifetime)?).await.map(drop)
    }

    /// A new client. [`Commit::Conflict`]: there are `most` already, all of them alive.
    pub async fn register_client(
        &self,
        client: &Client,
        lifetime: Option<Duration>,
        most: usize,
    ) -> Result<Commit, StoreUnavailable> {
        let lifetime = Some(lifetime.unwrap_or(UNUSED).min(UNUSED));
        let room = Expect::Fewer { most, prefix: key::CLIENT.into() };
        let batch = indexed(put(client, lifetime)?.expect(key::CLIENT_INDEX.to_owned(), room), client, lifetime);
        self.kv.commit(batch).await.map(done)
    }

    /// The public client that was registered with the same metadata before. Nobody manages it from now on.
    pub async fn share_client(&self, fingerprint: &Fingerprint) -> Result<Option<Client>, StoreUnavailable> {
        let known = self.kv.get(&key::registration(fingerprint)).await?.and_then(|id| String::from_utf8(id).ok());
        let Some(id) = known.and_then(|id| ClientId::parse(&id)) else { return Ok(None) };
        let key = key::client(&id);
        let (Some(bytes), left) = (self.kv.get(&key).await?, self.kv.time_left(&key).await?) else { return Ok(None) };
        let client = record::client::decode(&bytes)?;
        // It may have been changed since (RFC 7592 §2.2).
        if Fingerprint::of(&client).as_ref() != Some(fingerprint) {
            return Ok(None);
        }
        let (unmanaged, lifetime) = (record::client::unmanaged(&bytes)?, left.map(|left| left.max(UNUSED)));
        let batch = Batch::default().expect(key.clone(), Expect::Is(bytes)).put(key, unmanaged, lifetime);
        let shared = self.kv.commit(indexed(batch, &client, lifetime)).await?;
        Ok(shared.then_some(client))
    }

    /// A client got tokens: it lives `lifetime` from now on.
    pub async fn renew_client(&self, id: &ClientId, lifetime: Option<Duration>) -> Result<(), StoreUnavailable> {
        let key = key::client(id);
        if !is_due(self.kv.time_left(&key).await?, lifetime) {
            return Ok(());
        }
        let Some(bytes) = self.kv.get(&key).await? else { return Ok(()) };
        let client = record::client::decode(&bytes)?;
        let renewed = record::client::renewed(&bytes, clock::unix((self.clock)()), lifetime)?;
        let batch = Batch::default().expect(key.clone(), Expect::Is(bytes)).put(key, renewed, lifetime);
        // Whoever was faster renewed, changed or deleted it.
        self.kv.commit(indexed(batch, &client, lifetime)).await.map(drop)
    }

    /// For RFC 7592 §2.2: a client that was deleted meanwhile is not brought back, and changing is not using.
    pub async fn replace_client(&self, client: &Client) -> Result<Commit, StoreUnavailable> {
        let key = key::client(&client.id);
        let left = self.kv.time_left(&key).await?;
        self.kv.commit(put(client, left)?.expect(key, Expect::Present)).await.map(done)
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

/// So that the next registration with the same metadata finds this client.
fn indexed(batch: Batch, client: &Client, lifetime: Option<Duration>) -> Batch {
    match Fingerprint::of(client) {
        Some(fingerprint) => batch.put(key::registration(&fingerprint), client.id.as_str().into(), lifetime),
        None => batch,
    }
}

/// `left` `None`: the client is gone or never expires.
fn is_due(left: Option<Duration>, lifetime: Option<Duration>) -> bool {
    match (left, lifetime) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(left), Some(lifetime)) => left + RENEWED_EVERY.min(lifetime / 10) < lifetime,
    }
}
