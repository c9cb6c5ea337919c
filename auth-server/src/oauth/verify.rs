//! `/verify`: may this token make this request (RFC 9068 §4, RFC 6750 §3.1, RFC 8707).
//!
//! Signature checked (`jwt`) → [`VerifiedClaims`] → [`authorize`] → [`Permit`]. Identity headers can be
//! written from a [`Permit`] only. Times are seconds since the epoch.

use super::{
    access_token::Claims,
    forwarded::ForwardedRequest,
    gateway::Gateway,
    id::{ClientId, Subject},
    resource,
    scope::Scope,
};

/// Clocks of issuer and verifier may differ by this much, in seconds (RFC 7519 §4.1.4).
pub const LEEWAY: u64 = 60;

/// Whether the store still knows the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    Active,
    Revoked,
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
    #[error("the token is for another service")]
    Audience,
}

/// Claims whose signature, issuer and times were right when they were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedClaims(Claims);

impl VerifiedClaims {
    /// `signed`: from a token whose signature is right. `nbf`: RFC 7519 §4.1.5.
    pub(crate) fn check(signed: Claims, nbf: Option<u64>, issuer: &str, now: u64) -> Result<Self, InvalidToken> {
        if signed.iss != issuer {
            return Err(InvalidToken::Issuer);
        }
        check_expiry(&signed, now)?;
        // A token from the future was made by a clock that cannot be trusted with its expiry either.
        let starts = nbf.unwrap_or(0).max(signed.iat);
        if starts > now.saturating_add(LEEWAY) {
            return Err(InvalidToken::NotYetValid);
        }
        Ok(Self(signed))
    }

    pub fn claims(&self) -> &Claims {
        &self.0
    }
}

/// What one protected service asks of a token.
#[derive(Clone, Debug)]
pub struct Policy {
    pub gateway: Gateway,
    /// Every one of these is needed; from the middleware's address, which the client cannot influence.
    pub required_scope: Scope,
    /// `REQUIRE_RESOURCE`: tokens that are good for the whole gateway are not accepted.
    pub require_resource: bool,
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
    /// `Origin` is present and not on the list (MCP transports, «Security Warning»).
    #[error("the origin is not allowed")]
    ForeignOrigin,
}

impl Denied {
    pub fn status(&self) -> u16 {
        match self {
            Self::TokenMissing | Self::InvalidToken(_) => 401,
            Self::InsufficientScope { .. } | Self::ForeignOrigin => 403,
        }
    }

    /// `error` of the body (RFC 6750 §3.1).
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenMissing => "invalid_request",
            Self::InvalidToken(_) => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::ForeignOrigin => "access_denied",
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

/// Decides one forwarded request.
pub fn authorize<'a>(
    claims: &'a VerifiedClaims,
    revocation: Revocation,
    request: &ForwardedRequest,
    policy: &Policy,
    now: u64,
) -> Result<Permit<'a>, Denied> {
    let VerifiedClaims(claims) = claims;
    // Again: verified claims may come from a cache.
    check_expiry(claims, now)?;
    if revocation == Revocation::Revoked {
        return Err(InvalidToken::Revoked.into());
    }
    if !is_audience(claims, request, policy) {
        return Err(InvalidToken::Audience.into());
    }
    if !policy.required_scope.is_subset(&claims.scope) {
        return Err(Denied::InsufficientScope { required: policy.required_scope.clone() });
    }
    Ok(Permit { claims })
}

fn check_expiry(claims: &Claims, now: u64) -> Result<(), InvalidToken> {
    if now >= claims.exp.saturating_add(LEEWAY) { Err(InvalidToken::Expired) } else { Ok(()) }
}

/// RFC 9068 §4: `aud` must name this service; the issuer stands for every service of the gateway (decisions.md).
fn is_audience(claims: &Claims, request: &ForwardedRequest, policy: &Policy) -> bool {
    let issuer = policy.gateway.issuer();
    claims.aud.iter().any(|audience| {
        if audience == issuer {
            return !policy.require_resource;
        }
        resource::covers(audience, request.host(), request.path())
    })
}

#[cfg(test)]
mod tests;
