//! `/verify`: Traefik's ForwardAuth asks it before every request to an MCP server.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderName, HeaderValue},
};

use super::{AuthServer, Server, error::VerifyFault};
use crate::{
    clock,
    metrics::{METRICS, VerifyOutcome},
    oauth::{
        forwarded::{Forwarded, ForwardedRequest, NotForwarded},
        params::Params,
        scope::Scope,
        verify::{self, Denied, InvalidToken, Permit, Policy},
    },
};

/// Traefik deletes these from the client's request and sets what we say, so all are said, even empty.
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const USER_NAME: HeaderName = HeaderName::from_static("x-user-name");
const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
const SCOPE: HeaderName = HeaderName::from_static("x-scope");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

pub(super) async fn verify(server: Server, request: HttpRequest) -> HttpResponse {
    let forwarded = match forwarded(&server, &request) {
        Ok(forwarded) => forwarded,
        Err(fault) => return VerifyFault::from(fault).response(&server, &request, None),
    };
    let reply = decide(&server, &request, &forwarded).await;
    reply.unwrap_or_else(|fault| fault.response(&server, &request, Some(&forwarded)))
}

async fn decide(
    server: &AuthServer,
    request: &HttpRequest,
    forwarded: &ForwardedRequest,
) -> Result<HttpResponse, VerifyFault> {
    let foreign = |origin: &HeaderValue| !origin.to_str().is_ok_and(|origin| server.allowed_origins.admits(origin));
    if request.headers().get_all(header::ORIGIN).any(foreign) {
        return Err(Denied::ForeignOrigin.into());
    }
    // A preflight never carries a token (Fetch standard §3.2.2); it reaches the MCP server as nobody.
    if forwarded.method() == "OPTIONS" {
        return Ok(passed(["", "", "", ""].map(value)));
    }
    let bearer = bearer(request)?;
    let now = clock::unix(clock::now());
    let claims = server.jwt.verify(bearer, now)?;
    let revocation = server.store.revocation(&claims.claims().jti).await?;
    let permit = match policy(server, request)? {
        None => verify::authorize(claims, revocation, forwarded, &server.policy, now)?,
        Some(policy) => verify::authorize(claims, revocation, forwarded, &policy, now)?,
    };
    Ok(permitted(server, &permit, bearer))
}

fn permitted(server: &AuthServer, permit: &Permit, bearer: &str) -> HttpResponse {
    let [id, name, client] = [permit.user_id().as_str(), permit.user_name(), permit.client_id().as_str()].map(value);
    let mut response = passed([id, name, client, value(&permit.scope().to_string())]);
    if server.forward_auth_token {
        response.headers_mut().insert(AUTH_TOKEN, value(bearer));
    }
    response
}

fn passed([id, name, client, scope]: [HeaderValue; 4]) -> HttpResponse {
    METRICS.verify.add(VerifyOutcome::Permitted);
    let mut response = HttpResponse::Ok();
    response.insert_header((USER_ID, id)).insert_header((USER_NAME, name));
    response.insert_header((CLIENT_ID, client)).insert_header((SCOPE, scope)).finish()
}

/// Empty when it cannot stand in a header: nobody is then better than somebody else.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// What Traefik says of the request; asked directly, the request speaks for itself.
fn forwarded(server: &AuthServer, request: &HttpRequest) -> Result<ForwardedRequest, NotForwarded> {
    let said = |name: &str| text(request, name);
    let headers = Forwarded {
        method: said("x-forwarded-method").or(Some(request.method().as_str())),
        host: said("x-forwarded-host").or_else(|| text(request, header::HOST)),
        uri: said("x-forwarded-uri").or(Some(request.path())),
    };
    ForwardedRequest::parse(&headers, &server.gateway)
}

/// The scopes in the middleware's own address (`/verify?scope=mcp:time`); `None`: nothing beyond the usual.
fn policy(server: &AuthServer, request: &HttpRequest) -> Result<Option<Policy>, NotForwarded> {
    if request.query_string().is_empty() {
        return Ok(None);
    }
    let params = Params::parse(request.query_string().as_bytes()).map_err(|_| NotForwarded)?;
    let required_scope = Scope::parse(params.get("scope").unwrap_or_default()).map_err(|_| NotForwarded)?;
    Ok(Some(Policy { required_scope, ..server.policy.clone() }))
}

fn bearer(request: &HttpRequest) -> Result<&str, Denied> {
    let mut sent = request.headers().get_all(header::AUTHORIZATION);
    let first = sent.next().ok_or(Denied::TokenMissing)?;
    if sent.next().is_some() {
        return Err(InvalidToken::Malformed.into());
    }
    let text = first.to_str().map_err(|_| InvalidToken::Malformed)?;
    // RFC 9110 §11.1: the scheme's case does not matter. Another scheme is no bearer token at all.
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Denied::TokenMissing),
    }
}

fn text(request: &HttpRequest, name: impl header::AsHeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}
