//! `POST /revoke` (RFC 7009): 200 whatever the token was (§2.2).

use actix_web::{HttpRequest, HttpResponse};

use super::{Server, client_authentication::authenticate, error::Fault, extract::Form};
use crate::{
    audit, clock,
    metrics::METRICS,
    oauth::{
        error::TokenError,
        revocation::{self, Revoke},
        secret::Secret,
    },
};

pub(super) async fn revoke(server: Server, request: HttpRequest, form: Form) -> Result<HttpResponse, Fault> {
    let params = form.0.map_err(TokenError::from)?;
    let caller = authenticate(&server, &request, &params).await?;
    let token = Secret::new(params.require("token").map_err(TokenError::from)?);

    let access = server.jwt.verify(token.expose(), clock::unix(clock::now()));
    let stored = server.store.refresh(&token).await?;
    let revoke = match (&access, &stored) {
        (Ok(claims), _) => revocation::revoke_access(claims.claims(), &caller),
        (Err(_), Some(stored)) => revocation::revoke_refresh(&stored.grant, &caller),
        (Err(_), None) => Revoke::Nothing,
    };
    match (&revoke, &stored) {
        (Revoke::Token(jti), _) => server.store.revoke_token(jti).await?,
        (Revoke::Refresh, Some(stored)) => server.store.revoke_refresh(stored).await?,
        _ => {}
    }
    if !matches!(revoke, Revoke::Nothing) {
        METRICS.revocations.inc();
        audit::token_revoked(caller.id());
    }
    Ok(HttpResponse::Ok().finish())
}
