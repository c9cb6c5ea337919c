//! What a bridge hears and says, in numbers.

use crate::mcp::bridge::{Event, Output};
use crate::mcp::jsonrpc::{Message, Outcome};
use crate::mcp::rejection::Rejection;
use crate::metrics::{CallOutcome, Limit, Metrics};

/// What an answer that follows from this event is.
pub(super) fn heard(event: &Event, metrics: &Metrics) -> CallOutcome {
    match event {
        Event::Child(Message::Response(response)) => match response.outcome {
            Outcome::Result(_) => return CallOutcome::Result,
            Outcome::Error(_) => return CallOutcome::Error,
        },
        Event::Oversized { .. } => metrics.limits.add(Limit::Line),
        Event::Silent { .. } => metrics.limits.add(Limit::CallTimeout),
        Event::Tick => return CallOutcome::Cancelled,
        _ => {}
    }
    CallOutcome::Failed
}

pub(super) fn said(output: &Output, outcome: CallOutcome, metrics: &Metrics) {
    match output {
        Output::Answer { .. } | Output::NotOpened { .. } => metrics.calls.add(outcome),
        Output::Refused { why: Rejection::TooManyCalls, .. } => metrics.limits.add(Limit::Calls),
        _ => {}
    }
}
