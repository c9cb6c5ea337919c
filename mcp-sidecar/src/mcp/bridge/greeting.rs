//! `initialize` at a child that sessions share: it is asked once, for all of them.

use bytes::Bytes;

use crate::mcp::jsonrpc::Request;
use crate::mcp::route::Seat;

/// What the child has said to `initialize`.
#[derive(Debug, Default)]
pub(super) enum Greeting {
    #[default]
    Unasked,
    /// Asked for one seat, whose request has this number; others wait for the same.
    Asked {
        number: u64,
        waiting: Vec<(Seat, Request)>,
    },
    Known(Bytes),
}

impl Greeting {
    pub(super) fn awaits(&self, answer: u64) -> bool {
        matches!(self, Self::Asked { number, .. } if *number == answer)
    }
}
