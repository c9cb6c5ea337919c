//! `oauth:refresh:{sha256(token)}`, and the Python service's `oauth:refresh:{token}`.

use serde::{Deserialize, Serialize};

use super::{super::StoreUnavailable, Origin};
use crate::oauth::{
    grant::User,
    id::{ClientId, FamilyId, Subject},
    people::Groups,
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
    #[serde(default, skip_serializing_if = "Groups::is_empty")]
    groups: Groups,
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
        groups: grant.user.groups.clone(),
    })
}

/// `None`: the other service's record.
pub(in crate::store) fn decode(bytes: &[u8], origin: Origin) -> Result<Option<RefreshGrant>, StoreUnavailable> {
    let record: RefreshRecord = super::decode(bytes)?;
    let RefreshRecord { user_id: id, username, email, name, groups, .. } = record;
    let user = User { id, username, email, name, groups };
    let RefreshRecord { client_id, scope, resource, family, created_at, state, .. } = record;
    let grant = RefreshGrant { client_id, user, scope, resource, family, created_at, state };
    Ok((record.hashed == (origin == Origin::Ours)).then_some(grant))
}
