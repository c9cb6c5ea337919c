//! `/health/live`: the process answers. `/health/ready` and `/health`: it can also do its work.

use actix_web::HttpResponse;
use serde_json::json;

use super::{Server, error::Fault};

pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "live"}))
}

/// 503 while the store is away or the process is about to end: a balancer then asks another replica.
pub(super) async fn ready(server: Server) -> Result<HttpResponse, Fault> {
    if server.stopping.is_cancelled() {
        return Ok(HttpResponse::ServiceUnavailable().json(json!({"status": "stopping"})));
    }
    server.store.ping().await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}
