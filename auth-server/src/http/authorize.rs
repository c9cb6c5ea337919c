//! `GET /authorize` (OAuth 2.1 §4.1.1): a checked request waits for the person, who sees the consent page or, where
//! this browser remembers the same consent, goes on to GitHub.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    AuthServer, Server, browser,
    error::BrowserFault,
    pages::{ConsentPage, Forms, page},
    remembered,
    reply::{Hop, redirect},
};
use crate::{
    identity::Login,
    oauth::{
        authorization::{self, AuthorizationRequest, PageError, PendingAuthorization},
        client::Client,
        consent::Consent,
        params::Params,
        secret::Secret,
    },
    random,
};

/// The order of the usual scopes when the client names none: what a person understands first.
const USUAL_ORDER: &str = "openid profile email offline_access";

pub(super) async fn authorize(server: Server, request: HttpRequest) -> HttpResponse {
    ask(&server, &request).await.unwrap_or_else(|fault| fault.response(&server, Hop::FromGet))
}

async fn ask(server: &AuthServer, request: &HttpRequest) -> Result<HttpResponse, BrowserFault> {
    let params = Params::parse(request.query_string().as_bytes()).map_err(PageError::Params)?;
    let client = server.clients.find(&server.store, &authorization::client_id(&params)?).await?;
    let asked = AuthorizationRequest::validate(&params, client.as_ref(), &server.authorization)?;

    let browser = browser::secret_of(request).map_or_else(random::secret, Ok)?;
    let mut response = match remembered::consent(server, request, &params, &asked).await? {
        Some(person) => {
            let state = wait(server, asked, &browser, Consent::Remembered(person)).await?.0;
            redirect(Hop::FromGet, &server.identity.login_url(&Login::new(&browser, state)))
        }
        None => {
            let order = params.get("scope").unwrap_or(USUAL_ORDER);
            show_consent(server, client.as_ref(), asked, &browser, order).await?
        }
    };
    // A cookie of at most 200 plain characters is always a header value.
    response.add_cookie(&browser::cookie(&browser)).ok();
    Ok(response)
}

/// GitHub named somebody else than the person who consented earlier, so that this one is asked.
pub(super) async fn ask_again(
    server: &AuthServer,
    asked: AuthorizationRequest,
    browser: &Secret,
) -> Result<HttpResponse, BrowserFault> {
    let client = server.clients.find(&server.store, &asked.client_id).await?;
    show_consent(server, client.as_ref(), asked, browser, USUAL_ORDER).await
}

async fn show_consent(
    server: &AuthServer,
    client: Option<&Client>,
    asked: AuthorizationRequest,
    browser: &Secret,
    order: &str,
) -> Result<HttpResponse, BrowserFault> {
    let (state, pending) = wait(server, asked, browser, Consent::Asked).await?;
    let name = client.and_then(|client| client.name.as_deref()).unwrap_or("an application without a name");
    let scopes = pending.request.scope.in_order_of(order);
    let consent = ConsentPage::new(&server.gateway, name, &pending.request, scopes, state.expose());
    Ok(page(StatusCode::OK, Forms::Consent, &consent))
}

/// The request waits under a state that only this browser can use.
async fn wait(
    server: &AuthServer,
    request: AuthorizationRequest,
    browser: &Secret,
    consent: Consent,
) -> Result<(Secret, PendingAuthorization), BrowserFault> {
    let state = random::secret()?;
    let pending = PendingAuthorization { request, browser: browser.hash(), consent };
    server.store.put_pending(&state.hash(), &pending, server.lifetimes.pending).await?;
    Ok((state, pending))
}
