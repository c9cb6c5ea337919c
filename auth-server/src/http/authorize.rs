//! `GET /authorize` (OAuth 2.1 §4.1.1): a checked request waits for the person, who sees the consent page.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    Server, browser,
    error::BrowserFault,
    pages::{ConsentPage, Forms, page},
    reply::Hop,
};
use crate::{
    oauth::{
        authorization::{self, AuthorizationRequest, PageError, PendingAuthorization},
        params::Params,
    },
    random,
};

pub(super) async fn authorize(server: Server, request: HttpRequest) -> HttpResponse {
    ask(&server, &request).await.unwrap_or_else(|fault| fault.response(&server, Hop::FromGet))
}

/// A consent that this browser remembers will go straight to GitHub from here.
async fn ask(server: &Server, request: &HttpRequest) -> Result<HttpResponse, BrowserFault> {
    let params = Params::parse(request.query_string().as_bytes()).map_err(PageError::Params)?;
    let client = server.store.client(&authorization::client_id(&params)?).await?;
    let asked = AuthorizationRequest::validate(&params, client.as_ref(), &server.authorization)?;

    let browser = browser::secret_of(request).map_or_else(random::secret, Ok)?;
    let state = random::secret()?;
    let pending = PendingAuthorization { request: asked, browser: browser.hash(), consented: false };
    server.store.put_pending(&state.hash(), &pending, server.lifetimes.pending).await?;

    let name = client.as_ref().and_then(|client| client.name.as_deref()).unwrap_or("an application without a name");
    let consent = ConsentPage::new(server.gateway.base_domain(), name, &pending.request, state.expose());
    let mut response = page(StatusCode::OK, Forms::Consent, &consent);
    // A cookie of at most 200 plain characters is always a header value.
    response.add_cookie(&browser::cookie(&browser)).ok();
    Ok(response)
}
