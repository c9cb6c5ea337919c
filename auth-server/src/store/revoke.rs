//! Tokens cease to be (RFC 7009), one by one or a family at a time (RFC 9700 §4.14.2).

use super::{
    Revocation, Store, StoreUnavailable, StoredRefresh,
    cache::Basis,
    issue::ATTEMPTS,
    key,
    kv::Batch,
    record::{self, token::Standing},
    scan::Listing,
};
use crate::oauth::{
    access_token::TokenRecord,
    id::{ClientId, FamilyId, TokenId},
};

impl Store {
    pub async fn token(&self, jti: &TokenId) -> Result<Option<TokenRecord>, StoreUnavailable> {
        let stored = self.kv.get(&key::token(jti)).await?;
        stored.map(|bytes| record::token::decode(jti, &bytes)).transpose()
    }

    pub async fn revocation(&self, jti: &TokenId) -> Result<Revocation, StoreUnavailable> {
        self.standing(jti).await.map(|(revocation, _)| revocation)
    }

    /// Whether the token is active, and what that rests on, for a [`TokenCache`](super::cache::TokenCache). One round
    /// trip, and a second for tokens that the Python service issued.
    pub async fn standing(&self, jti: &TokenId) -> Result<(Revocation, Basis), StoreUnavailable> {
        let revoked = || Ok((Revocation::Revoked, Basis::default()));
        let (bytes, token) = self.kv.get_watched(&key::token(jti)).await?;
        let Some(bytes) = bytes else { return revoked() };
        let Standing { depends_on, groups } = record::token::standing(&bytes)?;
        let Some(client) = depends_on else {
            return Ok((Revocation::Active(groups), Basis::of([token])));
        };
        match self.kv.get_watched(&key::client(&client)).await? {
            (None, _) => revoked(),
            (Some(_), client) => Ok((Revocation::Active(groups), Basis::of([token, client]))),
        }
    }

    pub async fn revoke_token(&self, jti: &TokenId) -> Result<(), StoreUnavailable> {
        let Some(token) = self.token(jti).await? else { return Ok(()) };
        let batch = remove_token(Batch::default(), jti, &token.claims.username);
        self.kv.commit(batch).await.map(drop)
    }

    /// RFC 7009 §2.1: with a refresh token goes all that was issued from the same authorization.
    pub async fn revoke_refresh(&self, stored: &StoredRefresh) -> Result<(), StoreUnavailable> {
        match &stored.grant.family {
            Some(family) => self.revoke_family(family).await,
            None => self.kv.commit(Batch::default().delete(stored.key.clone())).await.map(drop),
        }
    }

    /// Whatever races this, a rotation for instance, either comes before and is undone or comes after and fails.
    pub async fn revoke_family(&self, id: &FamilyId) -> Result<(), StoreUnavailable> {
        self.end_family(id).await.map(drop)
    }

    /// `false`: there was none.
    async fn end_family(&self, id: &FamilyId) -> Result<bool, StoreUnavailable> {
        for _ in 0..ATTEMPTS {
            let Some((batch, family)) = self.expect_family(Batch::default(), id).await? else { return Ok(false) };
            let mut batch = batch
                .delete(key::family(id))
                .delete(key::used(id))
                .remove_member(key::client_families(&family.client_id), id.as_str())
                .remove_member(key::user_families(&family.username), id.as_str());
            for token in &family.tokens {
                batch = remove_token(batch, &token.jti, &family.username);
            }
            if let Some(refresh) = &family.refresh {
                batch = batch.delete(key::refresh(refresh));
            }
            if self.kv.commit(batch).await? {
                return Ok(true);
            }
        }
        Err(StoreUnavailable::because("one token family is being changed without pause"))
    }

    pub(super) async fn revoke_families_of(&self, client: &ClientId) -> Result<(), StoreUnavailable> {
        self.revoke_families_in(key::client_families(client)).await.map(drop)
    }

    /// How many of them there were.
    pub(super) async fn revoke_families_in(&self, set: String) -> Result<usize, StoreUnavailable> {
        let (mut members, mut ended) = (self.kv.names(Listing::Members(set)), 0);
        while let Some(page) = members.page().await? {
            for family in page.iter().filter_map(|member| FamilyId::parse(member)) {
                ended += usize::from(self.end_family(&family).await?);
            }
        }
        Ok(ended)
    }
}

pub(super) fn remove_token(batch: Batch, jti: &TokenId, username: &str) -> Batch {
    batch.delete(key::token(jti)).remove_member(key::user_tokens(username), jti.as_str())
}
