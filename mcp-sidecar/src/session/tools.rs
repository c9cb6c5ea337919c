//! What is known of a child's tools, and the judgement of `Mcp-Param-*` headers that needs it. Learned from what clients
//! are told; asked for when that is not enough, or when headers do not agree with it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use log::warn;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::ToActor;
use super::registry::Session;
use crate::mcp::head::RequestHead;
use crate::mcp::jsonrpc::{Incoming, Message, Request};
use crate::mcp::rejection::Rejection;
use crate::mcp::tool_headers::ToolHeaders;

/// A list that is not there by then is given up, or after `--call-timeout` if that is shorter.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Tools {
    known: Mutex<Known>,
    /// Wakes all who wait for more to be known.
    settled: Notify,
    patience: Duration,
}

#[derive(Debug, Default)]
struct Known {
    headers: ToolHeaders,
    extent: Extent,
}

/// How much of the list of tools is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extent {
    /// There may be more, or they have changed.
    #[default]
    Some,
    /// All tools have been listed, and no change was told since.
    All,
    /// The child did not say in time. Calls are not held up again before it tells of a change: they are judged by what
    /// is known, since headers of a tool that nobody knows are not «recognized» (§Server Behavior for Custom Headers).
    GivenUp,
    /// The child is gone.
    Ended,
}

impl Tools {
    pub(super) fn new(call_timeout: Option<Duration>) -> Self {
        let patience = call_timeout.map_or(PATIENCE, |longest| longest.min(PATIENCE));
        Self { known: Mutex::default(), settled: Notify::new(), patience }
    }

    pub(super) fn learn(&self, page: &Bytes, session: u64) {
        if let Some(invalid) = self.known().headers.learn(page) {
            warn!(session, tool:? = invalid.name, why:? = invalid.why; "a tool's x-mcp-header is invalid");
        }
    }

    /// All of them are known.
    pub(super) fn complete(&self) {
        self.settle(Extent::All);
    }

    pub(super) fn changed(&self) {
        self.known().extent = Extent::Some;
    }

    /// Nothing more will be learned.
    pub(super) fn end(&self) {
        self.settle(Extent::Ended);
    }

    fn settle(&self, extent: Extent) {
        self.known().extent = extent;
        self.settled.notify_waiters();
    }

    /// Whether the list could change how a call is judged, and the child might give it.
    fn is_worth_asking(&self, head: &RequestHead<'_>, request: &Request) -> bool {
        let known = self.known();
        match known.extent {
            Extent::Some => true,
            Extent::All => known.headers.validate(head, request).is_err(),
            Extent::GivenUp | Extent::Ended => false,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Whether the headers of a tool call say what its arguments say.
    ///
    /// # Errors
    /// The [`Rejection`] to answer with.
    pub(crate) async fn examine(&self, head: &RequestHead<'_>, incoming: &Incoming) -> Result<(), Rejection> {
        let Incoming::Single(Message::Request(request)) = incoming else { return Ok(()) };
        if !request.method.is("tools/call") {
            return Ok(());
        }
        // Hears what comes after this line, so nothing is missed between the look and the wait.
        let settled = self.tools.settled.notified();
        if self.tools.is_worth_asking(head, request) {
            let listed = async {
                if self.inbox.send(ToActor::ListTools).await.is_ok() {
                    settled.await;
                }
            };
            if timeout(self.tools.patience, listed).await.is_err() {
                warn!(session = self.number; "child did not list its tools in time: calls are judged without");
                self.tools.settle(Extent::GivenUp);
            }
        }
        self.tools.known().headers.validate(head, request)
    }
}
