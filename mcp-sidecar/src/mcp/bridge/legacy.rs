//! Legacy clients, legacy child: nothing is translated but ids and progress tokens. What the child says on its own
//! names no call, so it goes to the oldest call whose client can hear it, then to the GET stream, then where a client
//! that is away will look first (basic/transports §Sending Messages, §Listening for Messages).

use std::time::Duration;

use bytes::Bytes;

use super::{Audience, Event, Output, concerns_many};
use crate::mcp::compose;
use crate::mcp::correlate::{Call, Correlator};
use crate::mcp::jsonrpc::{Incoming, Message, Notification, Request, Response};
use crate::mcp::lines::TooLong;
use crate::mcp::rejection::Rejection;
use crate::mcp::route::{Route, Seat};
use crate::mcp::skim::Passed;
use crate::mcp::version::ProtocolVersion;

#[derive(Debug)]
pub struct Legacy {
    ids: Correlator,
    max_calls: usize,
    seat: Seat,
    /// The POST whose `initialize` is not answered.
    opening: Option<Route>,
}

impl Legacy {
    pub fn new(seat: Seat, max_calls: usize) -> Self {
        Self { ids: Correlator::default(), max_calls, seat, opening: None }
    }

    /// The child is told something that no client has said.
    pub(super) fn note(&mut self) {
        self.ids.note();
    }

    pub(super) fn in_flight(&self) -> usize {
        self.ids.in_flight()
    }

    pub(super) fn on(&mut self, event: Event, now: Duration, audience: &impl Audience, outputs: &mut Vec<Output>) {
        match event {
            Event::Call { route, incoming } => match self.call(&incoming, route, outputs) {
                Ok(()) => self.relay(&incoming, route.seat, now, outputs),
                Err(why) => outputs.push(Output::Refused { route, why }),
            },
            Event::Relay { seat, incoming } => self.relay(&incoming, seat, now, outputs),
            Event::Child(Message::Response(response)) => self.answer(response, outputs),
            Event::Child(Message::Request(request)) => self.question(&request, audience, outputs),
            Event::Child(Message::Notification(note)) => outputs.push(self.notification(&note, audience)),
            Event::Oversized(line) => outputs.push(self.oversized(&line)),
            Event::Silent { route, patience } => self.silent(route, patience, outputs),
            Event::Tick => self.expire_cancelled(now, outputs),
            Event::Lost { message, reason } => self.lost(&message, reason, outputs),
            Event::Gone(route) => self.gone(route, outputs),
            // A session's own child is its client's business.
            Event::Drain | Event::Fresh | Event::Ping => {}
            Event::ListTools => outputs.push(Output::AllTools),
            Event::End { message, reason, .. } => drop(self.fail(|_| true, &message, reason, outputs)),
        }
    }

    fn call(&mut self, incoming: &Incoming, route: Route, outputs: &mut Vec<Output>) -> Result<(), Rejection> {
        if self.ids.in_flight() + incoming.requests() > self.max_calls {
            return Err(Rejection::TooManyCalls);
        }
        let before = outputs.len();
        for message in incoming.messages() {
            let Message::Request(request) = message else { continue };
            match self.ids.call(request, route) {
                Ok((_, line)) => outputs.push(Output::ToChild(line)),
                Err(why) => {
                    self.ids.abandon_where(|other| other == route);
                    outputs.truncate(before);
                    return Err(why);
                }
            }
            if request.method.is("initialize") {
                self.opening = Some(route);
            }
        }
        Ok(())
    }

    /// Notifications and responses of a client.
    fn relay(&mut self, incoming: &Incoming, seat: Seat, now: Duration, outputs: &mut Vec<Output>) {
        for message in incoming.messages() {
            let line = match message {
                Message::Request(_) => continue,
                Message::Notification(note) if note.method.is("notifications/cancelled") => {
                    self.cancel(note, seat, now)
                }
                Message::Notification(note) => Some(compose::unchanged(note)),
                Message::Response(response) => self.ids.answer_from_client(response, seat),
            };
            self.ids.note();
            let stray = Output::Stray("client answered or cancelled what is not open");
            outputs.push(line.map_or(stray, Output::ToChild));
        }
    }

    fn cancel(&mut self, note: &Notification, seat: Seat, now: Duration) -> Option<Bytes> {
        let (number, line) = self.ids.cancelled_by_client(note, seat)?;
        self.ids.cancel(number, now);
        Some(line)
    }

    fn answer(&mut self, mut response: Response, outputs: &mut Vec<Output>) {
        self.ids.attribute(&mut response, |_| true);
        let number = response.answers().unwrap_or_default();
        let opening = self.opening.filter(|opening| self.ids.find(number).is_some_and(|call| call.route == *opening));
        let version = opening.and(response.outcome.result()).map(|result| ProtocolVersion::negotiated(result));
        let Some((route, message)) = self.ids.answer(response) else {
            return outputs.push(Output::Stray("child answered what nobody asked"));
        };
        if opening.is_some() {
            self.opening = None;
            let Some(version) = version else { return outputs.push(Output::NotOpened { route, message }) };
            outputs.push(Output::Opened { seat: route.seat, version });
        }
        outputs.push(Output::Answer { route, status: 200, message });
    }

    fn question(&mut self, request: &Request, audience: &impl Audience, outputs: &mut Vec<Output>) {
        let reachable = self.related(audience).or_else(|| self.listening(audience));
        if reachable.is_none() && request.method.is("ping") {
            // basic/utilities/ping: an answer is due promptly, and no client is there to give it.
            return outputs.push(Output::ToChild(compose::empty(&request.id)));
        }
        let route = reachable.unwrap_or_else(|| self.left_to_fetch(audience));
        let (message, given_up) = self.ids.ask(request, route);
        outputs.extend(given_up.map(Output::ToChild));
        outputs.push(Output::Say { route, message });
    }

    fn notification(&mut self, note: &Notification, audience: &impl Audience) -> Output {
        let routed = if note.method.is("notifications/progress") {
            self.ids.progress(note)
        } else if note.method.is("notifications/cancelled") {
            self.ids.cancelled_by_child(note)
        } else {
            let listening = self.listening(audience);
            let own = if concerns_many(note) { listening } else { None };
            let route = own.or_else(|| self.related(audience)).or(listening);
            Some((route.unwrap_or_else(|| self.left_to_fetch(audience)), compose::unchanged(note)))
        };
        let stray = Output::Stray("child reported on what is not open");
        routed.map_or(stray, |(route, message)| Output::Say { route, message })
    }

    fn listening(&self, audience: &impl Audience) -> Option<Route> {
        audience.listens(self.seat).then_some(Route::standalone(self.seat))
    }

    /// The call that a question or log line is taken to be about: the oldest whose client can hear it.
    fn related(&self, audience: &impl Audience) -> Option<Route> {
        self.ids.oldest(|route| audience.hears(route))
    }

    /// Where a client that is away will look first.
    fn left_to_fetch(&self, audience: &impl Audience) -> Route {
        self.ids.oldest(|route| audience.may_return(route)).unwrap_or(Route::standalone(self.seat))
    }

    /// The line is gone. If it was an answer, its call fails, and it alone; if it was a question, that is refused.
    fn oversized(&mut self, line: &TooLong) -> Output {
        let call = match &line.was {
            Passed::Answer(number) => self.ids.abandon(*number),
            Passed::Question(id) => return Output::ToChild(compose::question_too_large(id, line.bytes)),
            Passed::Other => None,
        };
        let Some(call) = call else { return Output::Stray("nobody waits for what the line was") };
        self.failure(call, &compose::too_large(line.bytes), "message_too_large")
    }

    fn silent(&mut self, silent: Route, patience: Duration, outputs: &mut Vec<Output>) {
        let message = compose::silence(patience);
        // 2025-11-25 basic/utilities/cancellation: `initialize` MUST NOT be cancelled. Its child ends instead.
        let is_opening = self.opening == Some(silent);
        for number in self.fail(|route| route == silent, &message, "call_timeout", outputs) {
            if is_opening {
                continue;
            }
            outputs.push(Output::ToChild(compose::cancelled(number, "call timeout")));
        }
    }

    /// Whoever waits for this child waits in vain, and so does it for those whom it has asked.
    fn lost(&mut self, message: &str, reason: &str, outputs: &mut Vec<Output>) {
        // Before the answers, which end the streams that the questions were on.
        let withdrawn = self.ids.withdraw_questions();
        outputs.extend(withdrawn.into_iter().map(|(route, message)| Output::Say { route, message }));
        self.fail(|_| true, message, reason, outputs);
    }

    /// Not a cancel (basic/transports §Sending Messages). But a session that nobody knows of is none.
    fn gone(&mut self, gone: Route, outputs: &mut Vec<Output>) {
        if self.opening == Some(gone) {
            self.fail(|route| route == gone, "the client closed the connection", "client_gone", outputs);
        }
    }

    /// A cancelled call needs no answer; its POST does.
    fn expire_cancelled(&mut self, now: Duration, outputs: &mut Vec<Output>) {
        for (_, call) in self.ids.expire(now) {
            let message = compose::failure(call.id.as_bytes(), "the request was cancelled", "cancelled");
            outputs.push(Output::Answer { route: call.route, status: 200, message });
        }
    }

    fn fail(&mut self, of: impl Fn(Route) -> bool, message: &str, reason: &str, outputs: &mut Vec<Output>) -> Vec<u64> {
        let calls = self.ids.abandon_where(of);
        let numbers = calls.iter().map(|(number, _)| *number).collect();
        outputs.extend(calls.into_iter().map(|(_, call)| self.failure(call, message, reason)));
        numbers
    }

    fn failure(&mut self, call: Call, message: &str, reason: &str) -> Output {
        let (route, message) = (call.route, compose::failure(call.id.as_bytes(), message, reason));
        match self.opening.take_if(|opening| *opening == route) {
            Some(_) => Output::NotOpened { route, message },
            None => Output::Answer { route, status: 200, message },
        }
    }
}

#[cfg(test)]
#[path = "legacy_tests.rs"]
mod tests;
