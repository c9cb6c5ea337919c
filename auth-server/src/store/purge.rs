//! Clearing away what nobody can use any more. Each deletion states what makes its record useless, and is not done if
//! that has changed meanwhile: it runs beside live servers.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Store, StoreUnavailable, issue, key,
    kv::{Batch, Expect},
    record::{self, Origin, family::Family},
    scan::{Listing, Record},
};
use crate::{
    clock,
    oauth::{
        grant::CodeGrant,
        id::{ClientId, FamilyId, TokenId},
        refresh::RefreshGrant,
    },
};

/// What was cleared away, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Logins whose tokens have all ended, or whose client is gone.
    pub connections: usize,
    /// Access tokens that have expired, and the Python service's of deleted clients.
    pub access_tokens: usize,
    /// Refresh tokens of ended logins, and the Python service's of deleted clients.
    pub refresh_tokens: usize,
    /// Codes of deleted clients.
    pub codes: usize,
    /// Entries of lists whose own record is gone.
    pub list_entries: usize,
}

/// One pass over the store.
struct Purge<'a> {
    store: &'a Store,
    dry_run: bool,
    now: u64,
    /// Clients that were looked for, and whether they are there.
    clients: HashMap<ClientId, bool>,
}

impl Store {
    /// `dry_run`: only counts.
    pub async fn purge(&self, dry_run: bool) -> Result<Purged, StoreUnavailable> {
        let mut purge = Purge { store: self, dry_run, now: clock::unix((self.clock)()), clients: HashMap::new() };
        Ok(Purged {
            connections: purge.families().await?,
            access_tokens: purge.records(key::TOKEN).await?,
            refresh_tokens: purge.records(key::REFRESH).await?,
            codes: purge.records(key::CODE).await?,
            list_entries: purge.lists().await?,
        })
    }
}

impl Purge<'_> {
    async fn families(&mut self) -> Result<usize, StoreUnavailable> {
        let (mut purged, mut records) = (0, self.store.kv.records(key::FAMILY));
        while let Some(page) = records.page().await? {
            for found in page {
                let Ok(family) = record::decode::<Family>(&found.value) else { continue };
                let Some(id) = found.key.strip_prefix(key::FAMILY).and_then(FamilyId::parse) else { continue };
                if self.is_useful(&family).await? {
                    continue;
                }
                purged += 1;
                if !self.dry_run {
                    self.store.revoke_family(&id).await?;
                }
            }
        }
        Ok(purged)
    }

    async fn is_useful(&mut self, family: &Family) -> Result<bool, StoreUnavailable> {
        if !self.is_there(&family.client_id).await? {
            return Ok(false);
        }
        let refresh = family.refresh.as_ref().map(key::refresh);
        for key in refresh.into_iter().chain(family.tokens.iter().map(|member| key::token(&member.jti))) {
            if self.store.kv.get(&key).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn records(&mut self, prefix: &str) -> Result<usize, StoreUnavailable> {
        let (mut purged, mut records) = (0, self.store.kv.records(prefix));
        while let Some(page) = records.page().await? {
            for found in page {
                let Some(gone) = self.missing(prefix, &found).await? else { continue };
                let batch = gone.into_iter().fold(Batch::default(), |batch, key| batch.expect(key, Expect::Absent));
                let batch = batch.expect(found.key.clone(), Expect::Is(found.value)).delete(found.key);
                purged += usize::from(self.dry_run || self.store.kv.commit(batch).await?);
            }
        }
        Ok(purged)
    }

    /// `None`: the record is of use. Else: without what it is useless, if not by its age.
    async fn missing(&mut self, prefix: &str, found: &Record) -> Result<Option<Option<String>>, StoreUnavailable> {
        let (client, family) = match prefix {
            key::TOKEN => {
                let jti = found.key.strip_prefix(key::TOKEN).and_then(TokenId::parse);
                let token = jti.and_then(|jti| record::token::decode(&jti, &found.value).ok());
                if token.is_some_and(|token| token.claims.exp <= self.now) {
                    return Ok(Some(None));
                }
                (record::token::depends_on(&found.value).ok().flatten(), None)
            }
            key::REFRESH => match refresh(&found.value) {
                Some(RefreshGrant { family: Some(family), .. }) => (None, Some(family)),
                Some(grant) => (Some(grant.client_id), None),
                None => (None, None),
            },
            _ => (code(&found.value), None),
        };
        if let Some(client) = client
            && !self.is_there(&client).await?
        {
            return Ok(Some(Some(key::client(&client))));
        }
        match family.map(|family| key::family(&family)) {
            Some(family) if self.store.kv.get(&family).await?.is_none() => Ok(Some(Some(family))),
            _ => Ok(None),
        }
    }

    async fn lists(&self) -> Result<usize, StoreUnavailable> {
        let mut purged = self.list(key::CLIENT_INDEX, key::CLIENT).await?;
        for (prefix, of) in
            [(key::CLIENT_FAMILIES, key::FAMILY), (key::USER_FAMILIES, key::FAMILY), (key::USER_TOKENS, key::TOKEN)]
        {
            let mut sets = self.store.kv.names(Listing::Sets(prefix.to_owned()));
            while let Some(page) = sets.page().await? {
                for set in page {
                    purged += self.list(&set, of).await?;
                }
            }
        }
        Ok(purged)
    }

    async fn list(&self, set: &str, of: &str) -> Result<usize, StoreUnavailable> {
        let (mut purged, mut members) = (0, self.store.kv.names(Listing::Members(set.to_owned())));
        while let Some(page) = members.page().await? {
            for member in page {
                let record = format!("{of}{member}");
                if self.store.kv.get(&record).await?.is_some() {
                    continue;
                }
                let batch = Batch::default().expect(record, Expect::Absent).remove_member(set.to_owned(), &member);
                purged += usize::from(self.dry_run || self.store.kv.commit(batch).await?);
            }
        }
        Ok(purged)
    }

    /// Clients that are described by their own document always are.
    async fn is_there(&mut self, client: &ClientId) -> Result<bool, StoreUnavailable> {
        if !issue::is_stored(client) {
            return Ok(true);
        }
        if let Some(known) = self.clients.get(client) {
            return Ok(*known);
        }
        let there = self.store.kv.get(&key::client(client)).await?.is_some();
        self.clients.insert(client.clone(), there);
        Ok(there)
    }
}

fn refresh(value: &[u8]) -> Option<RefreshGrant> {
    [Origin::Ours, Origin::Python].into_iter().find_map(|origin| record::refresh::decode(value, origin).ok().flatten())
}

/// The client that a code waits for.
fn code(value: &[u8]) -> Option<ClientId> {
    let either = [Origin::Ours, Origin::Python].into_iter();
    match either.into_iter().find_map(|origin| record::code::decode(value, origin).ok().flatten())? {
        CodeGrant::Approved { request, .. } => Some(request.client_id),
        CodeGrant::Exchanged { .. } => None,
    }
}
