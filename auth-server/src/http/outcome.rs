//! `/success` and `/error`: where a login ends when it does not end at the client. Every value is shown, none believed.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    Server,
    pages::{ErrorPage, Forms, SuccessPage, page},
};
use crate::oauth::params::Params;

pub(super) async fn success(server: Server, request: HttpRequest) -> HttpResponse {
    let params = params(&request);
    page(StatusCode::OK, Forms::None, &SuccessPage::new(server.gateway.base_domain(), params.get("code")))
}

pub(super) async fn error(server: Server, request: HttpRequest) -> HttpResponse {
    let params = params(&request);
    let explanation = params.get("error_description").unwrap_or("The sign-in could not be completed.");
    let failure = ErrorPage::new(server.gateway.base_domain(), "You are not signed in", explanation);
    let failure = match params.get("error") {
        Some(code) => failure.detail("Error", code),
        None => failure,
    };
    page(StatusCode::BAD_REQUEST, Forms::None, &failure)
}

/// A query that cannot be read says nothing.
fn params(request: &HttpRequest) -> Params {
    Params::parse(request.query_string().as_bytes()).unwrap_or_default()
}
