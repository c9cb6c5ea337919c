//! `/health/live`: the process answers. `/health/ready` and `/health`: it can also do its work.

use actix_web::HttpResponse;
use serde_json::json;

pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "live"}))
}

pub(super) async fn ready() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ready"}))
}
