//! What a session or a refusal looks like as an HTTP response.

use std::convert::Infallible;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER};
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::Stream;
use log::debug;

use super::pieces::{self, Pieces};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::SessionId;
use crate::metrics::Refusal;
use crate::session::Reply;

/// What `/mcp` takes.
pub(super) const METHODS: &str = "GET, POST, DELETE";
const SESSION: &str = "Mcp-Session-Id";

/// The answer to a call.
pub(super) fn answer(reply: Reply) -> HttpResponse {
    match reply {
        Reply::Json { status, body } => json(status, body, None),
        Reply::NotOpened(body) => json(200, body, None),
        Reply::Stream(events) => stream(events, None),
        Reply::Taken => HttpResponse::Accepted().finish(),
        Reply::Refused(why) => refused(&why),
        Reply::NotTaken(_) => refused(&Rejection::SessionUnknown),
    }
}

/// The answer to `initialize`: with the session's id, if there is a session now.
pub(super) fn opened(reply: Reply, session: &SessionId) -> HttpResponse {
    match reply {
        Reply::Json { status, body } => json(status, body, Some(session)),
        Reply::Stream(events) => stream(events, Some(session)),
        other => answer(other),
    }
}

fn json(status: u16, body: Bytes, session: Option<&SessionId>) -> HttpResponse {
    start(code(status), session).content_type("application/json").body(Pieces(body))
}

/// Events as they come, past any buffering proxy.
pub(super) fn stream(
    events: impl Stream<Item = Result<Bytes, Infallible>> + 'static,
    session: Option<&SessionId>,
) -> HttpResponse {
    let mut response = start(StatusCode::OK, session);
    response.content_type("text/event-stream").insert_header(("X-Accel-Buffering", "no")).streaming(pieces::of(events))
}

/// A client older than HTTP/1.1 knows no chunks, and MUST NOT be sent any (RFC 9112 §6.1): what is as long as it is then
/// ends with its connection.
pub(crate) fn unchunked<B: MessageBody>(answer: &mut ServiceResponse<B>) {
    if answer.request().version() < Version::HTTP_11 && answer.response().body().size() == BodySize::Stream {
        let head = answer.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
}

/// The one place where a refusal becomes a response, and is logged.
pub(super) fn refused(refused: &Rejection) -> HttpResponse {
    debug!(refused:?, status = refused.status(); "request refused");
    let mut response = start(code(refused.status()), None);
    match refused {
        Rejection::PostOnly => response.insert_header((ALLOW, "POST")),
        Rejection::EventUnknown => response.insert_header((ALLOW, METHODS)),
        _ => &mut response,
    };
    if let Some(seconds) = refused.retry_after() {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    let mut response = response.content_type("application/json").body(refused.body());
    response.extensions_mut().insert(Refusal::from(refused));
    response
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn start(status: StatusCode, session: Option<&SessionId>) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(session) = session {
        response.insert_header((SESSION, session.as_str()));
    }
    response
}
