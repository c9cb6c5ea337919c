//! Signing in to the account page, through GitHub and the same `/callback` as everybody, and out of it again.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use log::warn;

use super::{
    AuthServer, Server, browser,
    error::BrowserFault,
    extract::Form,
    pages::Notice,
    reply::{Hop, redirect},
};
use crate::{
    audit,
    identity::Login,
    oauth::{
        account::{self, SESSION_LIFETIME, Session, SignIn},
        authorization::PageError,
        params::Params,
        secret::Secret,
    },
    random,
};

const NAME: &str = "__Host-mcp-account";

/// Somebody who is signed in, and the secret that says so.
pub(super) struct SignedIn {
    pub(super) session: Session,
    pub(super) secret: Secret,
}

pub(super) async fn sign_in(server: Server, request: HttpRequest) -> HttpResponse {
    begin(&server, &request).await.unwrap_or_else(|fault| fault.response(&server, Hop::FromGet))
}

async fn begin(server: &AuthServer, request: &HttpRequest) -> Result<HttpResponse, BrowserFault> {
    let browser = browser::secret_of(request).map_or_else(random::secret, Ok)?;
    let state = random::secret()?;
    let waiting = SignIn { browser: browser.hash() };
    server.store.put_sign_in(&state.hash(), &waiting, server.lifetimes.pending).await?;
    let mut response = redirect(Hop::FromGet, &server.identity.login_url(&Login::new(&browser, state)));
    // A cookie of at most 200 plain characters is always a header value.
    response.add_cookie(&browser::cookie(&browser)).ok();
    Ok(response)
}

/// GitHub's answer, when it is one to a sign-in here; `None`: it is about something else.
pub(super) async fn finish(
    server: &AuthServer,
    request: &HttpRequest,
    params: &Params,
) -> Result<Option<HttpResponse>, BrowserFault> {
    let state = Secret::new(params.require("state").map_err(PageError::Params)?);
    let Some(waiting) = server.store.sign_in(&state.hash()).await? else { return Ok(None) };
    let browser = browser::secret_of(request).ok_or(PageError::ForeignBrowser)?;
    waiting.check_browser(&browser)?;
    server.store.take_sign_in(&state.hash()).await?.ok_or(PageError::UnknownState)?;
    let Some(code) = params.get("code") else { return Ok(Some(to_page(server, Hop::FromGet, Notice::NotSignedIn))) };
    let user = match server.identity.user(code.to_owned(), &Login::new(&browser, state)).await {
        Ok(user) => user,
        Err(cause) => {
            warn!(cause:%; "sign-in to the account page failed");
            return Ok(Some(to_page(server, Hop::FromGet, Notice::NotSignedIn)));
        }
    };
    // Everybody may look at what was allowed in their name and take it back, also who is no longer on the list.
    audit::account_opened(&user.id);
    start(server, request, Session::of(user)).await.map(Some)
}

/// A new secret at every sign-in (session fixation); the one before it ends.
async fn start(server: &AuthServer, request: &HttpRequest, session: Session) -> Result<HttpResponse, BrowserFault> {
    if let Some(old) = secret_of(request) {
        server.store.end_session(&old).await?;
    }
    let secret = random::secret()?;
    server.store.put_session(&secret, &session).await?;
    let mut response = redirect(Hop::FromGet, &server.gateway.url("/account"));
    response.add_cookie(&cookie(secret.expose(), Duration::seconds(SESSION_LIFETIME.cast_signed()))).ok();
    Ok(response)
}

pub(super) async fn sign_out(server: Server, request: HttpRequest, form: Form) -> HttpResponse {
    end(&server, &request, form).await.unwrap_or_else(|fault| fault.response(&server, Hop::FromPost))
}

async fn end(server: &AuthServer, request: &HttpRequest, form: Form) -> Result<HttpResponse, BrowserFault> {
    let params = form.0.map_err(PageError::Params)?;
    if let Some(signed_in) = who(server, request).await? {
        signed_in.check_form(&params)?;
        server.store.end_session(&signed_in.secret).await?;
    }
    let mut response = to_page(server, Hop::FromPost, Notice::SignedOut);
    response.add_cookie(&cookie("", Duration::ZERO)).ok();
    Ok(response)
}

/// Who is signed in in this browser.
pub(super) async fn who(server: &AuthServer, request: &HttpRequest) -> Result<Option<SignedIn>, BrowserFault> {
    let Some(secret) = secret_of(request) else { return Ok(None) };
    let session = server.store.session(&secret).await?;
    Ok(session.map(|session| SignedIn { session, secret }))
}

impl SignedIn {
    /// A form that was not filled in on this person's own page does nothing.
    pub(super) fn check_form(&self, params: &Params) -> Result<(), PageError> {
        let presented = Secret::new(params.require("token")?);
        if account::is_from_our_page(&self.secret, &presented) { Ok(()) } else { Err(PageError::ForeignBrowser) }
    }
}

/// The account page, with a word about what happened.
pub(super) fn to_page(server: &AuthServer, hop: Hop, notice: Notice) -> HttpResponse {
    redirect(hop, &server.gateway.url(&format!("/account?notice={}", notice.as_str())))
}

fn secret_of(request: &HttpRequest) -> Option<Secret> {
    let cookie = request.cookie(NAME)?;
    browser::is_secret(cookie.value()).then(|| Secret::new(cookie.value()))
}

/// Lax: the way back from GitHub is a navigation from another site.
fn cookie(secret: &str, lifetime: Duration) -> Cookie<'static> {
    Cookie::build(NAME, secret.to_owned())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(lifetime)
        .finish()
}
