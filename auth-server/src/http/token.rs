//! `POST /token` (OAuth 2.1 §3.2): the client proves itself, the grant is read, [`super::grant`] issues.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use log::warn;

use super::{AuthServer, Server, error::Fault, extract::Form, grant, reply::private_json};
use crate::{
    clock,
    metrics::{GrantType, METRICS, TokenOutcome},
    oauth::{
        client_authentication::{AuthenticatedClient, ClientCredentials},
        error::TokenError,
        params::Params,
        token::{TokenRequest, TokenResponse},
    },
};

pub(super) async fn token(server: Server, request: HttpRequest, form: Form) -> Result<HttpResponse, Fault> {
    let grant_type = GrantType::named(form.0.as_ref().ok().and_then(|params| params.get("grant_type")));
    let answer = answer(&server, &request, form).await;
    METRICS.token_request(grant_type, outcome(&answer));
    if let Err(Fault::Token(error)) = &answer
        && let Some(family) = error.revokes()
    {
        match error {
            TokenError::RefreshReused { .. } => METRICS.refresh_reuse.inc(),
            _ => METRICS.code_reuse.inc(),
        };
        warn!(family:%, reason:% = error; "security: a spent grant came back, everything it gave was revoked");
        server.store.revoke_family(family).await?;
    }
    answer.map(|response| private_json(StatusCode::OK, &response))
}

fn outcome(answer: &Result<TokenResponse, Fault>) -> TokenOutcome {
    match answer {
        Ok(_) => TokenOutcome::Granted,
        Err(Fault::Ours(_)) => TokenOutcome::Failed,
        Err(_) => TokenOutcome::Refused,
    }
}

async fn answer(server: &AuthServer, request: &HttpRequest, form: Form) -> Result<TokenResponse, Fault> {
    let params = form.0.map_err(TokenError::from)?;
    let client = authenticate(server, request, &params).await?;
    match TokenRequest::parse(&params, &client, &server.gateway)? {
        TokenRequest::Code(exchange) => grant::exchange(server, &client, &exchange).await,
        TokenRequest::Refresh(refresh) => grant::refresh(server, &client, &refresh).await,
    }
}

/// Who calls; also for `/revoke` and `/introspect`.
pub(super) async fn authenticate(
    server: &AuthServer,
    request: &HttpRequest,
    params: &Params,
) -> Result<AuthenticatedClient, Fault> {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = ClientCredentials::parse(authorization, params)?;
    let client = server.clients.find(&server.store, credentials.client_id()).await?;
    Ok(credentials.authenticate(client, clock::unix(clock::now()))?)
}
