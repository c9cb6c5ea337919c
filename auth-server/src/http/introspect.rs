//! `POST /introspect` (RFC 7662): what a token's own client may learn of it.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{Server, client_authentication::authenticate, error::Fault, extract::Form, reply::private_json};
use crate::{
    clock,
    oauth::{error::TokenError, introspection, verify::Revocation},
};

pub(super) async fn introspect(server: Server, request: HttpRequest, form: Form) -> Result<HttpResponse, Fault> {
    let params = form.0.map_err(TokenError::from)?;
    let caller = authenticate(&server, &request, &params).await?;
    let token = params.require("token").map_err(TokenError::from)?;

    let claims = server.jwt.verify(token, clock::unix(clock::now())).ok();
    let revocation = match &claims {
        Some(claims) => server.store.revocation(&claims.claims().jti).await?,
        None => Revocation::Revoked,
    };
    Ok(private_json(StatusCode::OK, &introspection::introspect(claims.as_ref(), &revocation, &server.rules, &caller)))
}
