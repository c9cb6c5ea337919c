//! `GET /mcp`: the stream of what the server says on its own, or what was missed on another stream.

use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Shared, Sidecar, access, post, reply};
use crate::mcp::dispatch::{in_session, knows_sessions};
use crate::mcp::rejection::Rejection;
use crate::mcp::sse::EventId;
use crate::session::ToActor;

pub(super) async fn get(request: HttpRequest, sidecar: Shared) -> HttpResponse {
    serve(&request, &sidecar).await.unwrap_or_else(|refused| reply::refused(&refused))
}

async fn serve(request: &HttpRequest, sidecar: &Sidecar) -> Result<HttpResponse, Rejection> {
    let head = sidecar.admit(request)?;
    knows_sessions(&head)?;
    if !head.accept.sse {
        return Err(Rejection::NotAcceptable("text/event-stream"));
    }
    let session = sidecar.session(&head).inspect(|session| access::within(request, session));
    match in_session(&head, session.as_ref().map(|session| session.phase())) {
        Err(Rejection::SessionUnknown) => {
            return sidecar.elsewhere(request, (&head.session, &head.owner), Bytes::new()).await;
        }
        decided => decided?,
    };
    let session = session.ok_or(Rejection::SessionUnknown)?;
    let last = head.last_event_id.map(|id| EventId::parse(id).ok_or(Rejection::EventUnknown)).transpose()?;
    let (reply, events) = oneshot::channel();
    post::hand(&session, ToActor::Listen { last, reply }).await?;
    let events = events.await.map_err(|_| Rejection::SessionUnknown)??;
    Ok(reply::stream(events, None))
}
