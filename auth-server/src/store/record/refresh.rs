//! `oauth:refresh:{sha256(token)}`, and the Python service's `oauth:refresh:{token}`.

use serde::{Deserialize, Serialize};

use super::{super::StoreUnavailable, Origin};
use crate::oauth::{
    grant::User,
    id::{ClientId, FamilyId, Subject},
    refresh::{RefreshGrant, RefreshState},
    resource::Resource,
    scope::Scope,
};

#[derive(Serialize, Deserialize)]
struct RefreshRecord {
    user_id: Subject,
    username: String,
    client_id: ClientId,
    scope: Scope,
    created_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    resource: Vec<Resource>,
    #[serde(default)]
    family: Option<FamilyId>,
    #[serde(default = "active")]
    state: RefreshState,
    #[serde(default)]
    hashed: bool,
}

fn active() -> RefreshState {
    RefreshState::Active
}

pub(in crate::store) fn encode(grant: &RefreshGrant) -> Result<Vec<u8>, StoreUnavailable> {
    super::encode(&RefreshRecord {
        user_id: grant.user.id.clone(),
        username: grant.user.username.clone(),
        client_id: grant.client_id.clone(),
        scope: grant.scope.clone(),
        created_at: grant.created_at,
        email: grant.user.email.clone(),
        name: grant.user.name.clone(),
        resource: grant.resource.clone(),
        family: grant.family.clone(),
        state: grant.state.clone(),
        hashed: true,
    })
}

/// `None`: the other service's record.
pub(in crate::store) fn decode(bytes: &[u8], origin: Origin) -> Result<Option<RefreshGrant>, StoreUnavailable> {
    let record: RefreshRecord = super::decode(bytes)?;
    let user = User { id: record.user_id, username: record.username, email: record.email, name: record.name };
    let RefreshRecord { client_id, scope, resource, family, created_at, state, .. } = record;
    let grant = RefreshGrant { client_id, user, scope, resource, family, created_at, state };
    Ok((record.hashed == (origin == Origin::Ours)).then_some(grant))
}
