//! Sessions: who may speak in which, and the one task that owns each one's child.
//!
//! A request is handed to the session's [`actor`] through a bounded channel and its answer comes back on a oneshot:
//! JSON when one response is enough, a stream once the child says something first. Nothing is shared but
//! [`registry::Session`], and no lock is held across an await.

pub(crate) mod actor;
mod counted;
#[expect(dead_code, reason = "`mcp-sidecar probe` comes with its own commit")]
pub(crate) mod description;
mod ending;
#[cfg_attr(not(test), expect(dead_code, reason = "modern requests come with their own commit"))]
pub(crate) mod era;
pub(crate) mod handshake;
pub(crate) mod readiness;
pub(crate) mod registry;
mod restart;
pub(crate) mod sink;
mod streams;
mod warm;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::mcp::head::Accept;
use crate::mcp::jsonrpc::Incoming;
use crate::mcp::rejection::Rejection;
use crate::mcp::sse::EventId;
use sink::Events;

/// What the HTTP side hands to a session.
#[derive(Debug)]
pub(crate) enum ToActor {
    /// Requests, to be answered.
    Call { incoming: Incoming, accept: Accept, reply: oneshot::Sender<Reply> },
    /// Notifications and responses.
    Relay(Incoming),
    /// A GET: the standalone stream, or what was missed on another one.
    Listen { last: Option<EventId>, reply: oneshot::Sender<Result<Events, Rejection>> },
}

/// What becomes of a POST with requests.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(Bytes),
    /// An error in answer to `initialize`: there is no session.
    NotOpened(Bytes),
    Stream(Events),
    Refused(Rejection),
}
