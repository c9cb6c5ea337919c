//! `GET /metrics` for Prometheus. Web pages are turned away as everywhere: a page that rebinds its name learns nothing.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::{Shared, read_only, reply};
use crate::metrics::CONTENT_TYPE;

/// Served on the main port, or on `--metrics-port` and nothing else there.
pub(crate) fn routes(service: &mut ServiceConfig) {
    service.service(read_only("/metrics", show));
}

async fn show(request: HttpRequest, sidecar: Shared) -> HttpResponse {
    if let Err(refused) = sidecar.admit_operator(&request) {
        return reply::refused(&refused);
    }
    match sidecar.metrics.text() {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).insert_header((CACHE_CONTROL, "no-store")).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
