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
    // Anybody can write such a link, so what it says does not stand where this gateway speaks.
    let explanation = match params.get("error") {
        Some("access_denied") => "Access was denied: by you, or because this GitHub account may not use this gateway.",
        Some("server_error" | "temporarily_unavailable") => "GitHub or this gateway could not answer. Try again soon.",
        _ => "The sign-in could not be completed.",
    };
    let mut failure = ErrorPage::new(server.gateway.base_domain(), "You are not signed in", explanation);
    for (name, parameter) in [("Error", "error"), ("The link says", "error_description")] {
        failure = match params.get(parameter) {
            Some(text) => failure.detail(name, shortened(text)),
            None => failure,
        };
    }
    page(StatusCode::BAD_REQUEST, Forms::None, &failure)
}

/// At most this much of a text that anybody may have written.
const LONGEST: usize = 200;

fn shortened(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// A query that cannot be read says nothing.
fn params(request: &HttpRequest) -> Params {
    Params::parse(request.query_string().as_bytes()).unwrap_or_default()
}
