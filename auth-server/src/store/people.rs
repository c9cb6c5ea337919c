//! What a person has allowed, and the end of it: the account page's and the operator's view.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    Store, StoreUnavailable, key,
    kv::{Batch, Expect},
    record::{self, Origin, family::Family},
    revoke::remove_token,
    scan::{Listing, Record},
};
use crate::oauth::{
    grant::CodeGrant,
    id::{ClientId, FamilyId, Subject, TokenId},
    resource::Resource,
    scope::Scope,
};

/// An application that a person allowed in, by one login. Times are seconds since the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// What [`Store::revoke_family`] takes.
    pub family: FamilyId,
    pub username: String,
    /// `None`: nobody wrote it down, before it was kept.
    pub person: Option<Subject>,
    pub client_id: ClientId,
    /// As the client calls itself; `None`: it has no name, or no record here.
    pub client_name: Option<String>,
    pub scope: Scope,
    /// Empty: every service of this gateway.
    pub resource: Vec<Resource>,
    pub created_at: u64,
    /// When it last got an access token.
    pub last_issued_at: u64,
    /// When it last reached a service, give or take five minutes; `None`: not that anybody noticed.
    pub last_used_at: Option<u64>,
    /// Whether it can go on without the person.
    pub refreshable: bool,
}

impl Connection {
    /// When anything was last heard of it.
    pub fn last_seen_at(&self) -> u64 {
        self.last_used_at.unwrap_or_default().max(self.last_issued_at)
    }
}

/// What a logout ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoggedOut {
    /// Logins with all that came of them.
    pub families: usize,
    /// Access tokens outside those: the Python service's.
    pub tokens: usize,
    /// Refresh tokens outside those: the Python service's.
    pub refresh_tokens: usize,
    /// Logins that were approved, and whose client had yet to ask for its tokens.
    pub codes: usize,
}

impl Store {
    /// What a person has allowed, the latest first.
    pub async fn connections(&self, username: &str) -> Result<Vec<Connection>, StoreUnavailable> {
        self.connections_in(&key::user_families(username)).await
    }

    /// Who has allowed a client in, the latest first.
    pub async fn connections_of(&self, client: &ClientId) -> Result<Vec<Connection>, StoreUnavailable> {
        self.connections_in(&key::client_families(client)).await
    }

    async fn connections_in(&self, set: &str) -> Result<Vec<Connection>, StoreUnavailable> {
        let mut connections = Vec::new();
        for member in self.kv.members(set).await? {
            let Some(id) = FamilyId::parse(&member) else { continue };
            let Some(bytes) = self.kv.get(&key::family(&id)).await? else { continue };
            let family: Family = record::decode(&bytes)?;
            let client_name = self.client(&family.client_id).await?.and_then(|client| client.name);
            let used = self.kv.get(&key::used(&id)).await?.map(|bytes| record::decode(&bytes)).transpose()?;
            connections.push(Connection { last_used_at: used, ..connection(id, family, client_name) });
        }
        connections.sort_by_key(|connection| Reverse(connection.last_seen_at()));
        Ok(connections)
    }

    /// Notes that a token was used `at` (seconds since the epoch), unless that was done less than `apart` seconds ago.
    pub async fn touch(&self, jti: &TokenId, at: u64, apart: u64) -> Result<(), StoreUnavailable> {
        let Some(family) = self.token(jti).await?.and_then(|token| token.family) else { return Ok(()) };
        let used = self.kv.get(&key::used(&family)).await?.and_then(|bytes| record::decode::<u64>(&bytes).ok());
        if used.is_some_and(|used| at < used.saturating_add(apart)) {
            return Ok(());
        }
        let left = self.kv.time_left(&key::family(&family)).await?;
        let batch = Batch::default().expect(key::family(&family), Expect::Present);
        self.kv.commit(batch.put(key::used(&family), record::encode(&at)?, left)).await.map(drop)
    }

    /// Everybody who has allowed something, or may have had, in alphabetical order.
    pub async fn usernames(&self) -> Result<BTreeSet<String>, StoreUnavailable> {
        let mut found = BTreeSet::new();
        for prefix in [key::USER_FAMILIES, key::USER_TOKENS] {
            let mut sets = self.kv.names(Listing::Sets(prefix.to_owned()));
            while let Some(page) = sets.page().await? {
                found.extend(page.iter().filter_map(|set| set.strip_prefix(prefix)).map(str::to_owned));
            }
        }
        Ok(found)
    }

    /// Ends everything that was issued to a person, by the Python service too.
    ///
    /// What they allowed once is forgotten, so that no application comes back unasked. What is listed goes first. Then everything stored is looked through for what is not: the Python service's refresh
    /// tokens, and codes on their way. Last go the families that such a code founded meanwhile, and what the person need not be asked again.
    pub async fn logout(&self, username: &str) -> Result<LoggedOut, StoreUnavailable> {
        self.forget_consent(username, None).await?;
        let mut ended = LoggedOut::default();
        self.end_listed(username, &mut ended).await?;
        self.end_unlisted(username, &mut ended).await?;
        self.end_listed(username, &mut ended).await?;
        self.forget_consent(username, None).await?;
        Ok(ended)
    }

    /// Ends everything that was issued to anybody.
    pub async fn logout_everybody(&self) -> Result<LoggedOut, StoreUnavailable> {
        let mut ended = LoggedOut::default();
        let mut families = self.kv.records(key::FAMILY);
        while let Some(page) = families.page().await? {
            for id in page.iter().filter_map(|found| FamilyId::parse(found.key.strip_prefix(key::FAMILY)?)) {
                self.revoke_family(&id).await?;
                ended.families += 1;
            }
        }
        ended.refresh_tokens = self.delete_all(key::REFRESH).await?;
        ended.codes = self.delete_all(key::CODE).await?;
        ended.tokens = self.delete_all(key::TOKEN).await?;
        self.delete_all(key::CONSENT).await?;
        self.purge(false).await?;
        Ok(ended)
    }

    async fn delete_all(&self, prefix: &str) -> Result<usize, StoreUnavailable> {
        let (mut deleted, mut records) = (0, self.kv.records(prefix));
        while let Some(page) = records.page().await? {
            deleted += self.delete_seen(page.into_iter()).await?;
        }
        Ok(deleted)
    }

    async fn end_listed(&self, username: &str, ended: &mut LoggedOut) -> Result<(), StoreUnavailable> {
        ended.families += self.revoke_families_in(key::user_families(username)).await?;
        for member in self.kv.members(&key::user_tokens(username)).await? {
            let Some(jti) = TokenId::parse(&member) else { continue };
            ended.tokens += usize::from(self.kv.get(&key::token(&jti)).await?.is_some());
            self.kv.commit(remove_token(Batch::default(), &jti, username)).await?;
        }
        Ok(())
    }

    async fn end_unlisted(&self, username: &str, ended: &mut LoggedOut) -> Result<(), StoreUnavailable> {
        let mut refresh_tokens = self.kv.records(key::REFRESH);
        while let Some(page) = refresh_tokens.page().await? {
            let theirs = |found: &Record| {
                let grant = record::refresh::decode(&found.value, Origin::Python).ok().flatten();
                grant.is_some_and(|grant| grant.user.username == username)
            };
            ended.refresh_tokens += self.delete_seen(page.into_iter().filter(theirs)).await?;
        }
        let mut codes = self.kv.records(key::CODE);
        while let Some(page) = codes.page().await? {
            let theirs = |found: &Record| {
                [Origin::Ours, Origin::Python].iter().any(|origin| {
                    let grant = record::code::decode(&found.value, *origin).ok().flatten();
                    matches!(grant, Some(CodeGrant::Approved { user, .. }) if user.username == username)
                })
            };
            ended.codes += self.delete_seen(page.into_iter().filter(theirs)).await?;
        }
        Ok(())
    }

    /// Deletes what is still as it was seen; what has changed, a code that was redeemed for instance, is not ours.
    async fn delete_seen(&self, found: impl Iterator<Item = Record>) -> Result<usize, StoreUnavailable> {
        let mut deleted = 0;
        for Record { key, value, .. } in found {
            let batch = Batch::default().expect(key.clone(), Expect::Is(value)).delete(key);
            deleted += usize::from(self.kv.commit(batch).await?);
        }
        Ok(deleted)
    }
}

fn connection(id: FamilyId, family: Family, client_name: Option<String>) -> Connection {
    Connection {
        family: id,
        username: family.username,
        person: family.person,
        client_id: family.client_id,
        client_name,
        scope: family.scope,
        resource: family.resource,
        created_at: family.created_at,
        last_issued_at: family.last_issued_at,
        last_used_at: None,
        refreshable: family.refresh.is_some(),
    }
}
