//! From a grant to tokens: load, decide, commit in one atomic step; whoever loses a race decides again on what is now.

use super::{
    AuthServer,
    error::{Fault, OurFault},
};
use crate::{
    audit, clock,
    oauth::{
        access_token::{Authorized, Issue, TokenRecord},
        client_authentication::AuthenticatedClient,
        client_credentials::OwnAccess,
        error::TokenError,
        grant::Terms,
        id::FamilyId,
        refresh::{Fresh, RefreshDecision, Rotation},
        secret::Secret,
        token::{CodeExchange, Refresh, TokenResponse},
    },
    random,
    store::{Commit, Redemption, RotationCommit, StoredRefresh},
};

/// Each lost race means that somebody else's commit went through; more than this is a fault of ours.
const ATTEMPTS: usize = 4;

/// Redeems a code (OAuth 2.1 §4.1.3).
pub(super) async fn exchange(
    server: &AuthServer,
    client: &AuthenticatedClient,
    request: &CodeExchange,
) -> Result<TokenResponse, Fault> {
    for _ in 0..ATTEMPTS {
        let seen = server.store.code(&request.code).await?.ok_or(TokenError::CodeUnknown)?;
        let family = random::family_id()?;
        let now = clock::unix(clock::now());
        let terms = Terms { family: family.clone(), now, code_lifetime: server.lifetimes.code.as_secs() };
        let exchange = seen.clone().exchange(request, client, terms)?;

        let issued = issue(server, &exchange.access, Some(&family), now)?;
        let refresh = random::secret()?;
        let refresh_hash = refresh.hash();
        let redemption = Redemption {
            code: &request.code,
            seen: &seen,
            family: &family,
            access: &issued.record,
            refresh: exchange.refresh.as_ref().map(|grant| (&refresh_hash, grant)),
            lifetimes: server.grant_lifetimes(),
        };
        if server.store.redeem_code(redemption).await? == Commit::Done {
            return Ok(issued.answer(exchange.refresh.is_some().then_some(&refresh)));
        }
    }
    Err(OurFault::Contention.into())
}

/// Rotates a refresh token, or repeats a lost answer (OAuth 2.1 §4.3).
pub(super) async fn refresh(
    server: &AuthServer,
    client: &AuthenticatedClient,
    request: &Refresh,
) -> Result<TokenResponse, Fault> {
    for _ in 0..ATTEMPTS {
        let stored = server.store.refresh(&request.token).await?.ok_or(TokenError::RefreshUnknown)?;
        let now = clock::unix(clock::now());
        let fresh = Fresh { successor: random::bits()?, family: random::family_id()?, now };
        let answer = match stored.grant.clone().redeem(request, client, fresh)? {
            RefreshDecision::Rotate { access, rotation } => rotate(server, &stored, &access, &rotation).await?,
            RefreshDecision::Retry { access, successor, family } => {
                let issued = issue(server, &access, family.as_ref(), now)?;
                let added = server.store.put_token(&issued.record, server.lifetimes.access_token).await?;
                (added == Commit::Done).then(|| issued.answer(Some(&successor)))
            }
        };
        if let Some(answer) = answer {
            return Ok(answer);
        }
    }
    Err(OurFault::Contention.into())
}

/// A client that acts for itself (RFC 6749 §4.4).
pub(super) async fn own_access(
    server: &AuthServer,
    client: &AuthenticatedClient,
    request: OwnAccess,
) -> Result<TokenResponse, Fault> {
    let access = request.authorize(client, &server.authorization)?;
    let issued = issue(server, &access, Some(&random::family_id()?), clock::unix(clock::now()))?;
    match server.store.found_family(&issued.record, server.lifetimes.access_token).await? {
        Commit::Done => Ok(issued.answer(None)),
        Commit::Conflict => Err(TokenError::UnknownClient.into()),
    }
}

/// `None`: the token or its family changed meanwhile.
async fn rotate(
    server: &AuthServer,
    stored: &StoredRefresh,
    access: &Authorized,
    rotation: &Rotation,
) -> Result<Option<TokenResponse>, Fault> {
    let issued = issue(server, access, Some(&rotation.family), rotation.grant.created_at)?;
    let commit = RotationCommit { stored, rotation, access: &issued.record, lifetimes: server.grant_lifetimes() };
    let done = server.store.rotate_refresh(commit).await? == Commit::Done;
    Ok(done.then(|| issued.answer(Some(&rotation.successor))))
}

/// An access token, signed but not yet in the store: useless until it is.
struct Issued {
    jwt: String,
    record: TokenRecord,
}

impl Issued {
    /// Once it is in the store.
    fn answer(self, refresh: Option<&Secret>) -> TokenResponse {
        let claims = self.record.claims;
        audit::token_issued(&claims.client_id, &claims.sub, &claims.jti);
        TokenResponse::new(self.jwt, claims.exp - claims.iat, refresh, &claims.scope)
    }
}

/// Everything that is issued comes by here, and so nothing is to someone who was taken off the list meanwhile.
fn issue(server: &AuthServer, access: &Authorized, family: Option<&FamilyId>, now: u64) -> Result<Issued, Fault> {
    access.check_owner(&server.rules.people)?;
    let terms = Issue { jti: random::token_id()?, now, lifetime: server.lifetimes.access_token.as_secs() };
    let record = access.issue(terms, family.cloned(), &server.gateway);
    let jwt = server.jwt.sign(&record.claims).map_err(|cause| OurFault::Signing(cause.to_string()))?;
    Ok(Issued { jwt, record })
}
