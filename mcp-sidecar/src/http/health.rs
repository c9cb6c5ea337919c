//! `GET /health`: the process answers. It says nothing about children and asks nothing of the caller.

use actix_web::HttpResponse;

pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(serde_json::json!({ "status": "ok" }))
}
