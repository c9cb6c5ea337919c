//! The only place where errors become responses, one enum per wire format, each logged once: [`Fault`] is JSON for
//! programs, [`BrowserFault`] a page or a redirect for people, [`VerifyFault`] what Traefik hands on.

mod bearer;
mod browser;

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{Method, StatusCode, header},
};
pub(crate) use bearer::VerifyFault;
pub(crate) use browser::BrowserFault;
use log::{error, info, warn};
use serde_json::json;

use crate::{
    clients::{DocumentFault, FindError},
    fetch::FetchError,
    metrics::{METRICS, RegistrationOutcome},
    oauth::{
        challenge,
        error::{ManagementError, RegistrationError, TokenError},
        policy::MalformedPolicy,
    },
    random::NoRandomness,
    request_id,
    store::StoreUnavailable,
};

/// Why a program gets no answer: an error of OAuth's, or a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("{0}")]
    Registration(#[from] RegistrationError),
    #[error("{0}")]
    Management(#[from] ManagementError),
    #[error("{0}")]
    Ours(#[from] OurFault),
}

/// Never the client's fault, and never told as if it were (a 401 would throw its tokens away).
#[derive(Debug, thiserror::Error)]
pub(crate) enum OurFault {
    #[error("{0}")]
    Store(#[from] StoreUnavailable),
    #[error("{0}")]
    Randomness(#[from] NoRandomness),
    #[error("{0}")]
    Signing(String),
    #[error("a record changed under every attempt to commit")]
    Contention,
    /// Nor the client's: whoever serves its document is in trouble, and the next attempt may find it.
    #[error("the client's document cannot be had: {0}")]
    ClientDocument(FetchError),
    #[error("MAX_CLIENTS are registered")]
    TooManyClients,
    /// The operator's, strictly; nobody passes until it is mended.
    #[error("the address of the forwardAuth middleware of {host} (/verify?…) is wrong: {fault}")]
    Policy { host: String, fault: MalformedPolicy },
}

impl From<StoreUnavailable> for Fault {
    fn from(fault: StoreUnavailable) -> Self {
        Self::Ours(fault.into())
    }
}

impl From<FindError> for Fault {
    fn from(fault: FindError) -> Self {
        match fault {
            FindError::Store(fault) => fault.into(),
            FindError::Document(DocumentFault::Invalid(error)) => Self::Token(error.into()),
            FindError::Document(DocumentFault::Unreachable(error)) => Self::Ours(OurFault::ClientDocument(error)),
        }
    }
}

impl From<NoRandomness> for Fault {
    fn from(fault: NoRandomness) -> Self {
        Self::Ours(fault.into())
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        let status = match self {
            Self::Token(error) => error.status(),
            Self::Registration(error) => error.status(),
            Self::Management(error) => error.status(),
            Self::Ours(fault) => return fault.status(),
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    fn error_response(&self) -> HttpResponse {
        let (code, description) = match self {
            Self::Token(error) => (error.code(), error.description()),
            Self::Registration(error) => (error.code(), error.description()),
            Self::Management(error) => (error.code(), error.to_string()),
            Self::Ours(fault) => return fault.response(),
        };
        info!(code, reason:% = self; "request refused");
        if let Self::Registration(_) = self {
            METRICS.registrations.add(RegistrationOutcome::Refused);
        }
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Token(error) if error.status() == 401 => {
                response.insert_header((header::WWW_AUTHENTICATE, challenge::BASIC));
            }
            Self::Management(_) if self.status_code() == StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            _ => {}
        }
        oauth_error(&mut response, code, &description)
    }
}

impl OurFault {
    fn status(&self) -> StatusCode {
        match self {
            Self::Store(_) | Self::Contention | Self::ClientDocument(_) | Self::TooManyClients => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Randomness(_) | Self::Signing(_) | Self::Policy { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// To the operator, once.
    fn tell(&self) {
        match self {
            Self::ClientDocument(_) => warn!(cause:% = self; "request failed"),
            _ => error!(cause:% = self; "request failed"),
        }
        if let Self::Store(_) = self {
            METRICS.store_errors.inc();
        }
    }

    /// The log gets the cause; the client only that it was not its fault, and when to come again.
    pub(crate) fn response(&self) -> HttpResponse {
        self.tell();
        let mut response = HttpResponse::build(self.status());
        match self.status() {
            StatusCode::SERVICE_UNAVAILABLE => {
                // Seconds. Unused registrations lapse within the hour, a few of them at any time.
                let retry_after = if matches!(self, Self::TooManyClients) { "120" } else { "2" };
                response.insert_header((header::RETRY_AFTER, retry_after));
                refused(&mut response, "temporarily_unavailable", "try again in a moment")
            }
            _ => refused(&mut response, "server_error", "the server could not do this"),
        }
    }
}

/// A path that leads nowhere.
pub(crate) async fn not_found() -> HttpResponse {
    refused(&mut HttpResponse::NotFound(), "not_found", "there is nothing here")
}

/// RFC 9110 §15.5.6; OPTIONS only asks (§9.3.7).
pub(crate) fn method_not_allowed(method: &Method, allow: &str) -> HttpResponse {
    if method == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish();
    }
    let mut response = HttpResponse::MethodNotAllowed();
    refused(response.insert_header((header::ALLOW, allow)), "method_not_allowed", "this is not done here")
}

/// With the id under which the log has the cause.
fn refused(response: &mut HttpResponseBuilder, code: &str, description: &str) -> HttpResponse {
    let body = json!({"error": code, "error_description": description, "request_id": request_id::current()});
    never_cached(response).json(body)
}

/// RFC 6749 §5.2.
pub(crate) fn oauth_error(response: &mut HttpResponseBuilder, code: &str, description: &str) -> HttpResponse {
    never_cached(response).json(json!({"error": code, "error_description": description}))
}

fn never_cached(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}
