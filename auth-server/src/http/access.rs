//! What every request owes to the operator: an id, a line in the log, a duration in the numbers.

use std::time::{Duration, Instant};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{HeaderMap, HeaderValue},
    },
    middleware::Next,
};
use log::{Level, log, log_enabled};

use super::Server;
use crate::{metrics::METRICS, request_id};

const TARGET: &str = "access";
/// Of a path or a header; a log is no place for 100 kB.
const LONGEST: usize = 256;

/// Around every endpoint but `/verify`.
pub(super) async fn told(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let headers = request.headers().clone();
    let telling = async {
        let mut response = next.call(request).await?;
        let (status, took) = (response.status(), begun.elapsed());
        answer_id(response.headers_mut());
        let asked = response.request();
        // Probes come every few seconds and tell nothing that the numbers do not.
        let level = if asked.path().starts_with("/health") { Level::Debug } else { Level::Info };
        tell(level, asked, asked.path(), (status, took));
        METRICS.http_request(asked.method().as_str(), asked.match_pattern(), status.as_u16(), took);
        Ok(response)
    };
    request_id::scoped(&headers, telling).await
}

/// `/verify`, which is asked before every MCP request: told at debug level only, and without any middleware.
pub(super) async fn verify(server: Server, request: HttpRequest) -> HttpResponse {
    let told = log_enabled!(target: TARGET, Level::Debug).then(Instant::now);
    let telling = async {
        let mut response = super::verify::verify(server, request.clone()).await;
        if !response.status().is_success() {
            answer_id(response.headers_mut());
        }
        if let Some(begun) = told {
            let uri = text(request.headers(), "x-forwarded-uri");
            let path = uri.split('?').next().unwrap_or_default();
            tell(Level::Debug, &request, path, (response.status(), begun.elapsed()));
        }
        response
    };
    request_id::scoped(request.headers(), telling).await
}

/// So that a client's report can be found in the log.
fn answer_id(headers: &mut HeaderMap) {
    if let Some(id) = request_id::current().and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(request_id::HEADER, id);
    }
}

/// Never the query: codes and states are in it.
fn tell(level: Level, request: &HttpRequest, path: &str, (status, took): (StatusCode, Duration)) {
    let said = |name: &str| text(request.headers(), name);
    let path: String = path.chars().take(LONGEST).collect();
    log!(
        target: TARGET, level,
        method = request.method().as_str(), path = path.as_str(), status = status.as_u16(),
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), forwarded_for = said("x-forwarded-for").as_str(),
        host = said("x-forwarded-host").as_str(), proto = said("x-forwarded-proto").as_str();
        "request"
    );
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    value.unwrap_or_default().chars().take(LONGEST).collect()
}
