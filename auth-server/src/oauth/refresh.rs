//! Refresh tokens: opaque, rotating, one family per authorization (OAuth 2.1 §4.3, RFC 9700 §4.14).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    access_token::Authorized,
    client_authentication::AuthenticatedClient,
    error::TokenError,
    grant::User,
    id::{ClientId, FamilyId},
    resource::Resource,
    scope::Scope,
    secret::Secret,
    token::{Refresh, narrow_resource, narrow_scope},
};

/// A client that lost the answer may ask again for this long, in seconds (decisions.md, «refresh tokens»).
pub const RETRY_WINDOW: u64 = 60;

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

/// What a refresh request leads to. Faults, reuse among them, are [`TokenError`]s.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one lives per request, on the stack; never in a collection")]
pub enum RefreshDecision {
    /// Commit with `Store::rotate_refresh`, then answer with the successor.
    Rotate { access: Authorized, rotation: Rotation },
    /// Answer with the successor that the lost answer held, and a new access token.
    Retry { access: Authorized, successor: Secret, family: Option<FamilyId> },
}

/// The two records of a rotation: they replace one another in one atomic step.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// The old token, now spent.
    pub spent: RefreshGrant,
    /// The new token's text, for the client.
    pub successor: Secret,
    /// The new token's record.
    pub grant: RefreshGrant,
    pub family: FamilyId,
}

/// Randomness and time for a rotation, whether it is needed or not.
#[derive(Clone)]
pub struct Fresh {
    /// The successor, should there be a rotation.
    pub successor: [u8; 32],
    /// Used when the token is the Python service's and has no family yet.
    pub family: FamilyId,
    /// Seconds since the epoch.
    pub now: u64,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh").field("family", &self.family).field("now", &self.now).finish_non_exhaustive()
    }
}

impl RefreshGrant {
    /// Decides a refresh (OAuth 2.1 §4.3): bound to its client, never wider than what was granted, used once.
    pub fn redeem(
        self,
        request: &Refresh,
        client: &AuthenticatedClient,
        fresh: Fresh,
    ) -> Result<RefreshDecision, TokenError> {
        if self.client_id != *client.id() {
            return Err(TokenError::ClientMismatch);
        }
        let access = self.narrowed(request);
        match &self.state {
            RefreshState::Active => {
                let access = access?;
                Ok(RefreshDecision::Rotate { access, rotation: self.rotate(&request.token, fresh) })
            }
            RefreshState::Rotated { at, successor } => {
                // RFC 9700 §4.14.2: reuse means theft; a retry inside the window is a lost answer.
                let reused = || TokenError::RefreshReused { family: self.family.clone() };
                if fresh.now > at.saturating_add(RETRY_WINDOW) {
                    return Err(reused());
                }
                let successor = open(successor, &request.token).ok_or_else(reused)?;
                Ok(RefreshDecision::Retry { access: access?, successor, family: self.family })
            }
        }
    }

    /// RFC 6749 §6: the access token may be narrower; the successor keeps the whole grant.
    fn narrowed(&self, request: &Refresh) -> Result<Authorized, TokenError> {
        Ok(Authorized {
            client_id: self.client_id.clone(),
            user: self.user.clone(),
            scope: narrow_scope(&self.scope, request.scope.as_ref())?,
            resource: narrow_resource(&self.resource, &request.resource)?,
        })
    }

    fn rotate(self, token: &Secret, fresh: Fresh) -> Rotation {
        let family = self.family.clone().unwrap_or(fresh.family);
        let rotated = RefreshState::Rotated { at: fresh.now, successor: seal(&fresh.successor, token) };
        let owned = Self { family: Some(family.clone()), ..self };
        let grant = Self { created_at: fresh.now, state: RefreshState::Active, ..owned.clone() };
        let spent = Self { state: rotated, ..owned };
        Rotation { spent, successor: Secret::from_random(&fresh.successor), grant, family }
    }
}

/// One-time pad: the successor is random, and the key is derived from a token that seals nothing else.
fn seal(successor: &[u8; 32], under: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(xor(successor, under))
}

fn open(sealed: &str, under: &Secret) -> Option<Secret> {
    let sealed: [u8; 32] = URL_SAFE_NO_PAD.decode(sealed).ok()?.try_into().ok()?;
    Some(Secret::from_random(&xor(&sealed, under)))
}

fn xor(bytes: &[u8; 32], under: &Secret) -> [u8; 32] {
    let key = Sha256::new_with_prefix(b"refresh-successor\0").chain_update(under.expose()).finalize();
    std::array::from_fn(|i| bytes[i] ^ key[i])
}

#[cfg(test)]
mod tests;
