//! Where a message belongs: which client of a child, and which of its streams.

use super::sse::StreamId;

/// One client of a child: a legacy session, or all that modern clients of one child ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seat(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    pub seat: Seat,
    pub stream: StreamId,
}

impl Route {
    /// The stream that the seat's GET opens.
    pub fn standalone(seat: Seat) -> Self {
        Self { seat, stream: StreamId::STANDALONE }
    }
}
