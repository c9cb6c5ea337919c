//! Faults that a person meets: a page, or the redirect that takes the fault to the client.

use actix_web::{HttpResponse, http::StatusCode};
use log::{info, warn};

use super::OurFault;
use crate::{
    clients::{DocumentFault, FindError},
    http::{
        AuthServer,
        pages::{ErrorPage, Forms, page},
        reply::{Hop, redirect},
    },
    metrics::{AuthorizationOutcome, METRICS},
    oauth::{
        authorization::{AuthorizeError, PageError},
        error::ErrorCode,
    },
    random::NoRandomness,
    request_id,
    store::StoreUnavailable,
};

/// Why a person does not get on.
#[derive(Debug)]
pub(crate) enum BrowserFault {
    Authorize(AuthorizeError),
    Ours(OurFault),
}

impl<T: Into<AuthorizeError>> From<T> for BrowserFault {
    fn from(error: T) -> Self {
        Self::Authorize(error.into())
    }
}

impl From<OurFault> for BrowserFault {
    fn from(fault: OurFault) -> Self {
        Self::Ours(fault)
    }
}

impl From<StoreUnavailable> for BrowserFault {
    fn from(fault: StoreUnavailable) -> Self {
        Self::Ours(fault.into())
    }
}

impl From<FindError> for BrowserFault {
    fn from(fault: FindError) -> Self {
        match fault {
            FindError::Store(fault) => fault.into(),
            FindError::Document(DocumentFault::Invalid(error)) => PageError::ClientDocument(error).into(),
            FindError::Document(DocumentFault::Unreachable(_)) => PageError::ClientUnreachable.into(),
        }
    }
}

impl From<NoRandomness> for BrowserFault {
    fn from(fault: NoRandomness) -> Self {
        Self::Ours(fault.into())
    }
}

impl BrowserFault {
    /// A page, or the redirect that takes the fault to the client.
    pub(crate) fn response(&self, server: &AuthServer, hop: Hop) -> HttpResponse {
        METRICS.authorizations.add(self.outcome());
        match self {
            Self::Ours(fault) => {
                fault.tell();
                let failure =
                    ErrorPage::new(server.gateway.base_domain(), "Not possible right now", "This is our fault.");
                let id = request_id::current().unwrap_or_default();
                page(fault.status(), Forms::None, &failure.detail("Request", &id).advice("Try again in a moment."))
            }
            Self::Authorize(AuthorizeError::ShowPage(error)) => refusal_page(server, *error),
            Self::Authorize(AuthorizeError::Redirect(refusal)) => {
                info!(code = refusal.code.as_str(), reason = refusal.description; "authorization refused");
                redirect(hop, &refusal.location(&server.gateway))
            }
        }
    }

    fn outcome(&self) -> AuthorizationOutcome {
        match self {
            Self::Ours(_) => AuthorizationOutcome::Failed,
            Self::Authorize(AuthorizeError::Redirect(refusal)) => match refusal.code {
                ErrorCode::AccessDenied => AuthorizationOutcome::Denied,
                ErrorCode::ServerError => AuthorizationOutcome::Failed,
                _ => AuthorizationOutcome::Refused,
            },
            Self::Authorize(_) => AuthorizationOutcome::Refused,
        }
    }
}

/// What cannot safely be sent anywhere is shown to the person (RFC 6749 §4.1.2.1).
fn refusal_page(server: &AuthServer, error: PageError) -> HttpResponse {
    warn!(code = error.code(), reason:% = error; "authorization refused on a page");
    let (heading, explanation, advice) = words(error);
    let reason = error.to_string();
    let refusal = ErrorPage::new(server.gateway.base_domain(), heading, explanation).advice(advice);
    let refusal = refusal.detail("Error", error.code()).detail("Reason", &reason);
    page(StatusCode::BAD_REQUEST, Forms::None, &refusal)
}

/// What happened, why, and what the person can do.
fn words(error: PageError) -> (&'static str, &'static str, &'static str) {
    let again = "Go back to your application and start again. Nothing was allowed.";
    match error {
        PageError::UnknownClient | PageError::MalformedClientId => (
            "This application is not known here",
            "It has never registered with this gateway, or its registration has expired.",
            "In your application, remove this connection and add it again: it then registers anew.",
        ),
        PageError::ClientDocument(_) | PageError::ClientUnreachable => (
            "This application could not be identified",
            "It is described by a document on its own site, which cannot be used.",
            "Try again in a while. If that does not help, tell whoever makes the application.",
        ),
        PageError::RedirectUriMissing | PageError::RedirectUriNotRegistered => (
            "This link does not fit its application",
            "It would send you to an address that the application has not registered. Somebody may have forged it.",
            again,
        ),
        PageError::UnknownState => {
            ("This sign-in has expired", "It was begun too long ago, or it has been finished already.", again)
        }
        PageError::ForeignBrowser | PageError::ConsentMissing => (
            "This sign-in did not start here",
            "A sign-in is finished in the browser in which it was begun. Somebody may have sent you this link.",
            again,
        ),
        PageError::Params(_) => ("This link is not complete", "Something in it is missing, or is there twice.", again),
    }
}
