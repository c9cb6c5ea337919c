//! Who calls `/token`, `/revoke` or `/introspect` (OAuth 2.1 §2.4).

use std::time::Duration;

use actix_web::{HttpRequest, http::header};

use super::{AuthServer, error::Fault};
use crate::{
    audit,
    clients::FindError,
    clock,
    oauth::{
        client::Client,
        client_assertion::Assertion,
        client_authentication::{AuthenticatedClient, ClientCredentials},
        error::TokenError,
        params::Params,
    },
    store::Commit,
};

pub(super) async fn authenticate(
    server: &AuthServer,
    request: &HttpRequest,
    params: &Params,
) -> Result<AuthenticatedClient, Fault> {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = ClientCredentials::parse(authorization, params)?;
    let client = server.clients.find(&server.store, credentials.client_id()).await?;
    let proved = match (credentials.assertion(), client) {
        (Some(assertion), Some(client)) => prove(server, assertion, client).await,
        (_, client) => credentials.authenticate(client, clock::unix(clock::now())).map_err(Fault::from),
    };
    if let Err(Fault::Token(reason)) = &proved {
        audit::client_refused(credentials.client_id(), reason);
    }
    proved
}

/// RFC 7523 §3: the claims first, which cost nothing; then the keys, the signature, and that it comes for the first time.
async fn prove(server: &AuthServer, assertion: &Assertion, client: Client) -> Result<AuthenticatedClient, Fault> {
    let now = clock::unix(clock::now());
    let proof = assertion.check(client.clone(), &server.gateway, now).map_err(TokenError::from)?;
    let keys = server.clients.keys(&client, assertion.key_id(), now).await.map_err(FindError::from)?;
    keys.verify(assertion).map_err(TokenError::from)?;
    let first = server.store.use_assertion(&proof.id, Duration::from_secs(proof.lifetime)).await? == Commit::Done;
    Ok(proof.used(first).map_err(TokenError::from)?)
}
