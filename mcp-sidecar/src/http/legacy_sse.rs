//! HTTP with SSE (2024-11-05), for clients that speak nothing newer: `GET /sse`, `POST /messages`.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};
use tokio::sync::oneshot;

use super::post::answered;
use super::{Shared, Sidecar, access, body, only, post, reply};
use crate::mcp::head::{Accept, Presented};
use crate::mcp::jsonrpc::Incoming;
use crate::mcp::legacy_sse::{self, MESSAGES};
use crate::mcp::rejection::Rejection;
use crate::session::registry::Transport;
use crate::session::{Awaited, ToActor};

pub(crate) fn routes(service: &mut ServiceConfig) {
    for (path, route, methods) in [("/sse", web::get().to(get), "GET"), (MESSAGES, web::post().to(post), "POST")] {
        let resource = web::resource(path).wrap(from_fn(access::told));
        service.service(resource.route(route).default_service(only(methods)));
    }
}

async fn get(request: HttpRequest, sidecar: Shared) -> HttpResponse {
    open(&request, &sidecar).await.unwrap_or_else(|refused| reply::refused(&refused))
}

async fn post(request: HttpRequest, payload: Payload, sidecar: Shared) -> HttpResponse {
    take(&request, payload, &sidecar).await.unwrap_or_else(|refused| reply::refused(&refused))
}

/// A session with a child of its own, which both end with this stream.
async fn open(request: &HttpRequest, sidecar: &Sidecar) -> Result<HttpResponse, Rejection> {
    let head = sidecar.admit(request)?;
    if !head.accept.sse {
        return Err(Rejection::NotAcceptable("text/event-stream"));
    }
    let (reply, events) = oneshot::channel();
    let session = sidecar.open(&head.owner, ToActor::ListenToAll { reply }).await?;
    let events = events.await.map_err(|_| Rejection::SessionUnknown)??;
    access::within(request, &session);
    sidecar.tell_replicas(&session).await;
    let endpoint = legacy_sse::endpoint(&session.id);
    Ok(reply::stream(stream::once(async { Ok(endpoint) }).chain(events), None))
}

/// Its answer comes as an event.
async fn take(request: &HttpRequest, payload: Payload, sidecar: &Sidecar) -> Result<HttpResponse, Rejection> {
    let head = sidecar.admit(request)?;
    if !head.json_body {
        return Err(Rejection::NotJsonMedia);
    }
    let body = body::read(payload, head.content_length, sidecar.body).await?;
    let incoming = Incoming::parse(&body)?;
    access::read(request, &incoming, &body, &sidecar.metrics);
    let presented = legacy_sse::presented(request.query_string());
    let session = match &presented {
        Presented::Session(id) => sidecar.registry.find(id, &head.owner, Transport::HttpWithSse),
        Presented::Nothing | Presented::Foreign => None,
    };
    match legacy_sse::admit(&presented, session.as_ref().map(|session| session.phase()), &incoming) {
        Err(Rejection::SessionUnknown) => return sidecar.elsewhere(request, (&presented, &head.owner), body).await,
        admitted => admitted?,
    };
    let session = session.ok_or(Rejection::SessionUnknown)?;
    access::within(request, &session);
    if incoming.requests() == 0 {
        post::hand(&session, ToActor::Relay(incoming)).await?;
        return Ok(HttpResponse::Accepted().finish());
    }
    let (reply, taken) = oneshot::channel();
    post::hand(&session, ToActor::Call { incoming, accept: Accept { json: true, sse: true }, reply }).await?;
    Ok(reply::answer(answered(Awaited::new(taken, &session)).await?))
}
