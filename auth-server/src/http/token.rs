//! `POST /token` (OAuth 2.1 §3.2): the client proves itself, the grant is read, [`super::grant`] issues.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use log::warn;

use super::{
    AuthServer, Server, client_authentication::authenticate, error::Fault, extract::Form, grant, reply::private_json,
};
use crate::{
    audit,
    metrics::{GrantType, METRICS, TokenOutcome},
    oauth::{
        client_authentication::AuthenticatedClient,
        error::TokenError,
        params::Params,
        token::{TokenRequest, TokenResponse},
    },
    store::StoreUnavailable,
};

pub(super) async fn token(server: Server, request: HttpRequest, form: Form) -> Result<HttpResponse, Fault> {
    let grant_type = GrantType::named(form.0.as_ref().ok().and_then(|params| params.get("grant_type")));
    let answer = answer(&server, &request, form, grant_type).await;
    METRICS.token_request(grant_type, outcome(&answer));
    answer.map(|response| private_json(StatusCode::OK, &response))
}

async fn answer(
    server: &AuthServer,
    request: &HttpRequest,
    form: Form,
    grant_type: GrantType,
) -> Result<TokenResponse, Fault> {
    let params = form.0.map_err(TokenError::from)?;
    let client = authenticate(server, request, &params).await?;
    let granted = grant(server, &client, &params).await;
    match &granted {
        Ok(_) => renew(server, &client).await,
        Err(Fault::Token(error)) => {
            audit::grant_refused(client.id(), grant_type, error);
            revoke_what_was_stolen(server, &client, error).await?;
        }
        Err(_) => {}
    }
    granted
}

async fn grant(server: &AuthServer, client: &AuthenticatedClient, params: &Params) -> Result<TokenResponse, Fault> {
    match TokenRequest::parse(params, client, &server.gateway)? {
        TokenRequest::Code(exchange) => grant::exchange(server, client, &exchange).await,
        TokenRequest::Refresh(refresh) => grant::refresh(server, client, &refresh).await,
        TokenRequest::OwnAccess(access) => grant::own_access(server, client, access).await,
    }
}

/// A client in use does not lapse. The tokens are issued: what fails here is made up for by the next ones.
async fn renew(server: &AuthServer, client: &AuthenticatedClient) {
    if let Err(cause) = server.store.renew_client(client.id(), server.lifetimes.client).await {
        warn!(client_id:% = client.id(), cause:%; "client was not renewed");
    }
}

async fn revoke_what_was_stolen(
    server: &AuthServer,
    client: &AuthenticatedClient,
    error: &TokenError,
) -> Result<(), StoreUnavailable> {
    let Some(family) = error.revokes() else { return Ok(()) };
    server.store.revoke_family(family).await?;
    if let TokenError::RefreshReused { .. } = error {
        METRICS.refresh_reuse.inc();
        audit::refresh_reused(client.id(), family);
    } else {
        METRICS.code_reuse.inc();
        audit::code_reused(client.id(), family);
    }
    Ok(())
}

fn outcome(answer: &Result<TokenResponse, Fault>) -> TokenOutcome {
    match answer {
        Ok(_) => TokenOutcome::Granted,
        Err(Fault::Ours(_)) => TokenOutcome::Failed,
        Err(_) => TokenOutcome::Refused,
    }
}
