//! Sessions: who may speak in which, and the one task that owns each one's child.
//!
//! A request is handed to the session's [`actor`] through a bounded channel and its answer comes back on a oneshot:
//! JSON when one response is enough, a stream once the child says something first. Nothing is shared but
//! [`registry::Session`], and no lock is held across an await.

pub(crate) mod actor;
mod answers;
mod backlog;
mod counted;
mod crashes;
pub(crate) mod description;
mod ending;
mod entrance;
mod entry;
pub(crate) mod era;
pub(crate) mod handshake;
mod hub;
mod kept;
mod outgoing;
mod places;
mod pool;
pub(crate) mod readiness;
pub(crate) mod registry;
mod restart;
mod signs_of_life;
pub(crate) mod sink;
mod stream;
mod streams;
mod tools;
mod warm;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::mcp::head::Accept;
use crate::mcp::jsonrpc::Incoming;
use crate::mcp::rejection::Rejection;
use crate::mcp::sse::EventId;
use registry::Session;
use sink::Events;

/// What the HTTP side hands to a session.
#[derive(Debug)]
pub(crate) enum ToActor {
    /// Requests, to be answered.
    Call { incoming: Incoming, accept: Accept, reply: oneshot::Sender<Reply> },
    /// Notifications and responses.
    Relay(Incoming),
    /// One of those two, and the room that it takes until the child has read it.
    Large(backlog::Held, Box<ToActor>),
    /// A GET: the standalone stream, or what was missed on another one.
    Listen { last: Option<EventId>, reply: oneshot::Sender<Result<Events, Rejection>> },
    /// A call is to be judged by the child's tools: [`tools::Tools`] shall know them.
    ListTools,
    /// A GET of 2024-11-05: everything, answers too, on this one stream, with which the session ends.
    ListenToAll { reply: oneshot::Sender<Result<Events, Rejection>> },
    /// Somebody has closed a connection before its response was complete.
    Left,
}

/// What becomes of a POST with requests.
#[derive(Debug)]
pub(crate) enum Reply {
    Json {
        status: u16,
        body: Bytes,
    },
    /// An error in answer to `initialize`: there is no session.
    NotOpened(Bytes),
    Stream(Events),
    /// The answers come on the session's only stream (2024-11-05).
    Taken,
    Refused(Rejection),
    /// The child ended before it saw the request.
    NotTaken(Incoming),
}

/// The wait for a POST's reply. Given up, its session hears of it.
#[derive(Debug)]
pub(crate) struct Awaited<'a> {
    reply: oneshot::Receiver<Reply>,
    session: Option<&'a Session>,
}

impl<'a> Awaited<'a> {
    pub(crate) fn new(reply: oneshot::Receiver<Reply>, session: &'a Session) -> Self {
        Self { reply, session: Some(session) }
    }

    /// The reply; `None` when the session ended without one.
    pub(crate) async fn reply(mut self) -> Option<Reply> {
        let reply = (&mut self.reply).await.ok();
        self.session = None;
        reply
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session {
            // First the fact, then the news of it. One that has no room for the news sees the fact at its next tick.
            self.reply.close();
            let _ = session.inbox.try_send(ToActor::Left);
        }
    }
}
