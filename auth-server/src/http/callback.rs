//! `GET /callback`: GitHub's answer. The person is identified, held against the allow-list, and the client gets a code.

use actix_web::{HttpRequest, HttpResponse};
use log::{info, warn};

use super::{
    Server, authorize,
    consent::take_pending,
    error::BrowserFault,
    remembered,
    reply::{Hop, redirect},
    session,
};
use crate::{
    audit, clock,
    identity::Login,
    metrics::{AuthorizationOutcome, METRICS},
    oauth::{
        authorization::{AuthorizationRequest, AuthorizeError, PageError},
        error::ErrorCode,
        grant::{CodeGrant, User},
        params::Params,
        secret::Secret,
    },
    random,
};

pub(super) async fn callback(server: Server, request: HttpRequest) -> HttpResponse {
    match come_back(&server, &request).await {
        Ok(response) => response,
        Err(BrowserFault::Authorize(AuthorizeError::ShowPage(error))) => to_error_page(&server, error),
        Err(fault) => fault.response(&server, Hop::FromGet),
    }
}

async fn come_back(server: &Server, request: &HttpRequest) -> Result<HttpResponse, BrowserFault> {
    let params = Params::parse(request.query_string().as_bytes()).map_err(PageError::Params)?;
    if let Some(signed_in) = session::finish(server, request, &params).await? {
        return Ok(signed_in);
    }
    let (browser, pending) = take_pending(server, request, &params).await?;
    let consented = pending.complete(&browser)?;
    let state = Secret::new(params.require("state").map_err(PageError::Params)?);
    let user = identify(server, &consented.request, &params, &Login::new(&browser, state)).await?;
    if !consented.is_by(&user.id) {
        info!(client_id:% = consented.request.client_id, user_id:% = user.id; "another person is at this browser");
        return authorize::ask_again(server, consented.request, &browser).await;
    }
    let cookie = match consented.is_fresh() {
        true => remembered::keep(server, request, &consented.request, &user).await?,
        false => None,
    };
    let mut response = issue_code(server, consented.request, user).await?;
    if let Some(cookie) = cookie {
        // Plain characters are always a header value.
        response.add_cookie(&cookie).ok();
    }
    Ok(response)
}

async fn issue_code(server: &Server, asked: AuthorizationRequest, user: User) -> Result<HttpResponse, BrowserFault> {
    let code = random::secret()?;
    let location = asked.success_location(&code, &server.gateway);
    let (client_id, user_id) = (asked.client_id.clone(), user.id.clone());
    let grant = CodeGrant::Approved { request: asked, user, issued_at: clock::unix(clock::now()) };
    server.store.put_code(&code.hash(), &grant, server.lifetimes.code).await?;
    audit::login_granted(&client_id, &user_id);
    METRICS.authorizations.add(AuthorizationOutcome::Granted);
    Ok(redirect(Hop::FromGet, &location))
}

async fn identify(
    server: &Server,
    asked: &AuthorizationRequest,
    params: &Params,
    login: &Login,
) -> Result<User, AuthorizeError> {
    let Some(code) = params.get("code") else {
        // GitHub's `error=access_denied`: the person said no there.
        audit::consent_denied(&asked.client_id);
        return Err(asked.refuse(ErrorCode::AccessDenied, "the person did not sign in").into());
    };
    let user = server.identity.user(code.to_owned(), login).await.map_err(|cause| {
        warn!(cause:%; "login at the identity provider failed");
        asked.refuse(ErrorCode::ServerError, "GitHub did not say who this is")
    })?;
    if !server.rules.people.admits(&user.username, &user.groups) {
        audit::login_denied(&asked.client_id, &user.id);
        return Err(asked.refuse(ErrorCode::AccessDenied, "this GitHub account may not use this gateway").into());
    }
    Ok(user)
}

fn to_error_page(server: &Server, error: PageError) -> HttpResponse {
    METRICS.authorizations.add(AuthorizationOutcome::Refused);
    warn!(code = error.code(), reason:% = error; "login refused");
    let description = error.to_string();
    let pairs = [("error", error.code()), ("error_description", &description)];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    redirect(Hop::FromGet, &server.gateway.url(&format!("/error?{query}")))
}
