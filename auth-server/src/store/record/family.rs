//! `oauth:family:{id}`: all that lives of one authorization. Whoever issues or revokes compares and swaps this record.

use serde::{Deserialize, Serialize};

use crate::oauth::{
    access_token::{Claims, TokenRecord},
    id::{ClientId, Subject, TokenId},
    resource::Resource,
    scope::Scope,
    secret::SecretHash,
};

/// Access tokens that one family holds at a time; a client that asks for more loses its oldest.
const MOST_TOKENS: usize = 32;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct Family {
    pub(in crate::store) client_id: ClientId,
    pub(in crate::store) username: String,
    /// GitHub gives a login to somebody else once it is free, but never a number. Absent from older records.
    #[serde(default)]
    pub(in crate::store) person: Option<Subject>,
    /// What the person granted; a token may have less.
    #[serde(default)]
    pub(in crate::store) scope: Scope,
    /// Empty: every service of this gateway.
    #[serde(default)]
    pub(in crate::store) resource: Vec<Resource>,
    /// Seconds since the epoch.
    #[serde(default)]
    pub(in crate::store) created_at: u64,
    /// When it last got an access token; seconds since the epoch.
    #[serde(default)]
    pub(in crate::store) last_issued_at: u64,
    pub(in crate::store) tokens: Vec<Member>,
    /// The refresh token that is not spent yet. Spent ones die with this record.
    pub(in crate::store) refresh: Option<SecretHash>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct Member {
    pub(in crate::store) jti: TokenId,
    exp: u64,
}

impl Family {
    /// `first`: the claims of its first access token.
    pub(in crate::store) fn found(first: &Claims, scope: Scope, resource: Vec<Resource>) -> Self {
        Self {
            client_id: first.client_id.clone(),
            username: first.username.clone(),
            person: Some(first.sub.clone()),
            scope,
            resource,
            created_at: first.iat,
            last_issued_at: first.iat,
            tokens: Vec::new(),
            refresh: None,
        }
    }

    /// Lists a token and forgets expired ones; gives back those that must go to keep the family bounded.
    pub(in crate::store) fn admit(&mut self, token: &TokenRecord) -> Vec<TokenId> {
        let now = token.claims.iat;
        self.last_issued_at = now;
        self.tokens.retain(|member| member.exp > now);
        self.tokens.push(Member { jti: token.claims.jti.clone(), exp: token.claims.exp });
        let surplus = self.tokens.len().saturating_sub(MOST_TOKENS);
        self.tokens.drain(..surplus).map(|member| member.jti).collect()
    }
}
