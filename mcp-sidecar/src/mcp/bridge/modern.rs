//! Modern clients, modern child: every request stands alone, and all of them share one child. Ids, progress tokens and
//! subscription ids are remapped, so that equal ones of several clients cannot meet; everything else passes verbatim.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::listing::{self, Listing};
use super::{Event, Output, status_of};
use crate::mcp::compose::{self, Edited};
use crate::mcp::correlate::{CANCELLED_FOR, Call, Correlator, Routed};
use crate::mcp::introduction;
use crate::mcp::jsonrpc::{Incoming, Message, Notification, Outcome, Request, Response};
use crate::mcp::lines::TooLong;
use crate::mcp::rejection::Rejection;
use crate::mcp::request_id::issued;
use crate::mcp::route::Route;
use crate::mcp::skim::Passed;
use crate::mcp::sse::StreamId;

#[derive(Debug)]
pub struct Modern {
    ids: Correlator,
    max_calls: usize,
    /// `subscriptions/listen` in flight, and whether the child has acknowledged it.
    subscriptions: BTreeMap<u64, bool>,
    /// `tools/list` in flight, and whether it is the first page that was asked for.
    lists: BTreeMap<u64, bool>,
    /// `server/discover` in flight.
    discoveries: BTreeSet<u64>,
    /// When a call was last cancelled: the child may be at it still.
    cancelled: Option<Duration>,
    listing: Listing,
}

impl Modern {
    pub fn new(max_calls: usize) -> Self {
        Self {
            ids: Correlator::default(),
            max_calls,
            subscriptions: BTreeMap::new(),
            lists: BTreeMap::new(),
            discoveries: BTreeSet::new(),
            cancelled: None,
            listing: Listing::default(),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.ids.in_flight()
    }

    pub(super) fn on(&mut self, event: Event, now: Duration, outputs: &mut Vec<Output>) {
        self.cancelled.take_if(|at| now >= *at + CANCELLED_FOR);
        if !matches!(event, Event::Call { .. } | Event::Child(_) | Event::Tick) {
            self.ids.note();
        }
        match event {
            Event::Call { route, incoming } => self.calls(&incoming, route, outputs),
            Event::Relay { incoming, .. } => relay(&incoming, outputs),
            Event::Child(Message::Response(response)) => self.answer(response, outputs),
            // basic/transports/stdio §Receiving Messages: the server MUST NOT write requests.
            Event::Child(Message::Request(request)) => outputs.push(Output::ToChild(compose::not_found(&request.id))),
            Event::Child(Message::Notification(note)) => self.notification(note, outputs),
            Event::Oversized(line) => self.oversized(&line, outputs),
            Event::Silent { route, patience } => self.silent(route, patience, now, outputs),
            Event::Gone(route) => self.gone(route, now, outputs),
            Event::ListTools => self.listing.begin(&mut self.ids, outputs),
            Event::Drain => self.close_subscriptions(outputs),
            Event::Ping => outputs.push(Output::ToChild(introduction::discover(self.ids.own()))),
            Event::Tick | Event::Fresh => {}
            Event::Lost { message, reason } => drop(self.fail(|_| true, &message, reason, outputs)),
            Event::End { message, reason, graceful } => {
                if graceful {
                    self.close_subscriptions(outputs);
                }
                self.fail(|_| true, &message, reason, outputs);
            }
        }
    }

    fn calls(&mut self, incoming: &Incoming, route: Route, outputs: &mut Vec<Output>) {
        for message in incoming.messages() {
            let Message::Request(request) = message else { continue };
            // It would open the older era on this child for everybody.
            if request.method.is("initialize") {
                outputs.push(Output::Answer { route, status: 404, message: compose::not_found(&request.id) });
            } else {
                outputs.push(
                    self.call(request, route)
                        .map_or_else(|why| Output::Refused { route, why: why.answering(&request.id) }, Output::ToChild),
                );
            }
        }
    }

    fn call(&mut self, request: &Request, route: Route) -> Result<Bytes, Rejection> {
        // Subscriptions stay for as long as their clients like: they must not take the room of calls.
        let listens = request.method.is("subscriptions/listen");
        let subscribed = self.subscriptions.len();
        let alike = if listens { subscribed } else { self.ids.in_flight() - subscribed };
        if alike >= self.max_calls {
            return Err(Rejection::TooManyCalls);
        }
        let (number, line) = self.ids.call(request, route)?;
        if listens {
            self.subscriptions.insert(number, false);
        } else if let Some(first) = listing::asks_first_page(request) {
            self.lists.insert(number, first);
        } else if request.method.is(introduction::DISCOVER) {
            self.discoveries.insert(number);
        }
        Ok(line)
    }

    fn answer(&mut self, mut response: Response, outputs: &mut Vec<Output>) {
        self.ids.attribute(&mut response, |number| self.subscriptions.get(&number) != Some(&true));
        let number = response.answers().unwrap_or_default();
        if self.listing.awaits(number) {
            // It may ask for the next page.
            self.ids.note();
            return self.listing.page(response.outcome, &mut self.ids, outputs);
        }
        if let Outcome::Result(result) = &mut response.outcome {
            if self.subscriptions.contains_key(&number) {
                self.name_subscription(number, result);
            } else if let Some(&first) = self.lists.get(&number) {
                listing::overheard(result, first, outputs);
            } else if self.discoveries.contains(&number) {
                introduction::name_only_spoken(result);
            }
        }
        self.forget(number);
        let status = status_of(&response.outcome);
        outputs.push(match self.ids.answer(response) {
            Some((route, message)) => Output::Answer { route, status, message },
            None => Output::Stray("child answered what nobody asked"),
        });
    }

    /// Puts the client's id of a subscription in the place of ours.
    fn name_subscription(&self, number: u64, result: &mut Bytes) {
        if let (Some(call), Some(ours)) = (self.ids.find(number), compose::subscription_id(result)) {
            let id = Bytes::copy_from_slice(call.id.as_bytes());
            *result = Edited::replacing(result.clone(), &ours, id).into_bytes();
        }
    }

    /// What is remembered of a call besides the call.
    fn forget(&mut self, number: u64) {
        self.subscriptions.remove(&number);
        self.lists.remove(&number);
        self.discoveries.remove(&number);
    }

    fn notification(&mut self, note: Notification, outputs: &mut Vec<Output>) {
        if note.method.is("notifications/cancelled") {
            return self.closed_by_child(&note, outputs);
        }
        if note.method.is("notifications/tools/list_changed") {
            self.listing.outdate();
            outputs.push(Output::ToolsChanged);
        }
        let routed = if note.method.is("notifications/progress") {
            self.ids.progress(&note).filter(|(route, _)| route.stream != StreamId::STANDALONE)
        } else if note.method.is("notifications/message") {
            match self.log_reader() {
                Some(route) => Some((route, compose::unchanged(&note))),
                None => return outputs.push(Output::Log(note.params.unwrap_or_default())),
            }
        } else {
            self.subscribed(&note)
        };
        let stray = Output::Stray("child reported on what is not open");
        outputs.push(routed.map_or(stray, |(route, message)| Output::Say { route, message }));
    }

    /// A log message names no request, and must reach none but the one it is about (server/utilities/logging): it is
    /// passed on if that is the only one which it can be about, and asked for any. None is about a subscription.
    fn log_reader(&self) -> Option<Route> {
        let mut calls = self.ids.calls().filter(|(number, _)| !self.subscriptions.contains_key(number));
        let (_, call) = calls.next().filter(|(_, call)| call.logs)?;
        (calls.next().is_none() && self.cancelled.is_none()).then_some(call.route)
    }

    /// basic/patterns/subscriptions: nothing comes on a stream before the acknowledgement.
    fn subscribed(&mut self, note: &Notification) -> Option<Routed> {
        let params = note.params.as_ref()?;
        let ours = compose::subscription_id(params)?;
        let number = issued(&ours)?;
        let acknowledged = self.subscriptions.get_mut(&number)?;
        *acknowledged |= note.method.is("notifications/subscriptions/acknowledged");
        let call = self.ids.find(number).filter(|_| *acknowledged)?;
        let id = Bytes::copy_from_slice(call.id.as_bytes());
        let params = Edited::replacing(params.clone(), &ours, id);
        Some((call.route, compose::notification(&note.method, Some(&params))))
    }

    /// basic/patterns/cancellation: on stdio a server ends a subscription so; over HTTP its result does.
    fn closed_by_child(&mut self, note: &Notification, outputs: &mut Vec<Output>) {
        let number = note.params.as_ref().and_then(compose::request_id).and_then(|id| issued(&id));
        match number.filter(|number| self.subscriptions.contains_key(number)) {
            Some(number) => self.close(number, outputs),
            None => outputs.push(Output::Stray("child cancelled what is no subscription")),
        }
    }

    fn close(&mut self, number: u64, outputs: &mut Vec<Output>) {
        self.forget(number);
        if let Some(call) = self.ids.abandon(number) {
            let message = compose::listened(call.id.as_bytes());
            outputs.push(Output::Answer { route: call.route, status: 200, message });
        }
    }

    fn close_subscriptions(&mut self, outputs: &mut Vec<Output>) {
        for number in std::mem::take(&mut self.subscriptions).into_keys() {
            self.close(number, outputs);
            outputs.push(Output::ToChild(compose::cancelled(number, "shutting down")));
        }
    }

    /// The line is gone. If it was an answer, its call fails, and it alone.
    fn oversized(&mut self, line: &TooLong, outputs: &mut Vec<Output>) {
        let call = match &line.was {
            Passed::Answer(number) if self.listing.awaits(*number) => {
                return self.listing.page(Outcome::Error(Bytes::new()), &mut self.ids, outputs);
            }
            Passed::Answer(number) => self.ids.abandon(*number).inspect(|_| self.forget(*number)),
            // However long it is, the server may not ask.
            Passed::Question(id) => return outputs.push(Output::ToChild(compose::not_found(id))),
            Passed::Other => None,
        };
        outputs.push(call.map_or(Output::Stray("nobody waits for what the line was"), |call| {
            failure(&call, &compose::too_large(line.bytes), "message_too_large")
        }));
    }

    fn silent(&mut self, silent: Route, patience: Duration, now: Duration, outputs: &mut Vec<Output>) {
        // A subscription may be silent for as long as nothing changes.
        if self.ids.calls().any(|(number, call)| call.route == silent && self.subscriptions.contains_key(&number)) {
            return;
        }
        let message = compose::silence(patience);
        for number in self.fail(|route| route == silent, &message, "call_timeout", outputs) {
            self.cancelled = Some(now);
            outputs.push(Output::ToChild(compose::cancelled(number, "call timeout")));
        }
    }

    /// basic/transports/streamable-http §Cancellation: a closed connection is a cancel.
    fn gone(&mut self, gone: Route, now: Duration, outputs: &mut Vec<Output>) {
        for (number, _) in self.ids.abandon_where(|route| route == gone) {
            // No log message is about a subscription.
            if self.subscriptions.remove(&number).is_none() {
                self.cancelled = Some(now);
            }
            self.forget(number);
            outputs.push(Output::ToChild(compose::cancelled(number, "the client closed the connection")));
        }
        outputs.push(Output::Closed(gone));
    }

    fn fail(&mut self, of: impl Fn(Route) -> bool, message: &str, reason: &str, outputs: &mut Vec<Output>) -> Vec<u64> {
        let failed = self.ids.abandon_where(of);
        for (number, call) in &failed {
            self.forget(*number);
            outputs.push(failure(call, message, reason));
        }
        failed.into_iter().map(|(number, _)| number).collect()
    }
}

fn failure(call: &Call, message: &str, reason: &str) -> Output {
    let message = compose::failure(call.id.as_bytes(), message, reason);
    Output::Answer { route: call.route, status: 200, message }
}

/// `notifications/cancelled` exists on stdio only, and what it names here are ids of HTTP clients.
fn relay(incoming: &Incoming, outputs: &mut Vec<Output>) {
    for message in incoming.messages() {
        outputs.push(match message {
            Message::Notification(note) if !note.method.is("notifications/cancelled") => {
                Output::ToChild(compose::unchanged(note))
            }
            _ => Output::Stray("client answered or cancelled what is not open"),
        });
    }
}

#[cfg(test)]
#[path = "modern_tests.rs"]
mod tests;
