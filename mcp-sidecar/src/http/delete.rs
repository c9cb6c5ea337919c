//! `DELETE /mcp`: the client needs its session no longer (basic/transports §Session Management 5).

use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use super::{Shared, Sidecar, access, reply};
use crate::mcp::dispatch::{in_session, knows_sessions};
use crate::mcp::rejection::Rejection;

pub(super) async fn delete(request: HttpRequest, sidecar: Shared) -> HttpResponse {
    serve(&request, &sidecar).await.unwrap_or_else(|refused| reply::refused(&refused))
}

/// Answers at once; the child may take its grace to end, but the session is over.
async fn serve(request: &HttpRequest, sidecar: &Sidecar) -> Result<HttpResponse, Rejection> {
    let head = sidecar.admit(request)?;
    knows_sessions(&head)?;
    let session = sidecar.session(&head).inspect(|session| access::within(request, session));
    match in_session(&head, session.as_ref().map(|session| session.phase())) {
        Err(Rejection::SessionUnknown) => {
            return sidecar.elsewhere(request, (&head.session, &head.owner), Bytes::new()).await;
        }
        decided => decided?,
    };
    if let Some(session) = session {
        sidecar.registry.close(&session);
    }
    Ok(HttpResponse::NoContent().finish())
}
