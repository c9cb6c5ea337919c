//! Refresh tokens: opaque, rotating, one family per authorization (OAuth 2.1 §4.3, RFC 9700 §4.14).

use serde::{Deserialize, Serialize};

use super::{
    grant::User,
    id::{ClientId, FamilyId},
    resource::Resource,
    scope::Scope,
};

/// What a refresh token is good for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefreshGrant {
    pub client_id: ClientId,
    pub user: User,
    pub scope: Scope,
    pub resource: Vec<Resource>,
    /// Absent in the Python service's records; its first rotation founds a family.
    pub family: Option<FamilyId>,
    /// Seconds since the epoch.
    pub created_at: u64,
    pub state: RefreshState,
}

/// Where a refresh token is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshState {
    Active,
    /// Used. For 60 s a retry gets the same successor; later reuse revokes the family.
    /// `successor` is sealed under the old token itself, so the store alone cannot open it.
    Rotated {
        at: u64,
        successor: String,
    },
}
