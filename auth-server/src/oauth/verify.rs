//! `/verify`: may this token make this request (RFC 9068 §4, RFC 6750 §3.1, RFC 8707).
//!
//! Signature checked (`jwt`) → [`VerifiedClaims`] → [`authorize`] → [`Permit`]. Identity headers can be
//! written from a [`Permit`] only. Times are seconds since the epoch.

use super::{
    access_token::Claims,
    forwarded::ForwardedRequest,
    gateway::Gateway,
    id::{ClientId, Subject},
    people::{Groups, People},
    policy::Policy,
    resource,
    scope::Scope,
};

/// Clocks of issuer and verifier may differ by this much, in seconds (RFC 7519 §4.1.4).
pub const LEEWAY: u64 = 60;

/// Whether the store still knows the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// With the person's organisations and teams, as they were at login.
    Active(Groups),
    Revoked,
}

impl Revocation {
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }
}

/// Why a token is no good: `invalid_token` (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    #[error("the token is larger than 8 KiB")]
    TooLarge,
    #[error("the token is malformed")]
    Malformed,
    #[error("the token is of another type")]
    Type,
    #[error("the token has critical extensions")]
    Critical,
    #[error("the token is signed with an algorithm or key that is not accepted")]
    Key,
    #[error("the signature is wrong")]
    Signature,
    #[error("the token is from another issuer")]
    Issuer,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token has expired")]
    Expired,
    #[error("the token was revoked")]
    Revoked,
    /// The operator took them off the list after they had signed in.
    #[error("the token's owner may no longer use this gateway")]
    PersonRemoved,
    #[error("the token is for another service")]
    Audience,
}

/// Claims whose signature, issuer and times were right when they were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedClaims(Claims);

impl VerifiedClaims {
    /// `signed`: from a token whose signature is right.
    pub(crate) fn check(signed: Claims, issuer: &str, now: u64) -> Result<Self, InvalidToken> {
        if signed.iss != issuer {
            return Err(InvalidToken::Issuer);
        }
        check_expiry(&signed, now)?;
        // A token from the future was made by a clock that cannot be trusted with its expiry either.
        let starts = signed.nbf.unwrap_or(0).max(signed.iat);
        if starts > now.saturating_add(LEEWAY) {
            return Err(InvalidToken::NotYetValid);
        }
        Ok(Self(signed))
    }

    pub fn claims(&self) -> &Claims {
        &self.0
    }
}

/// What the gateway asks of every token, whichever service it is for.
#[derive(Clone, Debug)]
pub struct Rules {
    pub gateway: Gateway,
    /// Who may use this gateway today.
    pub people: People,
    /// `REQUIRE_RESOURCE`: tokens that are good for the whole gateway are not accepted.
    pub require_resource: bool,
}

impl Rules {
    /// Whether the token's owner may still use this gateway. A machine client acts for itself (RFC 9068 §2.2: its `sub`
    /// is its `client_id`); the operator who registered it is who takes it away.
    pub fn admit(&self, claims: &Claims, groups: &Groups) -> bool {
        claims.sub.as_str() == claims.client_id.as_str() || self.people.admits(&claims.username, groups)
    }
}

/// Why a request does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("a bearer token is required")]
    TokenMissing,
    #[error("{0}")]
    InvalidToken(#[from] InvalidToken),
    #[error("the token lacks a scope that this service needs")]
    InsufficientScope { required: Scope },
    /// Another login of the same person would not help, nor would another scope: no challenge goes with it.
    #[error("this GitHub account may not use this service")]
    PersonNotAllowed,
    /// `Origin` is present and not on the list (MCP transports, «Security Warning»).
    #[error("the origin is not allowed")]
    ForeignOrigin,
}

impl Denied {
    pub fn status(&self) -> u16 {
        match self {
            Self::TokenMissing | Self::InvalidToken(_) => 401,
            Self::InsufficientScope { .. } | Self::PersonNotAllowed | Self::ForeignOrigin => 403,
        }
    }

    /// `error` of the body (RFC 6750 §3.1).
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenMissing => "invalid_request",
            Self::InvalidToken(_) => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::PersonNotAllowed | Self::ForeignOrigin => "access_denied",
        }
    }
}

/// Leave to pass, and as whom. Only [`authorize`] makes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Permit<'a> {
    claims: &'a Claims,
}

impl Permit<'_> {
    /// `X-User-Id`
    pub fn user_id(&self) -> &Subject {
        &self.claims.sub
    }

    /// `X-User-Name`
    pub fn user_name(&self) -> &str {
        &self.claims.username
    }

    /// `X-Client-Id`
    pub fn client_id(&self) -> &ClientId {
        &self.claims.client_id
    }

    /// `X-Scope`
    pub fn scope(&self) -> &Scope {
        &self.claims.scope
    }
}

/// What a token is held against.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    pub request: &'a ForwardedRequest<'a>,
    pub rules: &'a Rules,
    /// Of the service that `request` is for.
    pub policy: &'a Policy,
    /// Seconds since the epoch.
    pub now: u64,
}

/// Decides one forwarded request.
pub fn authorize<'a>(
    claims: &'a VerifiedClaims,
    revocation: &Revocation,
    check: Check<'_>,
) -> Result<Permit<'a>, Denied> {
    let Check { request, rules, policy, now } = check;
    let VerifiedClaims(claims) = claims;
    // Again: verified claims may come from a cache.
    check_expiry(claims, now)?;
    let Revocation::Active(groups) = revocation else { return Err(InvalidToken::Revoked.into()) };
    if !rules.admit(claims, groups) {
        return Err(InvalidToken::PersonRemoved.into());
    }
    if !is_audience(claims, request, rules) {
        return Err(InvalidToken::Audience.into());
    }
    // Before the scope: someone who may not come in is not sent to ask for more of it.
    if !policy.admits(&claims.username, groups) {
        return Err(Denied::PersonNotAllowed);
    }
    if !policy.scope().is_subset(&claims.scope) {
        return Err(Denied::InsufficientScope { required: policy.scope().clone() });
    }
    Ok(Permit { claims })
}

fn check_expiry(claims: &Claims, now: u64) -> Result<(), InvalidToken> {
    if now >= claims.exp.saturating_add(LEEWAY) { Err(InvalidToken::Expired) } else { Ok(()) }
}

/// RFC 9068 §4: `aud` must name this service; the issuer stands for every service of the gateway (decisions.md).
fn is_audience(claims: &Claims, request: &ForwardedRequest, rules: &Rules) -> bool {
    let issuer = rules.gateway.issuer();
    claims.aud.iter().any(|audience| {
        if audience == issuer {
            return !rules.require_resource;
        }
        resource::covers(audience, request.host(), request.path())
    })
}

#[cfg(test)]
mod tests;
