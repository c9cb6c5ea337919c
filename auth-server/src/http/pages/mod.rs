//! Pages that people see: askama escapes every value, there is no script, and the one style sheet is pinned by its hash.

mod account;
mod consent;
mod information;
mod landing;
mod plain;
mod words;

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

pub(crate) use account::{AccountPage, Notice, SignInPage};
pub(crate) use consent::ConsentPage;
pub(crate) use information::{DocsPage, PolicyPage, TermsPage};
pub(crate) use landing::LandingPage;
pub(crate) use plain::{ErrorPage, SuccessPage, UnauthorizedPage};

const STYLE: &str = include_str!("../../../templates/style.css");

/// Nothing may load, frame or run; the style sheet is known by its hash.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'")
});

/// Which forms a page may send.
#[derive(Clone, Copy)]
pub(crate) enum Forms {
    None,
    /// To us, and what follows stays with us.
    Ours,
    /// Chromium holds every redirect that follows a POST against `form-action`: GitHub, its single sign-on, the
    /// client's own URI and wherever that leads. A list that never breaks a login would have to allow everything,
    /// so the page with the form has none; its action is constant.
    Consent,
}

/// A page is never cached, never framed and tells nobody where the person came from.
pub(crate) fn page(status: StatusCode, forms: Forms, page: &impl Template) -> HttpResponse {
    let policy = match forms {
        Forms::None => format!("{}; form-action 'none'", *POLICY),
        Forms::Ours => format!("{}; form-action 'self'", *POLICY),
        Forms::Consent => POLICY.clone(),
    };
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html),
        Err(fault) => {
            log::error!(fault:%; "page not rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

#[cfg(test)]
mod tests;
