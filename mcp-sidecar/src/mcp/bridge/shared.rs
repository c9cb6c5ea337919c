//! One legacy child, several legacy sessions (`--isolation user` and `shared`): lines of seats in, lines of the child
//! in; each to whom it concerns. A seat is a whole session with a bridge of its own, which sees what looks like a child
//! of its own: `initialize` is answered from what the child said to the first, what is said to all of them goes to all,
//! and nothing else crosses. What cannot be told whose it is goes to nobody: legacy stdio does not say which call a question
//! or a log line is about, so it is passed on only when all calls in flight are one session's.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::greeting::Greeting;
use super::member::{self, Member};
use crate::mcp::compose;
use crate::mcp::correlate::Correlator;
use crate::mcp::jsonrpc::{Message, Notification, Outcome, Request, Response};
use crate::mcp::lines::TooLong;
use crate::mcp::route::{Route, Seat};

/// What happens to a shared child.
#[derive(Debug)]
pub enum Event {
    Joined(Seat),
    Said(Seat, Message),
    Child(Message),
    Oversized(TooLong),
    /// The child has been silent for long: it is to show that it is there.
    Ping,
    Left(Seat),
}

/// What is to be done about it, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    ToChild(Bytes),
    ToSeat(Seat, Bytes),
    /// That seat's answer was too long.
    TooLong(Seat, TooLong),
    /// A message that concerns nobody, or nobody can tell whom.
    Stray(&'static str),
}

#[derive(Debug, Default)]
pub struct Shared {
    ids: Correlator,
    seats: BTreeMap<Seat, Member>,
    greeting: Greeting,
    initialized: bool,
    /// `resources/subscribe` in flight.
    subscribing: BTreeMap<u64, String>,
}

impl Shared {
    /// Whether it has been asked to initialize and has not answered.
    pub fn is_mute(&self) -> bool {
        matches!(self.greeting, Greeting::Asked { .. })
    }

    /// `now` is the time since any fixed moment.
    pub fn on(&mut self, event: Event, now: Duration, outputs: &mut Vec<Output>) {
        for (number, _) in self.ids.expire(now) {
            self.subscribing.remove(&number);
        }
        if !matches!(event, Event::Child(_) | Event::Said(_, Message::Request(_))) {
            self.ids.note();
        }
        match event {
            Event::Joined(seat) => drop(self.seats.insert(seat, Member::default())),
            Event::Said(seat, Message::Request(request)) => self.request(seat, request, outputs),
            Event::Said(seat, Message::Notification(note)) => outputs.extend(self.told(seat, &note, now)),
            Event::Said(seat, Message::Response(response)) => {
                let answer = self.ids.answer_from_client(&response, seat);
                outputs.push(answer.map_or(Output::Stray("a session answered what is not open"), Output::ToChild));
            }
            Event::Child(Message::Response(response)) => self.answer(response, outputs),
            Event::Child(Message::Request(request)) => self.question(&request, outputs),
            Event::Child(Message::Notification(note)) => self.announce(&note, outputs),
            Event::Oversized(line) => self.oversized(&line, outputs),
            Event::Ping => self.ask("ping", &serde_json::json!({}), outputs),
            Event::Left(seat) => self.left(seat, now, outputs),
        }
    }

    fn request(&mut self, seat: Seat, request: Request, outputs: &mut Vec<Output>) {
        let Some(member) = self.seats.get_mut(&seat) else { return };
        if request.method.is("initialize") {
            member.declare(request.params.as_ref());
            return self.initialize(seat, request, outputs);
        }
        if request.method.is("tasks/list") {
            // 2025-11-25 basic/utilities/tasks: it would name those of all sessions, and their results with them.
            return outputs.push(Output::ToSeat(seat, compose::not_found(&request.id)));
        }
        if request.method.is("logging/setLevel") {
            member.set_level(request.params.as_ref());
            let level = member::most_verbose(self.seats.values());
            let request = if let Some(level) = level { level.instead_of(request) } else { request };
            self.pass(seat, &request, outputs);
            return;
        }
        let subscription = member::subscription(&request);
        if subscription.as_ref().is_some_and(|(uri, begins)| self.is_settled(seat, uri, *begins)) {
            return outputs.push(done(seat, &request));
        }
        let number = self.pass(seat, &request, outputs);
        if let (Some(number), Some((uri, true))) = (number, subscription) {
            self.subscribing.insert(number, uri);
        }
    }

    /// Whether the child need not be told, because of the others.
    fn is_settled(&mut self, seat: Seat, uri: &str, begins: bool) -> bool {
        if begins {
            let subscribed = self.subscribed(uri);
            if subscribed {
                self.subscribe(seat, uri.to_owned());
            }
            return subscribed;
        }
        let ended = self.seats.get_mut(&seat).is_some_and(|member| member.unsubscribe(uri));
        ended && self.subscribed(uri)
    }

    /// basic/lifecycle: a server is initialized once.
    fn initialize(&mut self, seat: Seat, request: Request, outputs: &mut Vec<Output>) {
        match &mut self.greeting {
            Greeting::Known(result) => outputs
                .push(Output::ToSeat(seat, compose::response(request.id.as_bytes(), Outcome::Result(result.clone())))),
            Greeting::Asked { waiting, .. } => waiting.push((seat, request)),
            Greeting::Unasked => {
                if let Some(number) = self.pass(seat, &request, outputs) {
                    self.greeting = Greeting::Asked { number, waiting: Vec::new() };
                }
            }
        }
    }

    fn pass(&mut self, seat: Seat, request: &Request, outputs: &mut Vec<Output>) -> Option<u64> {
        let Ok((number, line)) = self.ids.call(request, Route::standalone(seat)) else {
            let refused = compose::refusal(request.id.as_bytes(), -32600, "a member of params is given twice");
            outputs.push(Output::ToSeat(seat, refused));
            return None;
        };
        outputs.push(Output::ToChild(line));
        Some(number)
    }

    /// A notification of a seat.
    fn told(&mut self, seat: Seat, note: &Notification, now: Duration) -> Option<Output> {
        if note.method.is("notifications/cancelled") {
            let (number, line) = self.ids.cancelled_by_client(note, seat)?;
            if self.greeting.awaits(number) {
                // «MUST NOT be cancelled» (basic/utilities/cancellation), and others wait for the answer.
                return None;
            }
            self.ids.cancel(number, now);
            return Some(Output::ToChild(line));
        }
        if note.method.is("notifications/initialized") && std::mem::replace(&mut self.initialized, true) {
            return None;
        }
        Some(Output::ToChild(compose::unchanged(note)))
    }

    fn answer(&mut self, mut response: Response, outputs: &mut Vec<Output>) {
        self.ids.attribute(&mut response, |_| true);
        let number = response.answers().unwrap_or_default();
        let subscribed = self.subscribing.remove(&number).filter(|_| response.outcome.result().is_some());
        let greeting = match response.outcome.result() {
            Some(result) if self.greeting.awaits(number) => Greeting::Known(Bytes::copy_from_slice(result)),
            _ => Greeting::Unasked,
        };
        let Some((route, message)) = self.ids.answer(response) else {
            return outputs.push(Output::Stray("child answered what nobody asked"));
        };
        if let Some(uri) = subscribed {
            self.subscribe(route.seat, uri);
        }
        outputs.push(self.tell(route.seat, message));
        self.greeted(number, greeting, outputs);
    }

    /// If that was the answer to `initialize`, it serves those who wait, or the next of them asks.
    fn greeted(&mut self, number: u64, greeting: Greeting, outputs: &mut Vec<Output>) {
        if !self.greeting.awaits(number) {
            return;
        }
        let Greeting::Asked { waiting, .. } = std::mem::replace(&mut self.greeting, greeting) else { return };
        for (seat, request) in waiting {
            self.initialize(seat, request, outputs);
        }
    }

    fn announce(&mut self, note: &Notification, outputs: &mut Vec<Output>) {
        let routed = if note.method.is("notifications/progress") {
            self.ids.progress(note)
        } else if note.method.is("notifications/cancelled") {
            self.ids.cancelled_by_child(note)
        } else {
            let before = outputs.len();
            let certain = self.certain(note.params.as_ref());
            for (&seat, member) in &self.seats {
                if member.hears(note) || (member.reads(note) && certain == Some(seat)) {
                    outputs.push(Output::ToSeat(seat, compose::unchanged(note)));
                }
            }
            if outputs.len() == before {
                outputs.push(Output::Stray("child announced what is nobody's"));
            }
            return;
        };
        let stray = Output::Stray("child reported on what is not open");
        outputs.push(routed.map_or(stray, |(route, message)| self.tell(route.seat, message)));
    }

    fn oversized(&mut self, line: &TooLong, outputs: &mut Vec<Output>) {
        if let Some(id) = line.was.asks() {
            return outputs.push(Output::ToChild(compose::question_too_large(id, line.bytes)));
        }
        let call = line.was.answers().and_then(|number| Some((number, self.ids.abandon(number)?)));
        let Some((number, call)) = call else {
            return outputs.push(Output::Stray("nobody waits for what the line was"));
        };
        self.subscribing.remove(&number);
        let seat = Some(call.route.seat).filter(|seat| self.seats.contains_key(seat));
        let line = call.id.as_issued().map(|id| line.answering(id));
        outputs.extend(seat.zip(line).map(|(seat, line)| Output::TooLong(seat, line)));
        self.greeted(number, Greeting::Unasked, outputs);
    }

    fn left(&mut self, seat: Seat, now: Duration, outputs: &mut Vec<Output>) {
        let before = member::most_verbose(self.seats.values());
        let Some(member) = self.seats.remove(&seat) else { return };
        let asked = match &mut self.greeting {
            // Its answer is for the others too.
            Greeting::Asked { number, waiting } => {
                waiting.retain(|(other, _)| *other != seat);
                Some(*number)
            }
            _ => None,
        };
        for number in self.ids.numbers(|number, call| call.route.seat == seat && Some(number) != asked) {
            self.ids.cancel(number, now);
            self.subscribing.remove(&number);
            outputs.push(Output::ToChild(compose::cancelled(number, "the session has ended")));
        }
        outputs.extend(self.ids.leave_unanswered(seat).into_iter().map(Output::ToChild));
        for uri in member.into_subscriptions() {
            if !self.subscribed(&uri) {
                self.ask("resources/unsubscribe", &serde_json::json!({ "uri": uri }), outputs);
            }
        }
        let level = member::most_verbose(self.seats.values());
        if let Some(level) = level.filter(|_| level != before) {
            self.ask("logging/setLevel", &level.as_params(), outputs);
        }
    }

    /// A request of our own, whose answer matters to nobody.
    fn ask(&mut self, method: &str, params: &serde_json::Value, outputs: &mut Vec<Output>) {
        outputs.push(Output::ToChild(compose::own_request(self.ids.own(), method, params)));
    }

    fn subscribed(&self, uri: &str) -> bool {
        self.seats.values().any(|member| member.subscribes(uri))
    }

    fn subscribe(&mut self, seat: Seat, uri: String) {
        if let Some(member) = self.seats.get_mut(&seat) {
            member.subscribe(uri);
        }
    }
}

fn done(seat: Seat, request: &Request) -> Output {
    Output::ToSeat(seat, compose::empty(&request.id))
}

#[path = "attribution.rs"]
mod attribution;

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
