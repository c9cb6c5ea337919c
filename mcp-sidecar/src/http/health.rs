//! `GET /health`: the process answers. `GET /ready` and `GET /health?ready`: the wrapped server answers too.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::json;

use super::{Shared, reply};

/// Of a reason, which may quote the server.
const LONGEST: usize = 500;

/// It says nothing about children and asks nothing of the caller, unless `ready` is in the query.
pub(super) async fn health(request: HttpRequest, sidecar: Shared) -> HttpResponse {
    let query = request.query_string().split('&').map(|pair| pair.split('=').next());
    if query.into_iter().any(|name| name == Some("ready")) {
        return ready(request, sidecar).await;
    }
    unstored(HttpResponse::Ok()).json(json!({ "status": "ok" }))
}

/// A web page must not make us start processes.
pub(super) async fn ready(request: HttpRequest, sidecar: Shared) -> HttpResponse {
    if let Err(refused) = sidecar.admit_operator(&request) {
        return reply::refused(&refused);
    }
    match sidecar.readiness.check().await {
        Ok(()) => unstored(HttpResponse::Ok()).json(json!({ "status": "ready" })),
        Err(unready) => {
            let reason: String = unready.0.chars().take(LONGEST).collect();
            unstored(HttpResponse::ServiceUnavailable()).json(json!({ "status": "unready", "reason": reason }))
        }
    }
}

fn unstored(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header((CACHE_CONTROL, "no-store"));
    response
}
