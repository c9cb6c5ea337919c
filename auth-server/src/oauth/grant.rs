//! Authorization codes (OAuth 2.1 §4.1.2–4.1.3): stored as a state, changed only by consuming transitions.

use serde::{Deserialize, Serialize};

use super::{
    access_token::Authorized,
    authorization::AuthorizationRequest,
    client_authentication::AuthenticatedClient,
    error::TokenError,
    id::{FamilyId, Subject},
    people::Groups,
    pkce,
    refresh::{RefreshGrant, RefreshState},
    token::{CodeExchange, narrow_resource},
};

/// The person who approved, as GitHub describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: Subject,
    /// GitHub `login`.
    pub username: String,
    pub email: Option<String>,
    pub name: Option<String>,
    /// As GitHub said at this login; empty when it was not asked.
    pub groups: Groups,
}

/// Stored under `oauth:code:{sha256(code)}`.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one lives per request, on the stack; never in a collection")]
pub enum CodeGrant {
    /// Issued; waits for the client. `issued_at`: seconds since the epoch.
    Approved { request: AuthorizationRequest, user: User, issued_at: u64 },
    /// Spent: seeing it again means theft, and `family` is revoked (RFC 6749 §4.1.2).
    Exchanged { family: FamilyId },
}

/// A code that may be exchanged: what the access token carries, and what a refresh token would be good for.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub access: Authorized,
    /// Not narrowed by this request's `resource`. `None`: the client is not registered for refresh tokens.
    pub refresh: Option<RefreshGrant>,
}

impl AuthorizationRequest {
    /// The person approved and is who `user` says.
    pub fn grant(self, user: User, now: u64) -> CodeGrant {
        CodeGrant::Approved { request: self, user, issued_at: now }
    }
}

/// When and as what a code is exchanged.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Of what is issued; founded by this exchange.
    pub family: FamilyId,
    /// Seconds since the epoch.
    pub now: u64,
    /// `AUTHORIZATION_CODE_LIFETIME`, seconds.
    pub code_lifetime: u64,
}

impl CodeGrant {
    /// Decides a code exchange (OAuth 2.1 §4.1.3); commit it with `Store::redeem_code` before answering.
    pub fn exchange(
        self,
        request: &CodeExchange,
        client: &AuthenticatedClient,
        terms: Terms,
    ) -> Result<Exchange, TokenError> {
        match self {
            // RFC 6749 §4.1.2: a code seen twice was stolen, and so may be what it gave.
            Self::Exchanged { family } => Err(TokenError::CodeAlreadyUsed { family }),
            Self::Approved { request: authorized, user, issued_at } => {
                if terms.now > issued_at.saturating_add(terms.code_lifetime) {
                    return Err(TokenError::CodeExpired);
                }
                check_binding(&authorized, request, client)?;
                plan(authorized, user, request, client, terms)
            }
        }
    }
}

/// A code is bound to its client, its redirect URI and its PKCE challenge (OAuth 2.1 §4.1.3).
fn check_binding(
    authorized: &AuthorizationRequest,
    request: &CodeExchange,
    client: &AuthenticatedClient,
) -> Result<(), TokenError> {
    if authorized.client_id != *client.id() {
        return Err(TokenError::ClientMismatch);
    }
    let same_uri = |uri: &String| uri == authorized.redirect_uri.as_str();
    if !request.redirect_uri.as_ref().is_none_or(same_uri) {
        return Err(TokenError::RedirectUriMismatch);
    }
    let verifier = request.code_verifier.as_ref().ok_or(TokenError::PkceFailed)?;
    if !pkce::verify(verifier.expose(), &authorized.code_challenge) {
        return Err(TokenError::PkceFailed);
    }
    Ok(())
}

fn plan(
    authorized: AuthorizationRequest,
    user: User,
    request: &CodeExchange,
    client: &AuthenticatedClient,
    terms: Terms,
) -> Result<Exchange, TokenError> {
    let resource = narrow_resource(&authorized.resource, &request.resource)?;
    let AuthorizationRequest { client_id, scope, resource: granted, .. } = authorized;
    let refresh = client.client().may_use("refresh_token").then(|| RefreshGrant {
        client_id: client_id.clone(),
        user: user.clone(),
        scope: scope.clone(),
        resource: granted,
        family: Some(terms.family),
        created_at: terms.now,
        state: RefreshState::Active,
    });
    Ok(Exchange { access: Authorized { client_id, user, scope, resource }, refresh })
}

#[cfg(test)]
mod tests;
