//! Requests that stand alone (2026-07-28): no session, a child of the owner's.

use actix_web::{HttpRequest, HttpResponse};
use tokio::sync::{mpsc, oneshot};

use super::{Sidecar, access, reply};
use crate::mcp::head::{Accept, RequestHead};
use crate::mcp::jsonrpc::{Incoming, Message, RequestId};
use crate::mcp::rejection::Rejection;
use crate::session::registry::Session;
use crate::session::{Awaited, Reply, ToActor};

/// Children that may end just before they would have seen a request.
const CHILDREN: usize = 3;

/// A request; what refuses it is told under its id.
pub(super) async fn ask(
    sidecar: &Sidecar,
    request: &HttpRequest,
    head: &RequestHead<'_>,
    incoming: Incoming,
) -> Result<HttpResponse, Rejection> {
    let id = id_of(&incoming);
    let answer = answer(sidecar, request, head, incoming).await;
    answer.map(reply::answer).map_err(|refused| match &id {
        Some(id) => refused.answering(id),
        None => refused,
    })
}

async fn answer(
    sidecar: &Sidecar,
    request: &HttpRequest,
    head: &RequestHead<'_>,
    mut incoming: Incoming,
) -> Result<Reply, Rejection> {
    let registry = &sidecar.registry;
    let requested = head.version.text().unwrap_or_default();
    for _ in 0..CHILDREN {
        let child = registry.child_of(&head.owner, requested).await?;
        access::within(request, &child);
        child.examine(head, &incoming).await?;
        match call(&child, incoming, head.accept).await? {
            Reply::NotTaken(again) => incoming = again,
            Reply::Refused(refused) => return Err(refused),
            reply => return Ok(reply),
        }
    }
    Err(Rejection::ChildNotStarted)
}

async fn call(child: &Session, incoming: Incoming, accept: Accept) -> Result<Reply, Rejection> {
    let (reply, answer) = oneshot::channel();
    let message = ToActor::Call { incoming, accept, reply }.weighed(&child.backlog)?;
    match child.inbox.send(message).await.map_err(|mpsc::error::SendError(message)| message.alone()) {
        Ok(()) => Awaited::new(answer, child).reply().await.ok_or(Rejection::ChildNotStarted),
        Err(ToActor::Call { incoming, .. }) => Ok(Reply::NotTaken(incoming)),
        Err(_) => Err(Rejection::ChildNotStarted),
    }
}

/// A revision that we do not speak. What is spoken instead depends on the server.
pub(super) async fn unsupported(
    sidecar: &Sidecar,
    head: &RequestHead<'_>,
    incoming: &Incoming,
    refused: Rejection,
) -> Rejection {
    let requested = refused.unsupported().unwrap_or_default();
    match (sidecar.registry.unsupported(&head.owner, requested).await, id_of(incoming)) {
        (Some(informed), Some(id)) => informed.answering(&id),
        _ => refused,
    }
}

/// A notification. A child that does not run yet has nothing that it could be about.
pub(super) async fn tell(
    sidecar: &Sidecar,
    head: &RequestHead<'_>,
    incoming: Incoming,
) -> Result<HttpResponse, Rejection> {
    if let Some(child) = sidecar.registry.running_child_of(&head.owner) {
        // One that ends meanwhile needs no notification.
        let _ = child.inbox.send(ToActor::Relay(incoming).weighed(&child.backlog)?).await;
    }
    Ok(HttpResponse::Accepted().finish())
}

fn id_of(incoming: &Incoming) -> Option<RequestId> {
    match incoming {
        Incoming::Single(Message::Request(request)) => Some(request.id.clone()),
        _ => None,
    }
}
