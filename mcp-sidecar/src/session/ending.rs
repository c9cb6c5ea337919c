//! Why a session ended, and what those who still wait are told.

use crate::child::ExitReason;
use crate::metrics::SessionEnd;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// DELETE, eviction, or the end of the sidecar's patience at shutdown.
    Stopped,
    /// Nobody used it for the idle timeout.
    Idle,
    /// The sidecar stops and nothing was in flight any more.
    Drained,
    /// `initialize` was answered with an error.
    NotOpened,
    Child(ExitReason),
}

impl Ending {
    /// `data.reason` of the error that calls in flight get.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Stopped => "session_ended",
            Self::Idle => "session_idle",
            Self::Drained => "shutting_down",
            Self::NotOpened => "not_initialized",
            Self::Child(_) => "child_exited",
        }
    }

    pub(super) fn counted(self) -> SessionEnd {
        match self {
            Self::Stopped => SessionEnd::Ended,
            Self::Idle => SessionEnd::Idle,
            Self::Drained => SessionEnd::Drained,
            Self::NotOpened => SessionEnd::NotOpened,
            Self::Child(_) => SessionEnd::ChildExited,
        }
    }

    pub(super) fn message(self) -> String {
        match self {
            Self::Child(reason) => format!("the MCP server {reason}"),
            _ => "the session has ended".to_owned(),
        }
    }
}
