//! A child that several sessions share, under any sequence of events: what it says about a call, which carries that
//! call's number, reaches that call's session or nobody, and each answer does so once.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use mcp_sidecar::mcp::{
    bridge::shared::{Event, Output, Shared},
    jsonrpc::Message,
    route::Seat,
};
use serde_json::{Value, json};

const EVENTS: usize = 100;
const SEATS: u32 = 4;
/// How long the child may be at a call that was cancelled.
const WORKS_ON: u64 = 2000;

struct Call {
    seat: Seat,
    id: usize,
    answered: bool,
    cancelled: Option<u64>,
}

#[derive(Default)]
struct World {
    hub: Shared,
    /// By the number that the child was given.
    calls: BTreeMap<u64, Call>,
    /// Questions to seats that are there.
    asked: Vec<(Seat, Value)>,
    /// The newest number that the child has certainly read: it reads them one after the other.
    read: u64,
    millis: u64,
}

/// A letter and a digit for each event.
pub(super) fn shared(events: &[u8]) {
    let mut world = World::default();
    for seat in 1..=SEATS {
        world.joins(Seat(seat));
    }
    for event in events.chunks_exact(2).take(EVENTS) {
        world.happens(event[0], usize::from(event[1]));
    }
}

impl World {
    fn happens(&mut self, what: u8, which: usize) {
        let seat = Seat(u32::try_from(which).unwrap_or_default() % SEATS + 1);
        let number = which.checked_rem(self.calls.len()).and_then(|which| self.calls.keys().nth(which).copied());
        match (what, number) {
            (b'c', _) => self.says(seat, &request(which, which % 3, "tools/call")),
            (b's', _) => self.says(seat, &request(which, which % 3, "resources/subscribe")),
            (b'x', _) => self.says(seat, &note("notifications/cancelled", json!({ "requestId": which % 3 }))),
            (b'r', _) => self.answers_questions(seat),
            (b'w', _) => {
                self.asked.retain(|(asked, _)| *asked != seat);
                self.feed(Event::Left(seat));
                self.joins(seat);
            }
            (b't', _) => self.millis += 700,
            (b'g', _) => self.is_asked_for_a_sign_of_life(),
            (b'a', Some(number)) => {
                self.child(&json!({ "jsonrpc": "2.0", "id": number, "result": { "number": number } }));
                self.is_done_with(number);
            }
            // An error about what could not be read has no id.
            (b'n', Some(number)) if number > self.read && !self.calls[&number].answered => {
                self.child(&json!({ "jsonrpc": "2.0", "id": null, "error": { "number": number } }));
                self.read = number;
            }
            (b'q', Some(number)) => self.speaks(number, &request(number, number, "roots/list")),
            (b'p', Some(number)) => self.speaks(number, &note("notifications/progress", about(number))),
            (b'l', Some(number)) => self.speaks(number, &note("notifications/message", about(number))),
            _ => {}
        }
    }

    fn is_asked_for_a_sign_of_life(&mut self) {
        for (to, line) in self.feed(Event::Ping) {
            assert_eq!(to, None, "for the child alone: {line}");
            let there = json!({ "jsonrpc": "2.0", "id": line["id"], "result": {} });
            assert_eq!(self.feed(Event::Child(read(&there))), [], "nobody asked for it: {there}");
        }
    }

    fn is_done_with(&mut self, number: u64) {
        self.read = self.read.max(number);
        self.calls.entry(number).and_modify(|call| call.answered = true);
    }

    fn joins(&mut self, seat: Seat) {
        self.feed(Event::Joined(seat));
        let params = json!({ "capabilities": { "roots": {} } });
        self.says(seat, &json!({ "jsonrpc": "2.0", "id": "i", "method": "initialize", "params": params }));
    }

    fn says(&mut self, seat: Seat, message: &Value) {
        for (to, line) in self.feed(Event::Said(seat, read(message))) {
            match (to, line["id"].as_u64(), line["method"].as_str()) {
                (None, Some(number), Some("initialize")) => {
                    self.child(&json!({ "jsonrpc": "2.0", "id": number, "result": { "initialized": true } }));
                    self.read = number;
                }
                (None, Some(number), Some(_)) => {
                    let id = message["id"].as_u64().expect("a call") as usize;
                    let call = Call { seat, id, answered: false, cancelled: None };
                    assert!(self.calls.insert(number, call).is_none(), "a number twice: {line}");
                }
                _ => assert!(to.is_none_or(|to| to == seat), "{line} for {to:?}"),
            }
        }
    }

    /// The child is not at what is over.
    fn speaks(&mut self, number: u64, message: &Value) {
        let call = &self.calls[&number];
        if !call.answered && call.cancelled.is_none_or(|at| self.millis < at + WORKS_ON) {
            self.child(message);
        }
    }

    fn child(&mut self, message: &Value) {
        for (to, line) in self.feed(Event::Child(read(message))) {
            let Some(to) = to else { continue };
            if line["method"] == "roots/list" {
                self.asked.push((to, line["id"].clone()));
            }
            let said = ["result", "error", "params"].map(|name| &line[name]).into_iter().find(|said| said.is_object());
            let said = said.unwrap_or(&Value::Null);
            let Some(call) = said["number"].as_u64().and_then(|number| self.calls.get_mut(&number)) else { continue };
            assert_eq!(to, call.seat, "it crossed: {line}");
            assert!(!call.answered, "too late: {line}");
            assert!(line["method"].is_string() || line["id"] == call.id, "another's id: {line}");
            call.answered |= line["method"].is_null();
        }
    }

    /// What it was asked, once and again; and what others were.
    fn answers_questions(&mut self, seat: Seat) {
        for (asked, id) in std::mem::take(&mut self.asked) {
            for expected in [usize::from(asked == seat), 0] {
                let answer = json!({ "jsonrpc": "2.0", "id": id, "result": {} });
                assert_eq!(
                    self.feed(Event::Said(seat, read(&answer))).len(),
                    expected,
                    "{id} of {asked:?} by {seat:?}"
                );
            }
        }
    }

    fn feed(&mut self, event: Event) -> Vec<(Option<Seat>, Value)> {
        let mut outputs = Vec::new();
        self.hub.on(event, Duration::from_millis(self.millis), &mut outputs);
        let value = |line: Bytes| serde_json::from_slice::<Value>(&line).expect("JSON");
        let tell = |output| match output {
            Output::ToChild(line) => Some((None, value(line))),
            Output::ToSeat(seat, line) => Some((Some(seat), value(line))),
            Output::TooLong(..) | Output::Stray(_) => None,
        };
        let told: Vec<_> = outputs.into_iter().filter_map(tell).collect();
        for (_, line) in told.iter().filter(|(to, line)| to.is_none() && line["method"] == "notifications/cancelled") {
            let number = line["params"]["requestId"].as_u64().expect("a number of ours");
            self.calls.entry(number).and_modify(|call| call.cancelled = call.cancelled.or(Some(self.millis)));
        }
        told
    }
}

fn about(number: u64) -> Value {
    json!({ "number": number, "progressToken": number })
}

fn note(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn request(number: impl Into<Value> + Copy, id: impl Into<Value>, method: &str) -> Value {
    let params = json!({ "number": number.into(), "uri": "u", "_meta": { "progressToken": "t" } });
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

fn read(message: &Value) -> Message {
    Message::parse(&message.to_string().into()).expect("a message")
}
