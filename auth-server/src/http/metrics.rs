//! `/metrics` for Prometheus, on a listener of its own.

use actix_web::{HttpResponse, http::header::ContentType, web::ServiceConfig};

use super::endpoint::at;
use crate::metrics::{CONTENT_TYPE, METRICS};

/// Nothing else is served there.
pub(crate) fn routes(routes: &mut ServiceConfig) {
    routes.service(at("/metrics").get(show));
}

async fn show() -> HttpResponse {
    match METRICS.text() {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().insert_header(ContentType::plaintext()).finish(),
    }
}
