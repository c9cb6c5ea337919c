//! What every request to `/mcp` owes to the operator: numbers for `/metrics`.

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

use super::Shared;
use crate::mcp::jsonrpc::Incoming;
use crate::metrics::{InUse, Limit, MethodClass, Metrics, Refusal, RequestOutcome, StreamKind};

/// Around every endpoint of `/mcp`.
pub(super) async fn told(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<Told>, Error> {
    let Some(metrics) = request.app_data::<Shared>().map(|sidecar| Arc::clone(&sidecar.metrics)) else {
        return Ok(next.call(request).await?.map_body(|_, body| Told { body, open: None }));
    };
    let begun = Instant::now();
    let in_flight = metrics.in_flight();
    let response = next.call(request).await?;
    let outcome = outcome(&response);
    metrics.request(class(response.request()), outcome, begun.elapsed());
    if let Some(reason) = response.response().extensions().get::<Refusal>() {
        metrics.refused.add(*reason);
        if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
            metrics.limits.add(Limit::Body);
        }
    }
    drop(in_flight);
    let open = match response.response().body().size() {
        BodySize::Stream => Some(Open::new(metrics, response.request())),
        BodySize::Sized(bytes) => {
            metrics.sent_bytes.inc_by(bytes);
            None
        }
        BodySize::None => None,
    };
    Ok(response.map_body(|_, body| Told { body, open }))
}

/// What a handler has read of the request.
struct Read(MethodClass);

/// To be told by whoever has parsed a body.
pub(super) fn read(request: &HttpRequest, incoming: &Incoming, body: &Bytes, metrics: &Metrics) {
    metrics.received_bytes.inc_by(body.len() as u64);
    request.extensions_mut().insert(Read(incoming.into()));
}

fn class(request: &HttpRequest) -> MethodClass {
    match *request.method() {
        Method::GET => MethodClass::Listen,
        Method::DELETE => MethodClass::Delete,
        _ => request.extensions().get::<Read>().map_or(MethodClass::Other, |read| read.0),
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

/// A response's body, counted while it goes out if it is a stream.
pub(super) struct Told {
    body: BoxBody,
    open: Option<Open>,
}

/// A stream that a client reads.
struct Open {
    metrics: Arc<Metrics>,
    _counted: InUse,
}

impl Open {
    fn new(metrics: Arc<Metrics>, request: &HttpRequest) -> Self {
        let kind = if request.method() == Method::GET { StreamKind::Get } else { StreamKind::Post };
        let counted = metrics.streams_open.hold(kind);
        Self { metrics, _counted: counted }
    }
}

impl MessageBody for Told {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        if let (Poll::Ready(Some(Ok(bytes))), Some(open)) = (&next, &self.open) {
            open.metrics.sent_bytes.inc_by(bytes.len() as u64);
        }
        next
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, open } = self;
        body.try_into_bytes().map_err(|body| Self { body, open })
    }
}
