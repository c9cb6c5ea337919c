//! `/metrics` for Prometheus, on a listener of its own, and what every other request adds to it.

use std::time::Instant;

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::ContentType,
    middleware::Next,
    web::{self, ServiceConfig},
};

use crate::metrics::{CONTENT_TYPE, METRICS};

/// Nothing else is served there.
pub(crate) fn routes(routes: &mut ServiceConfig) {
    routes.route("/metrics", web::get().to(show));
}

async fn show() -> HttpResponse {
    match METRICS.text() {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().insert_header(ContentType::plaintext()).finish(),
    }
}

/// How long each request took; not for `/verify`, which has a counter and no time to lose.
pub(super) async fn timed(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let response = next.call(request).await?;
    let asked = response.request();
    METRICS.http_request(asked.method().as_str(), asked.match_pattern(), response.status().as_u16(), begun.elapsed());
    Ok(response)
}
