//! Discovery (RFC 8414, RFC 9728) and keys (RFC 7517): public, and the same whoever asks.

use actix_web::{HttpRequest, HttpResponse, http::header};

use super::{Server, error, reply::public_json};
use crate::{clock, oauth::metadata};

pub(super) async fn authorization_server(server: Server) -> HttpResponse {
    public_json(&metadata::authorization_server(&server.gateway, &server.authorization.scopes_supported.all()))
}

/// Every MCP host answers for itself; the path of the server is inserted after the well-known part (RFC 9728 §3.1).
pub(super) async fn protected_resource(server: Server, request: HttpRequest) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = header("x-forwarded-host").or_else(|| header(header::HOST.as_str())).unwrap_or_default();
    let path = request.path().strip_prefix("/.well-known/oauth-protected-resource").unwrap_or_default();
    let scopes = &server.authorization.scopes_supported;
    match metadata::protected_resource(&server.gateway, host, path, scopes) {
        Some(document) => public_json(&document),
        None => error::not_found().await,
    }
}

pub(super) async fn jwks(server: Server) -> HttpResponse {
    public_json(&server.jwt.jwks(clock::unix(clock::now())))
}
