//! What is known of a child's tools, and the judgement of `Mcp-Param-*` headers that needs it. Learned from what clients
//! are told; asked for when that is not enough, or when headers do not agree with it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use log::warn;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::ToActor;
use super::registry::Session;
use crate::mcp::head::RequestHead;
use crate::mcp::jsonrpc::{Incoming, Message, Request};
use crate::mcp::rejection::Rejection;
use crate::mcp::tool_headers::ToolHeaders;

/// A list that is not there by then is not waited for: a call is judged by what is known.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Tools(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    headers: ToolHeaders,
    /// All tools have been listed, and no change was told since.
    all: bool,
}

impl Tools {
    pub(super) fn learn(&self, page: &Bytes, session: u64) {
        if let Some(invalid) = self.known().headers.learn(page) {
            warn!(session, tool:? = invalid.name, why:? = invalid.why; "a tool's x-mcp-header is invalid");
        }
    }

    /// Whether all of them are known.
    pub(super) fn complete(&self, all: bool) {
        self.known().all = all;
    }

    fn certainly_agrees(&self, head: &RequestHead<'_>, request: &Request) -> bool {
        let known = self.known();
        known.all && known.headers.validate(head, request).is_ok()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Whether the headers of a tool call say what its arguments say.
    ///
    /// # Errors
    /// The [`Rejection`] to answer with.
    pub(crate) async fn examine(&self, head: &RequestHead<'_>, incoming: &Incoming) -> Result<(), Rejection> {
        let Incoming::Single(Message::Request(request)) = incoming else { return Ok(()) };
        if !request.method.is("tools/call") || self.tools.certainly_agrees(head, request) {
            return Ok(());
        }
        let (told, listed) = oneshot::channel();
        if self.inbox.send(ToActor::ListTools(told)).await.is_ok() {
            // One that ends meanwhile has told all that it will.
            let _ = timeout(PATIENCE, listed).await;
        }
        self.tools.known().headers.validate(head, request)
    }
}
