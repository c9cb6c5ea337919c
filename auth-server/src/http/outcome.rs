//! `/success` and `/error`: where a login ends when it does not end at the client.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use serde::Deserialize;

use super::{
    Server,
    pages::{ErrorPage, Forms, SuccessPage, page},
};

#[derive(Deserialize)]
pub(super) struct Success {
    code: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Failure {
    error: Option<String>,
    error_description: Option<String>,
}

pub(super) async fn success(server: Server, query: Query<Success>) -> HttpResponse {
    page(StatusCode::OK, Forms::None, &SuccessPage::new(server.gateway.base_domain(), query.code.as_deref()))
}

pub(super) async fn error(server: Server, query: Query<Failure>) -> HttpResponse {
    let explanation = query.error_description.as_deref().unwrap_or("The sign-in could not be completed.");
    let failure = ErrorPage::new(server.gateway.base_domain(), "You are not signed in", explanation);
    let failure = match query.error.as_deref() {
        Some(code) => failure.detail("Error", code),
        None => failure,
    };
    page(StatusCode::BAD_REQUEST, Forms::None, &failure)
}
