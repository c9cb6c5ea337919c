//! What is in the store, for the operator: lists and counts. Each looks at everything, a page at a time.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    Store, StoreUnavailable, key,
    record::{self, Origin},
};
use crate::oauth::{
    access_token::TokenRecord,
    client::Client,
    id::{ClientId, TokenId},
};

/// A client and how long its registration lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredClient {
    pub client: Client,
    /// `None`: until deleted.
    pub left: Option<Duration>,
}

/// What was found, and how many records could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub unreadable: usize,
}

/// Which access tokens.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Compared without case, as GitHub does.
    pub username: Option<String>,
    pub client: Option<ClientId>,
}

/// How many there are of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub clients: usize,
    /// People with something issued to them.
    pub users: usize,
    /// Logins that are still good for something.
    pub connections: usize,
    pub access_tokens: usize,
    /// Spent ones among them: their reuse would be noticed.
    pub refresh_tokens: usize,
    pub codes: usize,
    /// On their way to GitHub and back.
    pub pending_logins: usize,
    pub remembered_consents: usize,
    /// Access and refresh tokens that the Python service wrote.
    pub written_by_python: usize,
    /// People at their account page.
    pub account_sessions: usize,
    /// Helpers of the above, and what is not ours to know.
    pub other: usize,
}

impl Store {
    /// All registered clients, by id.
    pub async fn clients(&self) -> Result<Listed<StoredClient>, StoreUnavailable> {
        let (mut found, mut unreadable) = (BTreeMap::new(), 0);
        let mut records = self.kv.records(key::CLIENT);
        while let Some(page) = records.page().await? {
            for at_rest in page {
                match record::client::decode(&at_rest.value) {
                    Ok(client) => {
                        found.insert(at_rest.key, StoredClient { client, left: at_rest.left });
                    }
                    Err(_) => unreadable += 1,
                }
            }
        }
        Ok(Listed { items: found.into_values().collect(), unreadable })
    }

    /// Access tokens that have not been revoked, by `jti`.
    pub async fn tokens(&self, wanted: &TokenFilter) -> Result<Listed<TokenRecord>, StoreUnavailable> {
        let (mut found, mut unreadable) = (BTreeMap::new(), 0);
        let mut records = self.kv.records(key::TOKEN);
        while let Some(page) = records.page().await? {
            for at_rest in page {
                let jti = at_rest.key.strip_prefix(key::TOKEN).and_then(TokenId::parse);
                match jti.map(|jti| record::token::decode(&jti, &at_rest.value)) {
                    Some(Ok(token)) if wanted.admits(&token) => {
                        found.insert(at_rest.key, token);
                    }
                    Some(Ok(_)) => {}
                    _ => unreadable += 1,
                }
            }
        }
        Ok(Listed { items: found.into_values().collect(), unreadable })
    }

    pub async fn stats(&self) -> Result<Stats, StoreUnavailable> {
        let mut stats = Stats { users: self.usernames().await?.len(), ..Stats::default() };
        let mut records = self.kv.records("");
        while let Some(page) = records.page().await? {
            for at_rest in page {
                stats.count(&at_rest.key, &at_rest.value);
            }
        }
        Ok(stats)
    }
}

impl TokenFilter {
    fn admits(&self, token: &TokenRecord) -> bool {
        let same_user = |name: &String| token.claims.username.eq_ignore_ascii_case(name);
        self.username.as_ref().is_none_or(same_user)
            && self.client.as_ref().is_none_or(|client| token.claims.client_id == *client)
    }
}

impl Stats {
    fn count(&mut self, key: &str, value: &[u8]) {
        let counted = match key {
            _ if key.starts_with(key::CLIENT) => &mut self.clients,
            _ if key.starts_with(key::FAMILY) => &mut self.connections,
            _ if key.starts_with(key::TOKEN) => &mut self.access_tokens,
            _ if key.starts_with(key::REFRESH) => &mut self.refresh_tokens,
            _ if key.starts_with(key::CODE) => &mut self.codes,
            _ if key.starts_with(key::PENDING) => &mut self.pending_logins,
            _ if key.starts_with(key::CONSENT) => &mut self.remembered_consents,
            _ if key.starts_with(key::SESSION) => &mut self.account_sessions,
            _ => &mut self.other,
        };
        *counted += 1;
        let by_python = key.starts_with(key::TOKEN) && matches!(record::token::depends_on(value), Ok(Some(_)))
            || key.starts_with(key::REFRESH) && matches!(record::refresh::decode(value, Origin::Python), Ok(Some(_)));
        self.written_by_python += usize::from(by_python);
    }
}
