//! `POST /consent`: the person's answer on our own page, before GitHub is involved (the confused deputy of the MCP
//! authorization specification). The form's state is secret, works once and only with this browser's cookie.

use actix_web::{HttpRequest, HttpResponse};

use super::{
    Server, browser,
    error::BrowserFault,
    extract::Form,
    reply::{Hop, redirect},
};
use crate::{
    audit,
    identity::Login,
    oauth::{
        authorization::{PageError, PendingAuthorization},
        error::ErrorCode,
        params::{ParamError, Params},
        secret::Secret,
    },
    random,
};

pub(super) async fn consent(server: Server, request: HttpRequest, form: Form) -> HttpResponse {
    decide(&server, &request, form).await.unwrap_or_else(|fault| fault.response(&server, Hop::FromPost))
}

async fn decide(server: &Server, request: &HttpRequest, form: Form) -> Result<HttpResponse, BrowserFault> {
    let params = form.0.map_err(PageError::Params)?;
    let (browser, pending) = take_pending(server, request, &params).await?;
    match params.require("decision").map_err(PageError::Params)? {
        "approve" => {
            let state = random::secret()?;
            let approved = pending.approve(&browser)?;
            server.store.put_pending(&state.hash(), &approved, server.lifetimes.pending).await?;
            Ok(redirect(Hop::FromPost, &server.identity.login_url(&Login::new(&browser, state))))
        }
        "deny" => {
            audit::consent_denied(&pending.request.client_id);
            Err(pending.request.refuse(ErrorCode::AccessDenied, "the person denied the request").into())
        }
        _ => Err(PageError::Params(ParamError::Missing("decision")).into()),
    }
}

/// The login that `state` names, once: another browser's attempt does not use it up.
pub(super) async fn take_pending(
    server: &Server,
    request: &HttpRequest,
    params: &Params,
) -> Result<(Secret, PendingAuthorization), BrowserFault> {
    let state = Secret::new(params.require("state").map_err(PageError::Params)?);
    let seen = server.store.pending(&state.hash()).await?.ok_or(PageError::UnknownState)?;
    let browser = browser::secret_of(request).ok_or(PageError::ForeignBrowser)?;
    seen.check_browser(&browser)?;
    let taken = server.store.take_pending(&state.hash()).await?.ok_or(PageError::UnknownState)?;
    Ok((browser, taken))
}
