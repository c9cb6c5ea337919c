//! What is between the clients of one child and the child, as a state machine: events in, messages out.
//!
//! | variant | clients | child |
//! | --- | --- | --- |
//! | [`legacy`], in [`durable`] | legacy | legacy, and another one after a crash |
//! | [`modern`] | modern | modern |
//!
//! [`shared`] stands before a child that several legacy sessions share; each of them has a bridge of its own above.
//!
//! The machine decides whose each message is. How it gets there (open streams, replay, the child's pipe) is its
//! interpreter's part, and so is knowing which streams are open: that is asked through [`Audience`].

pub mod durable;
mod greeting;
pub mod legacy;
mod listing;
mod member;
pub mod modern;
pub mod shared;

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::compose::METHOD_NOT_FOUND;
use super::jsonrpc::{Incoming, Message, Notification, Outcome};
use super::lines::TooLong;
use super::rejection::Rejection;
use super::route::{Route, Seat};
use super::version::ProtocolVersion;
use durable::Durable;
use modern::Modern;

/// What happens to a child and its clients.
#[derive(Debug)]
pub enum Event {
    /// A POST with requests, and with what else a batch of 2025-03-26 carries.
    Call {
        route: Route,
        incoming: Incoming,
    },
    /// A POST with notifications and responses only.
    Relay {
        seat: Seat,
        incoming: Incoming,
    },
    Child(Message),
    /// A line of the child was too long and is lost.
    Oversized(TooLong),
    /// The child has said nothing about that POST for so long that it is given up.
    Silent {
        route: Route,
        patience: Duration,
    },
    /// The client of that POST has closed its connection.
    Gone(Route),
    /// No calls will come any more; those in flight may finish.
    Drain,
    /// Somebody needs to know the child's tools: [`Output::Tools`] and [`Output::AllTools`] will follow.
    ListTools,
    Tick,
    /// A child that many share has been silent for long: it is to show that it is there.
    Ping,
    /// The child is gone, and there may be another one: calls in flight fail, what comes now is held.
    Lost {
        message: String,
        reason: &'static str,
    },
    /// Another child is there.
    Fresh,
    /// Nothing will be answered any more. Graceful: it is not the child that failed.
    End {
        message: String,
        reason: &'static str,
        graceful: bool,
    },
}

/// What is to be done about it, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    ToChild(Bytes),
    /// Something that is not an answer.
    Say {
        route: Route,
        message: Bytes,
    },
    /// The answer to one request of a POST. Its HTTP status holds unless something was said before.
    Answer {
        route: Route,
        status: u16,
        message: Bytes,
    },
    /// The answer to `initialize` follows: the session is open.
    Opened {
        seat: Seat,
        version: Option<ProtocolVersion>,
    },
    /// `initialize` failed with this answer: there is no session.
    NotOpened {
        route: Route,
        message: Bytes,
    },
    /// The fresh child knows all that the lost one was told.
    Reopened,
    /// The fresh child will not do: why.
    NotReopened(&'static str),
    /// Nothing of the POST was taken on.
    Refused {
        route: Route,
        why: Rejection,
    },
    /// Nothing more will be said there.
    Closed(Route),
    /// A result of `tools/list`, or one page of it.
    Tools(Bytes),
    /// More than was said of the tools by now will not be said.
    AllTools,
    /// What was said of the tools may be wrong now.
    ToolsChanged,
    /// The params of a log message that is nobody's.
    Log(Bytes),
    /// A message that concerns nobody.
    Stray(&'static str),
}

/// Who can hear what now.
pub trait Audience {
    /// Whether something said there before the answer reaches a client at once.
    fn hears(&self, route: Route) -> bool;
    /// Whether the client lost that connection, but can come back for what is said meanwhile.
    fn may_return(&self, route: Route) -> bool;
    /// Whether the stream of the seat's GET is open.
    fn listens(&self, seat: Seat) -> bool;
}

/// One child and its clients. `now` is the time since any fixed moment.
#[derive(Debug)]
pub enum Bridge {
    Legacy(Durable),
    Modern(Modern),
}

impl Bridge {
    pub fn on(&mut self, event: Event, now: Duration, audience: &impl Audience, outputs: &mut Vec<Output>) {
        match self {
            Self::Legacy(legacy) => legacy.on(event, now, audience, outputs),
            Self::Modern(modern) => modern.on(event, now, outputs),
        }
    }

    /// Whether the clients' sessions can go on with another child.
    pub fn can_reopen(&self) -> bool {
        match self {
            Self::Legacy(legacy) => legacy.can_reopen(),
            // Nobody has a session; the next request starts another child.
            Self::Modern(_) => false,
        }
    }

    /// Lines for the child that wait until there is another one.
    pub fn held(&self) -> usize {
        match self {
            Self::Legacy(durable) => durable.held(),
            Self::Modern(_) => 0,
        }
    }

    /// Requests that the child has not answered.
    pub fn in_flight(&self) -> usize {
        match self {
            Self::Legacy(legacy) => legacy.in_flight(),
            Self::Modern(modern) => modern.in_flight(),
        }
    }
}

/// What happened to the server as a whole, rather than in the course of a call.
fn concerns_many(note: &Notification) -> bool {
    [
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
    ]
    .iter()
    .any(|name| note.method.is(name))
}

/// basic/transports/streamable-http §Protocol Version Header, §Server Validation; basic/index §_meta.
fn status_of(outcome: &Outcome) -> u16 {
    #[derive(Deserialize)]
    struct Error {
        code: i32,
    }
    let Outcome::Error(error) = outcome else { return 200 };
    match serde_json::from_slice(error) {
        Ok(Error { code: METHOD_NOT_FOUND }) => 404,
        Ok(Error { code: -32022..=-32020 }) => 400,
        _ => 200,
    }
}
