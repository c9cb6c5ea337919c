//! `POST /mcp`: one message, or a batch of 2025-03-26.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use tokio::sync::oneshot;

use super::{Shared, Sidecar, access, alone, body, reply};
use crate::mcp::dispatch::{self, Action, in_session};
use crate::mcp::head::{Accept, RequestHead};
use crate::mcp::jsonrpc::Incoming;
use crate::mcp::rejection::Rejection;
use crate::session::registry::Session;
use crate::session::{Awaited, Reply, ToActor};

pub(super) async fn post(request: HttpRequest, payload: Payload, sidecar: Shared) -> HttpResponse {
    serve(&request, payload, &sidecar).await.unwrap_or_else(|refused| reply::refused(&refused))
}

async fn serve(request: &HttpRequest, payload: Payload, sidecar: &Sidecar) -> Result<HttpResponse, Rejection> {
    let head = sidecar.admit(request)?;
    if !head.accept.json && !head.accept.sse {
        return Err(Rejection::NotAcceptable("application/json or text/event-stream"));
    }
    if !head.json_body {
        return Err(Rejection::NotJsonMedia);
    }
    let body = body::read(payload, head.content_length, sidecar.body).await?;
    let incoming = Incoming::parse(&body)?;
    access::read(request, &incoming, &body, &sidecar.metrics);
    let session = sidecar.session(&head).inspect(|session| access::within(request, session));
    let phase = session.as_ref().map(|session| session.phase());
    let action = match dispatch::decide(&head, &incoming, phase) {
        Err(Rejection::SessionUnknown) => return sidecar.elsewhere(request, (&head.session, &head.owner), body).await,
        Err(refused) if refused.unsupported().is_some() => {
            return Err(alone::unsupported(sidecar, &head, &incoming, refused).await);
        }
        decided => decided?,
    };
    drop(body);
    match (action, session) {
        (Action::Open, _) => open(sidecar, request, &head, incoming).await,
        (Action::Call, Some(session)) => Ok(reply::answer(call(&session, incoming, head.accept).await?)),
        (Action::Relay, Some(session)) => {
            hand(&session, ToActor::Relay(incoming)).await?;
            Ok(HttpResponse::Accepted().finish())
        }
        (Action::Ask, _) => alone::ask(sidecar, request, &head, incoming).await,
        (Action::Tell, _) => alone::tell(sidecar, &head, incoming).await,
        (Action::Call | Action::Relay, None) => in_session(&head, phase).map(|_| HttpResponse::Accepted().finish()),
    }
}

/// basic/transports §Session Management 1: the id comes with the response to `initialize`.
async fn open(
    sidecar: &Sidecar,
    request: &HttpRequest,
    head: &RequestHead<'_>,
    incoming: Incoming,
) -> Result<HttpResponse, Rejection> {
    let (reply, answer) = oneshot::channel();
    let first = ToActor::Call { incoming, accept: head.accept, reply };
    let session = sidecar.open(&head.owner, first).await?;
    let (answer, ()) = tokio::join!(answered(Awaited::new(answer, &session)), sidecar.tell_replicas(&session));
    access::within(request, &session);
    answer.map(|answer| reply::opened(answer, &session.id))
}

async fn call(session: &Session, incoming: Incoming, accept: Accept) -> Result<Reply, Rejection> {
    let (reply, answer) = oneshot::channel();
    hand(session, ToActor::Call { incoming, accept, reply }).await?;
    answered(Awaited::new(answer, session)).await
}

pub(super) async fn answered(answer: Awaited<'_>) -> Result<Reply, Rejection> {
    match answer.reply().await {
        Some(Reply::Refused(refused)) => Err(refused),
        Some(reply) => Ok(reply),
        None => Err(Rejection::SessionUnknown),
    }
}

/// A session that ended meanwhile is no session.
pub(super) async fn hand(session: &Session, message: ToActor) -> Result<(), Rejection> {
    session.inbox.send(message.weighed(&session.backlog)?).await.map_err(|_| Rejection::SessionUnknown)
}
