//! What every request to `/mcp` owes to the operator: numbers for `/metrics`, and a line of the log.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use bytes::Bytes;
use log::{Level, log_enabled};

use super::Shared;
use super::access_line::tell;
use crate::logging::ACCESS;
use crate::mcp::jsonrpc::{Incoming, Message, Method as RpcMethod};
use crate::mcp::subject::Subject;
use crate::mcp::version::ProtocolVersion;
use crate::metrics::{InUse, Limit, MethodClass, Metrics, Refusal, RequestOutcome, StreamKind};
use crate::session::registry::Session;

/// What handlers have learned of a request.
#[derive(Default)]
pub(super) struct Note {
    class: Option<MethodClass>,
    pub(super) method: Option<RpcMethod>,
    pub(super) subject: Option<Subject>,
    /// The session's number and revision.
    pub(super) session: Option<u64>,
    pub(super) version: Option<ProtocolVersion>,
}

/// To be told by whoever has parsed a body.
pub(super) fn read(request: &HttpRequest, incoming: &Incoming, body: &Bytes, metrics: &Metrics) {
    metrics.received_bytes.inc_by(body.len() as u64);
    let mut note = Note { class: Some(incoming.into()), ..Note::default() };
    if log_enabled!(target: ACCESS, Level::Info) {
        match incoming {
            Incoming::Single(Message::Request(call)) => {
                note.method = Some(call.method.clone());
                note.subject = Subject::of(call);
            }
            Incoming::Single(Message::Notification(said)) => note.method = Some(said.method.clone()),
            Incoming::Single(Message::Response(_)) | Incoming::Batch(_) => {}
        }
    }
    request.extensions_mut().insert(note);
}

/// To be told by whoever knows the session.
pub(super) fn within(request: &HttpRequest, session: &Session) {
    let (number, version) = (Some(session.number), session.phase().version);
    let mut extensions = request.extensions_mut();
    if let Some(note) = extensions.get_mut::<Note>() {
        (note.session, note.version) = (number, version);
    } else {
        extensions.insert(Note { session: number, version, ..Note::default() });
    }
}

/// Around every endpoint of `/mcp`.
pub(super) async fn told(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<Told>, Error> {
    let Some(metrics) = request.app_data::<Shared>().map(|sidecar| Arc::clone(&sidecar.metrics)) else {
        return Ok(next.call(request).await?.map_body(|_, body| Told { body, open: None }));
    };
    let begun = Instant::now();
    let in_flight = metrics.in_flight();
    let response = next.call(request).await?;
    count(&response, begun, &metrics);
    drop(in_flight);
    let open = match response.response().body().size() {
        BodySize::Stream => Some(Open::new(&response, begun, metrics)),
        BodySize::Sized(bytes) => {
            metrics.sent_bytes.inc_by(bytes);
            tell(response.request(), response.status(), begun.elapsed(), bytes);
            None
        }
        BodySize::None => {
            tell(response.request(), response.status(), begun.elapsed(), 0);
            None
        }
    };
    Ok(response.map_body(|_, body| Told { body, open }))
}

fn count(response: &ServiceResponse<BoxBody>, begun: Instant, metrics: &Metrics) {
    metrics.request(class(response.request()), outcome(response), begun.elapsed());
    if let Some(reason) = response.response().extensions().get::<Refusal>() {
        metrics.refused.add(*reason);
        if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
            metrics.limits.add(Limit::Body);
        }
    }
}

fn class(request: &HttpRequest) -> MethodClass {
    match *request.method() {
        Method::GET => MethodClass::Listen,
        Method::DELETE => MethodClass::Delete,
        _ => request.extensions().get::<Note>().and_then(|note| note.class).unwrap_or(MethodClass::Other),
    }
}

fn outcome(response: &ServiceResponse<BoxBody>) -> RequestOutcome {
    match (response.status().as_u16(), response.response().body().size()) {
        (500.., _) => RequestOutcome::Failed,
        (400.., _) => RequestOutcome::Refused,
        (_, BodySize::Stream) => RequestOutcome::Streamed,
        _ => RequestOutcome::Answered,
    }
}

/// A response's body, followed while it goes out if it is a stream.
pub(super) struct Told {
    body: BoxBody,
    open: Option<Open>,
}

/// A stream that a client reads. Its line is written at its end, however it comes.
struct Open {
    request: HttpRequest,
    status: StatusCode,
    begun: Instant,
    bytes: u64,
    metrics: Arc<Metrics>,
    _counted: InUse,
}

impl Open {
    fn new(response: &ServiceResponse<BoxBody>, begun: Instant, metrics: Arc<Metrics>) -> Self {
        let (request, status) = (response.request().clone(), response.status());
        let kind = if request.method() == Method::GET { StreamKind::Get } else { StreamKind::Post };
        Self { _counted: metrics.streams_open.hold(kind), request, status, begun, bytes: 0, metrics }
    }

    fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.metrics.sent_bytes.inc_by(bytes as u64);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        tell(&self.request, self.status, self.begun.elapsed(), self.bytes);
    }
}

impl MessageBody for Told {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        if let (Poll::Ready(Some(Ok(bytes))), Some(open)) = (&next, &mut self.open) {
            open.sent(bytes.len());
        }
        next
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, open } = self;
        body.try_into_bytes().map_err(|body| Self { body, open })
    }
}
