//! A shared child and its sessions under any sequence of events. Each call has a number that what the child says about
//! it carries, so that whoever hears of it can be told.

use super::*;
use proptest::prelude::*;

/// A call as the child knows it.
struct Call {
    of: u64,
    seat: Seat,
    id: u64,
    answered: bool,
    cancelled: Option<u64>,
}

/// A question that a seat was asked: under which id, and whether it was answered.
struct Asked {
    seat: Seat,
    id: Value,
    answered: bool,
}

#[derive(Default)]
struct World {
    hub: Shared,
    seats: Vec<Seat>,
    joined: u32,
    /// By the number that the child was given.
    calls: BTreeMap<u64, Call>,
    asked: Vec<Asked>,
    called: u64,
    millis: u64,
}

impl World {
    fn feed(&mut self, event: Event) -> Vec<(Option<Seat>, Value)> {
        let outputs = told(&on_at(&mut self.hub, self.millis, event));
        for (to, line) in &outputs {
            if let Some(seat) = to {
                assert!(self.seats.contains(seat), "for a session that has left: {line}");
            } else if line["method"] == "notifications/cancelled" {
                let call = self.calls.get_mut(&line["params"]["requestId"].as_u64().unwrap()).unwrap();
                call.cancelled.get_or_insert(self.millis);
            }
        }
        outputs
    }

    /// The child may be at it still.
    fn is_open(&self, call: &Call) -> bool {
        !call.answered && call.cancelled.is_none_or(|at| self.millis < at + 2000)
    }

    fn says(&mut self, seat: Seat, mut value: Value) -> Vec<(Option<Seat>, Value)> {
        value["jsonrpc"] = "2.0".into();
        self.feed(Event::Said(seat, message(&value)))
    }

    fn child_says(&mut self, mut value: Value) -> Vec<(Option<Seat>, Value)> {
        value["jsonrpc"] = "2.0".into();
        self.feed(Event::Child(message(&value)))
    }

    fn joins(&mut self) {
        if self.seats.len() == 4 {
            return;
        }
        self.joined += 1;
        let seat = Seat(self.joined);
        self.seats.push(seat);
        self.feed(Event::Joined(seat));
        let params = json!({ "capabilities": { "roots": {} } });
        self.hub.greeting = Greeting::Known(Bytes::from_static(b"{}"));
        let heard = self.says(seat, json!({ "id": 0, "method": "initialize", "params": params }));
        assert_eq!(heard.len(), 1, "{heard:?}");
    }

    fn calls(&mut self, seat: Seat, method: &str) {
        self.called += 1;
        let (of, id) = (self.called, self.called % 3);
        let params = json!({ "_meta": { "progressToken": id }, "of": of, "uri": of.to_string() });
        let heard = self.says(seat, json!({ "id": id, "method": method, "params": params }));
        let [(None, line)] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!(line["params"]["of"], of);
        let call = Call { of, seat, id, answered: false, cancelled: None };
        assert!(self.calls.insert(line["id"].as_u64().unwrap(), call).is_none(), "a number used twice");
    }

    /// Also once more, and after it was cancelled.
    fn answers(&mut self, number: u64) {
        let call = &self.calls[&number];
        let expected = (self.is_open(call) && self.seats.contains(&call.seat)).then_some(call.seat);
        let (id, of) = (call.id, call.of);
        self.calls.get_mut(&number).unwrap().answered = true;
        let heard = self.child_says(json!({ "id": number, "result": { "of": of } }));
        assert_eq!(heard.len(), usize::from(expected.is_some()), "{heard:?}");
        for (to, line) in heard {
            assert_eq!((to, &line["id"], &line["result"]["of"]), (expected, &json!(id), &json!(of)));
        }
    }

    /// A question, a log line or progress; the child does not speak of what it knows to be over.
    fn speaks_of(&mut self, number: u64, mut line: Value) {
        let Some(call) = self.calls.get(&number).filter(|call| self.is_open(call)) else { return };
        let (seat, of, id) = (call.seat, call.of, call.id);
        line["params"] = json!({ "of": of, "progressToken": number });
        for (to, heard) in self.child_says(line) {
            let Some(to) = to else {
                assert_eq!((&heard["id"], &heard["error"]["code"]), (&json!(of), &json!(-32603)), "{heard}");
                continue;
            };
            assert_eq!((to, &heard["params"]["of"]), (seat, &json!(of)), "it crossed: {heard}");
            if heard["method"] == "roots/list" {
                self.asked.push(Asked { seat, id: heard["id"].clone(), answered: false });
            } else if heard["method"] == "notifications/progress" {
                assert_eq!(heard["params"]["progressToken"], id);
            }
        }
    }

    fn asks(&mut self, number: u64) {
        let of = self.calls[&number].of;
        self.speaks_of(number, json!({ "id": of, "method": "roots/list" }));
    }

    fn seat_answers(&mut self, by: Seat, which: usize) {
        let Some(asked) = which.checked_rem(self.asked.len()).map(|which| &mut self.asked[which]) else { return };
        let taken = asked.seat == by && !asked.answered;
        asked.answered |= taken;
        let id = asked.id.clone();
        let heard = self.says(by, json!({ "id": id, "result": {} }));
        assert_eq!(heard.len(), usize::from(taken), "{heard:?}");
    }

    fn happens(&mut self, what: u8, seat: usize, which: usize) {
        let number = which.checked_rem(self.calls.len()).and_then(|which| self.calls.keys().nth(which).copied());
        let seat = seat.checked_rem(self.seats.len()).map(|seat| self.seats[seat]);
        match (what, seat, number) {
            (0, ..) => self.joins(),
            (1 | 2, Some(seat), _) => self.calls(seat, "tools/call"),
            (3, Some(seat), _) => self.calls(seat, "resources/subscribe"),
            (4, _, Some(number)) => self.answers(number),
            (5 | 6, _, Some(number)) => self.asks(number),
            (7, _, Some(number)) => self.speaks_of(number, json!({ "method": "notifications/message" })),
            (8, _, Some(number)) => self.speaks_of(number, json!({ "method": "notifications/progress" })),
            (9, Some(seat), _) => self.seat_answers(seat, which),
            (10, Some(seat), _) => {
                let params = json!({ "requestId": which % 3 });
                self.says(seat, json!({ "method": "notifications/cancelled", "params": params }));
            }
            (11, Some(seat), _) => {
                self.seats.retain(|other| *other != seat);
                self.feed(Event::Left(seat));
            }
            (12, ..) => {
                self.millis += 700;
                self.child_says(json!({ "method": "notifications/tools/list_changed" }));
            }
            _ => {}
        }
        assert_eq!(self.hub.ids.in_flight(), self.calls.values().filter(|call| self.is_open(call)).count());
        assert!(self.hub.subscribing.len() <= self.hub.ids.in_flight());
    }
}

proptest! {
    #[test]
    fn nothing_reaches_another_session_each_call_has_one_answer_and_nothing_is_kept_for_ever(
        events in prop::collection::vec((0_u8..13, 0_usize..4, 0_usize..64), 1..120),
    ) {
        let mut world = World::default();
        world.joins();
        world.joins();
        for (what, seat, which) in events {
            world.happens(what, seat, which);
        }
        world.millis += 2000;
        let numbers: Vec<u64> = world.calls.keys().copied().collect();
        numbers.into_iter().for_each(|number| world.answers(number));
        prop_assert_eq!(world.hub.ids.in_flight(), 0);
    }
}
