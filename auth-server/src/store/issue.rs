//! Tokens come to be: from a code, from a refresh token, or once more for a retry. Each is one atomic step.

use std::time::Duration;

use super::{
    Commit, Lifetimes, Redemption, RotationCommit, Store, StoreUnavailable, StoredRefresh, done, key,
    kv::{Batch, Expect},
    record::{self, Origin, family::Family},
};
use crate::oauth::{
    access_token::{Claims, TokenRecord},
    grant::CodeGrant,
    id::{ClientId, FamilyId},
    refresh::RefreshGrant,
    secret::Secret,
};

/// Each lost race means that somebody else's commit went through; so many of them in a row do not happen.
pub(super) const ATTEMPTS: usize = 64;

impl Store {
    /// Spends a code. [`Commit::Conflict`]: it is no longer what was seen, or its client is gone.
    pub async fn redeem_code(&self, redemption: Redemption<'_>) -> Result<Commit, StoreUnavailable> {
        let Redemption { code, seen, family: id, access, refresh, lifetimes } = redemption;
        let Some(stored) = self.stored_code(code).await? else { return Ok(Commit::Conflict) };
        // The Python service's codes never change, and when they were issued is worked out, not stored.
        let CodeGrant::Approved { request, .. } = seen else { return Ok(Commit::Conflict) };
        if stored.origin == Origin::Ours && stored.grant != *seen {
            return Ok(Commit::Conflict);
        }
        let spent = record::code::encode(&CodeGrant::Exchanged { family: id.clone() })?;
        let batch = Batch::default()
            .expect(stored.key.clone(), Expect::Is(stored.bytes))
            .expect(key::family(id), Expect::Absent)
            .delete(stored.key)
            .put(key::code(&code.hash()), spent, Some(lifetimes.code));
        let mut batch = expect_client(batch, &access.claims.client_id);
        let mut family = Family::found(&access.claims, request.scope.clone(), request.resource.clone());
        if let Some((hash, grant)) = refresh {
            batch = batch.put(key::refresh(hash), record::refresh::encode(grant)?, Some(lifetimes.refresh));
            family.refresh = Some(hash.clone());
        }
        let batch = found(batch, id, &access.claims);
        self.kv.commit(join(batch, id, family, access, lifetimes)?).await.map(done)
    }

    /// A client that acts for itself gets its token, in a family of its own. [`Commit::Conflict`]: the client is gone.
    pub async fn found_family(&self, token: &TokenRecord, lifetime: Duration) -> Result<Commit, StoreUnavailable> {
        let Some(id) = &token.family else { return Err(StoreUnavailable::because("a token without its family")) };
        let claims = &token.claims;
        let batch = expect_client(Batch::default().expect(key::family(id), Expect::Absent), &claims.client_id);
        let family = Family::found(claims, claims.scope.clone(), Vec::new());
        let lifetimes = Lifetimes { access: lifetime, refresh: lifetime, code: lifetime };
        self.kv.commit(join(found(batch, id, claims), id, family, token, lifetimes)?).await.map(done)
    }

    /// Looks under the hash, then where the Python service keeps it. A token of a revoked family is not there.
    pub async fn refresh(&self, token: &Secret) -> Result<Option<StoredRefresh>, StoreUnavailable> {
        let hash = token.hash();
        for (key, origin) in [(key::refresh(&hash), Origin::Ours), (key::plain_refresh(token), Origin::Python)] {
            let Some(bytes) = self.kv.get(&key).await? else { continue };
            let Some(grant) = record::refresh::decode(&bytes, origin)? else { return Ok(None) };
            if let Some(family) = &grant.family
                && self.kv.get(&key::family(family)).await?.is_none()
            {
                return Ok(None);
            }
            return Ok(Some(StoredRefresh { grant, hash, key, bytes }));
        }
        Ok(None)
    }

    /// Spends a refresh token. [`Commit::Conflict`]: it is no longer what was seen, or its family or client is gone.
    pub async fn rotate_refresh(&self, commit: RotationCommit<'_>) -> Result<Commit, StoreUnavailable> {
        for _ in 0..ATTEMPTS {
            let Some(batch) = self.rotation(&commit).await? else { return Ok(Commit::Conflict) };
            if self.kv.commit(batch).await? {
                return Ok(Commit::Done);
            }
            // Only the family moved on, by a retry's token: the rotation still holds.
            let same = self.kv.get(&commit.stored.key).await?.is_some_and(|bytes| bytes == commit.stored.bytes);
            let client = &commit.access.claims.client_id;
            if !same || is_stored(client) && self.kv.get(&key::client(client)).await?.is_none() {
                return Ok(Commit::Conflict);
            }
        }
        Err(StoreUnavailable::because("one token family is being changed without pause"))
    }

    /// `None`: the family is gone.
    async fn rotation(&self, commit: &RotationCommit<'_>) -> Result<Option<Batch>, StoreUnavailable> {
        let RotationCommit { stored, rotation, access, lifetimes } = commit;
        let client = &access.claims.client_id;
        let batch = Batch::default().expect(stored.key.clone(), Expect::Is(stored.bytes.clone()));
        let (batch, mut family) = match stored.grant.family {
            Some(_) => match self.expect_family(batch, &rotation.family).await? {
                Some(alive) => alive,
                None => return Ok(None),
            },
            None => {
                let batch = batch.expect(key::family(&rotation.family), Expect::Absent);
                let RefreshGrant { scope, resource, .. } = &stored.grant;
                let family = Family::found(&access.claims, scope.clone(), resource.clone());
                (found(batch, &rotation.family, &access.claims), family)
            }
        };
        let successor = rotation.successor.hash();
        let batch = expect_client(batch, client)
            .delete(stored.key.clone())
            .put(key::refresh(&stored.hash), record::refresh::encode(&rotation.spent)?, Some(lifetimes.refresh))
            .put(key::refresh(&successor), record::refresh::encode(&rotation.grant)?, Some(lifetimes.refresh));
        family.refresh = Some(successor);
        join(batch, &rotation.family, family, access, *lifetimes).map(Some)
    }

    /// Adds an access token. [`Commit::Conflict`]: its family is revoked.
    pub async fn put_token(&self, token: &TokenRecord, lifetime: Duration) -> Result<Commit, StoreUnavailable> {
        let Some(id) = &token.family else {
            return self.kv.commit(add_token(Batch::default(), token, lifetime)?).await.map(done);
        };
        for _ in 0..ATTEMPTS {
            let Some((batch, family)) = self.expect_family(Batch::default(), id).await? else {
                return Ok(Commit::Conflict);
            };
            // The family lives on as long as its refresh tokens do, whose lifetime is not known here.
            let left = self.kv.time_left(&key::family(id)).await?.unwrap_or(lifetime);
            let lifetimes = Lifetimes { access: lifetime, refresh: left, code: lifetime };
            if self.kv.commit(join(batch, id, family, token, lifetimes)?).await? {
                return Ok(Commit::Done);
            }
        }
        Err(StoreUnavailable::because("one token family is being changed without pause"))
    }

    /// The family as it is now, and the condition that it stays so.
    pub(super) async fn expect_family(
        &self,
        batch: Batch,
        id: &FamilyId,
    ) -> Result<Option<(Batch, Family)>, StoreUnavailable> {
        let Some(bytes) = self.kv.get(&key::family(id)).await? else { return Ok(None) };
        let family = record::decode(&bytes)?;
        Ok(Some((batch.expect(key::family(id), Expect::Is(bytes)), family)))
    }
}

/// A deleted client gets nothing more. One described by its own document (Client ID Metadata Documents) has no record.
fn expect_client(batch: Batch, id: &ClientId) -> Batch {
    if is_stored(id) { batch.expect(key::client(id), Expect::Present) } else { batch }
}

pub(super) fn is_stored(id: &ClientId) -> bool {
    !id.as_str().starts_with("https://")
}

/// Lists a new family with its client and with its person.
fn found(batch: Batch, id: &FamilyId, claims: &Claims) -> Batch {
    batch.add_member(key::client_families(&claims.client_id), id.as_str(), key::FAMILY).add_member(
        key::user_families(&claims.username),
        id.as_str(),
        key::FAMILY,
    )
}

/// Writes the token and the family that lists it.
fn join(
    batch: Batch,
    id: &FamilyId,
    mut family: Family,
    token: &TokenRecord,
    lifetimes: Lifetimes,
) -> Result<Batch, StoreUnavailable> {
    let mut batch = batch;
    for surplus in family.admit(token) {
        batch = batch.delete(key::token(&surplus)).remove_member(key::user_tokens(&family.username), surplus.as_str());
    }
    let lifetime = lifetimes.refresh.max(lifetimes.access);
    add_token(batch.put(key::family(id), record::encode(&family)?, Some(lifetime)), token, lifetimes.access)
}

fn add_token(batch: Batch, token: &TokenRecord, lifetime: Duration) -> Result<Batch, StoreUnavailable> {
    let jti = &token.claims.jti;
    let batch = batch.put(key::token(jti), record::token::encode(token)?, Some(lifetime));
    Ok(batch.add_member(key::user_tokens(&token.claims.username), jti.as_str(), key::TOKEN))
}
