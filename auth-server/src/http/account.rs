//! `/account`: what a person has allowed, and the end of it.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    AuthServer, Server,
    error::BrowserFault,
    extract::Form,
    pages::{AccountPage, Forms, Notice, SignInPage, page},
    reply::{Hop, redirect},
    session::{self, SignedIn},
};
use crate::{
    audit, clock,
    oauth::{
        account::{self, Session},
        authorization::PageError,
        id::ClientId,
        params::Params,
    },
    store::{Connection, StoreUnavailable},
};

pub(super) async fn show(server: Server, request: HttpRequest) -> HttpResponse {
    look(&server, &request).await.unwrap_or_else(|fault| fault.response(&server, Hop::FromGet))
}

async fn look(server: &AuthServer, request: &HttpRequest) -> Result<HttpResponse, BrowserFault> {
    let params = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    let notice = params.get("notice").and_then(Notice::parse);
    let Some(SignedIn { session, secret }) = session::who(server, request).await? else {
        return Ok(page(StatusCode::OK, Forms::None, &SignInPage::new(server.gateway.base_domain(), notice)));
    };
    let connections = connections(server, &session).await?;
    let token = account::form_token(&secret);
    let now = clock::unix(clock::now());
    let page_of = AccountPage::new(&server.gateway, &session.username, &connections, now);
    Ok(page(StatusCode::OK, Forms::Ours, &page_of.with_forms(token.expose(), notice)))
}

pub(super) async fn revoke(server: Server, request: HttpRequest, form: Form) -> HttpResponse {
    let revoked = async {
        let params = form.0.map_err(PageError::Params)?;
        let Some(session) = signed_in(&server, &request, &params).await? else { return Ok(to_sign_in(&server)) };
        let client = params.require("client_id").map_err(PageError::Params)?;
        let client = ClientId::parse(client).ok_or(PageError::MalformedClientId)?;
        revoke_client(&server, &session, &client).await?;
        Ok(session::to_page(&server, Hop::FromPost, Notice::Revoked))
    };
    revoked.await.unwrap_or_else(|fault: BrowserFault| fault.response(&server, Hop::FromPost))
}

pub(super) async fn revoke_all(server: Server, request: HttpRequest, form: Form) -> HttpResponse {
    let revoked = async {
        let params = form.0.map_err(PageError::Params)?;
        let Some(session) = signed_in(&server, &request, &params).await? else { return Ok(to_sign_in(&server)) };
        server.store.logout(&session.username).await?;
        audit::all_access_revoked(&session.person);
        Ok(session::to_page(&server, Hop::FromPost, Notice::AllRevoked))
    };
    revoked.await.unwrap_or_else(|fault: BrowserFault| fault.response(&server, Hop::FromPost))
}

/// Only among the person's own connections is anything looked for. The remembered consent goes first, so that the client
/// cannot come back unasked in between.
async fn revoke_client(server: &AuthServer, session: &Session, client: &ClientId) -> Result<(), StoreUnavailable> {
    server.store.forget_consent(&session.username, Some(client)).await?;
    for connection in connections(server, session).await?.iter().filter(|own| own.client_id == *client) {
        server.store.revoke_family(&connection.family).await?;
        audit::access_revoked(client, &session.person, &connection.family);
    }
    Ok(())
}

async fn connections(server: &AuthServer, session: &Session) -> Result<Vec<Connection>, StoreUnavailable> {
    let mut all = server.store.connections(&session.username).await?;
    // A login that changed hands: what its former owner allowed is not this person's.
    all.retain(|connection| connection.person.as_ref().is_none_or(|person| *person == session.person));
    Ok(all)
}

/// Who sends this form, which must be from their own page; `None`: the session has ended.
async fn signed_in(
    server: &AuthServer,
    request: &HttpRequest,
    params: &Params,
) -> Result<Option<Session>, BrowserFault> {
    let Some(signed_in) = session::who(server, request).await? else { return Ok(None) };
    signed_in.check_form(params)?;
    Ok(Some(signed_in.session))
}

fn to_sign_in(server: &AuthServer) -> HttpResponse {
    redirect(Hop::FromPost, &server.gateway.url("/account"))
}
