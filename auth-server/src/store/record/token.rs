//! `oauth:token:{jti}`: the claims, when they begin and end, and whose family they belong to.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::super::StoreUnavailable;
use crate::oauth::{
    access_token::{Claims, TokenRecord},
    id::{ClientId, FamilyId, Subject, TokenId},
    people::Groups,
    scope::Scope,
};

#[derive(Serialize, Deserialize)]
struct Record {
    sub: Subject,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    scope: Scope,
    client_id: ClientId,
    created_at: u64,
    expires_at: u64,
    /// Ours only, like all that follows.
    #[serde(default)]
    iss: String,
    #[serde(default)]
    aud: Vec<String>,
    #[serde(default)]
    family: Option<FamilyId>,
    /// Told apart from the Python service's records, which may have no family either.
    #[serde(default)]
    jti: Option<TokenId>,
    #[serde(default, skip_serializing_if = "Groups::is_empty")]
    groups: Groups,
}

pub(in crate::store) fn encode(token: &TokenRecord) -> Result<Vec<u8>, StoreUnavailable> {
    let claims = token.claims.clone();
    super::encode(&Record {
        sub: claims.sub,
        username: claims.username,
        email: claims.email,
        name: claims.name,
        scope: claims.scope,
        client_id: claims.client_id,
        created_at: claims.iat,
        expires_at: claims.exp,
        iss: claims.iss,
        aud: claims.aud,
        family: token.family.clone(),
        jti: Some(claims.jti),
        groups: token.groups.clone(),
    })
}

/// Of a record by the Python service, `iss` is empty and `aud` has no entries: it keeps neither.
pub(in crate::store) fn decode(jti: &TokenId, bytes: &[u8]) -> Result<TokenRecord, StoreUnavailable> {
    let record: Record = super::decode(bytes)?;
    let claims = Claims {
        iss: record.iss,
        sub: record.sub,
        aud: record.aud,
        client_id: record.client_id,
        scope: record.scope,
        jti: jti.clone(),
        iat: record.created_at,
        nbf: None,
        exp: record.expires_at,
        username: record.username,
        email: record.email,
        name: record.name,
    };
    Ok(TokenRecord { claims, family: record.family, groups: record.groups })
}

/// What `/verify` needs of a record.
pub(in crate::store) struct Standing {
    /// The client that must still exist for the token to be good: of the Python service's tokens, whose records are not
    /// listed anywhere. Ours are deleted together with their client.
    pub(in crate::store) depends_on: Option<ClientId>,
    pub(in crate::store) groups: Groups,
}

pub(in crate::store) fn standing(bytes: &[u8]) -> Result<Standing, StoreUnavailable> {
    #[derive(Deserialize)]
    struct Glance {
        client_id: ClientId,
        #[serde(default)]
        jti: Option<IgnoredAny>,
        #[serde(default)]
        groups: Groups,
    }
    let Glance { client_id, jti, groups } = super::decode(bytes)?;
    Ok(Standing { depends_on: jti.is_none().then_some(client_id), groups })
}

/// See [`Standing::depends_on`].
pub(in crate::store) fn depends_on(bytes: &[u8]) -> Result<Option<ClientId>, StoreUnavailable> {
    standing(bytes).map(|standing| standing.depends_on)
}
