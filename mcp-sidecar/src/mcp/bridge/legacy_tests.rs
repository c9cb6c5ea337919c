use std::collections::BTreeMap;

use super::*;
use crate::mcp::jsonrpc::RequestId;
use crate::mcp::sse::StreamId;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the tests say is open.
#[derive(Default)]
struct Open {
    listening: bool,
    deaf: bool,
}

impl Audience for Open {
    fn hears(&self, _: Route) -> bool {
        !self.deaf
    }

    fn may_return(&self, _: Route) -> bool {
        false
    }

    fn listens(&self, _: Seat) -> bool {
        self.listening
    }
}

const SEAT: Seat = Seat(7);

fn at(stream: u64) -> Route {
    Route { seat: SEAT, stream: StreamId(stream) }
}

fn incoming(text: &str) -> Incoming {
    Incoming::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn child(text: &str) -> Event {
    Event::Child(Message::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap())
}

fn call(stream: u64, text: &str) -> Event {
    Event::Call { route: at(stream), incoming: incoming(text) }
}

fn bridge() -> Legacy {
    Legacy::new(SEAT, 100)
}

/// What the bridge says to an event at that second.
fn on(bridge: &mut Legacy, event: Event, open: &Open, second: u64) -> Vec<Output> {
    let mut outputs = Vec::new();
    bridge.on(event, Duration::from_secs(second), open, &mut outputs);
    outputs
}

#[test]
fn initialize_opens_the_seat_with_the_revision_that_the_child_names() {
    let (mut bridge, open) = (bridge(), Open::default());
    on(&mut bridge, call(1, r#"{"jsonrpc":"2.0","id":"i","method":"initialize"}"#), &open, 0);
    let outputs =
        on(&mut bridge, child(r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}"#), &open, 0);
    let opened = Output::Opened { seat: SEAT, version: Some(ProtocolVersion::V2025_06_18) };
    let message = r#"{"jsonrpc":"2.0","id":"i","result":{"protocolVersion":"2025-06-18"}}"#.into();
    assert_eq!(outputs, [opened, Output::Answer { route: at(1), status: 200, message }]);
}

#[test]
fn an_initialize_that_fails_opens_nothing_whether_the_child_refuses_dies_or_is_late_and_is_never_cancelled() {
    let end = Event::End { message: "over".into(), reason: "child_exited", graceful: false };
    let late = Event::Silent { route: at(1), patience: Duration::from_secs(1) };
    for last in [child(r#"{"jsonrpc":"2.0","id":1,"error":{}}"#), end, late] {
        let (mut bridge, open) = (bridge(), Open::default());
        on(&mut bridge, call(1, r#"{"jsonrpc":"2.0","id":"i","method":"initialize"}"#), &open, 0);
        let outputs = on(&mut bridge, last, &open, 0);
        assert!(matches!(&outputs[..], [Output::NotOpened { route, .. }] if *route == at(1)), "{outputs:?}");
    }
}

#[test]
fn a_closed_connection_cancels_no_call_but_a_session_that_its_client_never_knew_is_none() {
    let (mut bridge, open) = (bridge(), Open::default());
    on(&mut bridge, call(1, r#"{"jsonrpc":"2.0","id":"i","method":"initialize"}"#), &open, 0);
    let outputs = on(&mut bridge, Event::Gone(at(1)), &open, 0);
    assert!(matches!(&outputs[..], [Output::NotOpened { .. }]), "{outputs:?}");
    on(&mut bridge, call(2, r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#), &open, 0);
    assert_eq!(on(&mut bridge, Event::Gone(at(2)), &open, 0), []);
    assert_eq!(bridge.in_flight(), 1);
}

#[test]
fn a_ping_of_the_child_that_nobody_can_hear_is_answered_here() {
    let (mut bridge, ping) = (bridge(), r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#);
    let outputs = on(&mut bridge, child(ping), &Open::default(), 0);
    assert_eq!(outputs, [Output::ToChild(r#"{"jsonrpc":"2.0","id":"p","result":{}}"#.into())]);
    let listening = Open { listening: true, ..Open::default() };
    let outputs = on(&mut bridge, child(ping), &listening, 0);
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.into();
    assert_eq!(outputs, [Output::Say { route: Route::standalone(SEAT), message }]);
}

#[test]
fn a_log_line_goes_to_the_oldest_call_that_hears_and_a_list_change_to_the_get_stream() {
    let (mut bridge, listening) = (bridge(), Open { listening: true, ..Open::default() });
    for stream in [1, 2] {
        on(&mut bridge, call(stream, r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#), &listening, 0);
    }
    let mut said = |method: &str, open: &Open| {
        let outputs = on(&mut bridge, child(&json!({ "jsonrpc": "2.0", "method": method }).to_string()), open, 0);
        match &outputs[..] {
            [Output::Say { route, .. }] => *route,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(said("notifications/message", &listening), at(1));
    assert_eq!(said("notifications/tools/list_changed", &listening), Route::standalone(SEAT));
    assert_eq!(said("notifications/tools/list_changed", &Open::default()), at(1));
    assert_eq!(said("notifications/message", &Open { deaf: true, listening: true }), Route::standalone(SEAT));
}

#[test]
fn a_cancelled_call_that_the_child_does_not_answer_is_answered_after_two_seconds() {
    let (mut bridge, open) = (bridge(), Open::default());
    on(&mut bridge, call(1, r#"{"jsonrpc":"2.0","id":"c","method":"x"}"#), &open, 5);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}"#;
    let outputs = on(&mut bridge, Event::Relay { seat: SEAT, incoming: incoming(cancel) }, &open, 6);
    assert!(matches!(&outputs[..], [Output::ToChild(_)]));
    assert_eq!(on(&mut bridge, Event::Tick, &open, 7), []);
    let outputs = on(&mut bridge, Event::Tick, &open, 8);
    assert!(matches!(&outputs[..], [Output::Answer { route, .. }] if *route == at(1)));
    assert_eq!(bridge.in_flight(), 0);
}

#[test]
fn a_line_that_was_too_long_fails_the_call_that_it_answered_and_no_other() {
    let (mut bridge, open) = (bridge(), Open::default());
    for stream in [1, 2] {
        on(&mut bridge, call(stream, r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#), &open, 0);
    }
    let lost = |was| Event::Oversized(TooLong { bytes: 9, was });
    for nobodys in [Passed::Other, Passed::Answer(77)] {
        let outputs = on(&mut bridge, lost(nobodys), &open, 0);
        assert!(matches!(&outputs[..], [Output::Stray(_)]), "{outputs:?}");
    }
    let refused = on(&mut bridge, lost(Passed::Question(RequestId::parse(b"2").unwrap())), &open, 0);
    assert_eq!(refused, [Output::ToChild(compose::question_too_large(&RequestId::parse(b"2").unwrap(), 9))]);
    let outputs = on(&mut bridge, lost(Passed::Answer(2)), &open, 0);
    assert!(matches!(&outputs[..], [Output::Answer { route, .. }] if *route == at(2)));
    assert_eq!(bridge.in_flight(), 1);
}

#[test]
fn nothing_of_a_post_is_taken_on_when_a_part_of_it_cannot_be() {
    let (mut bridge, open) = (Legacy::new(SEAT, 2), Open::default());
    let ambiguous = r#"[{"jsonrpc":"2.0","id":1,"method":"x"},{"jsonrpc":"2.0","id":2,"method":"x","params":{"_meta":{},"_meta":{}}}]"#;
    let outputs = on(&mut bridge, call(1, ambiguous), &open, 0);
    assert_eq!(outputs, [Output::Refused { route: at(1), why: Rejection::AmbiguousParams }]);
    assert_eq!(bridge.in_flight(), 0);
    let three = format!("[{}]", [r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#; 3].join(","));
    let outputs = on(&mut bridge, call(2, &three), &open, 0);
    assert_eq!(outputs, [Output::Refused { route: at(2), why: Rejection::TooManyCalls }]);
}

/// One step of a random conversation; numbers choose among what is open.
#[derive(Clone, Debug)]
enum Step {
    Call { id: usize, token: bool },
    Answer(usize),
    Progress(usize),
    Ask,
    AnswerQuestion(usize),
    Cancel(usize),
    Silent(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..IDS.len(), any::<bool>()).prop_map(|(id, token)| Step::Call { id, token }),
        3 => any::<usize>().prop_map(Step::Answer),
        1 => any::<usize>().prop_map(Step::Progress),
        1 => Just(Step::Ask),
        1 => any::<usize>().prop_map(Step::AnswerQuestion),
        1 => (0..IDS.len()).prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(Step::Silent),
    ]
}

/// Few, alike, and used again and again.
const IDS: [&str; 5] = ["1", "\"1\"", "1.0", "2", "\"\\u0031\""];

/// What the test knows of the conversation.
#[derive(Default)]
struct Told {
    streams: u64,
    /// By the child's id: where it was asked, under which id, with which token.
    calls: BTreeMap<u64, (Route, &'static str, bool)>,
    /// By the client's id: the child's.
    questions: BTreeMap<u64, u64>,
}

fn nth<K, V>(open: &BTreeMap<K, V>, number: usize) -> Option<(&K, &V)> {
    open.iter().nth(number.checked_rem(open.len())?)
}

fn text(message: &Bytes) -> Value {
    serde_json::from_slice(message).unwrap()
}

impl Told {
    fn play(&mut self, bridge: &mut Legacy, step: &Step) {
        let open = Open { listening: true, ..Open::default() };
        match *step {
            Step::Call { id, token } => {
                self.streams += 1;
                let meta = if token { format!(r#"{{"_meta":{{"progressToken":{}}}}}"#, IDS[id]) } else { "{}".into() };
                let line = format!(r#"{{"jsonrpc":"2.0","id":{},"method":"x","params":{meta}}}"#, IDS[id]);
                let outputs = on(bridge, call(self.streams, &line), &open, 0);
                let [Output::ToChild(line)] = &outputs[..] else { panic!("{outputs:?}") };
                let number = text(line)["id"].as_u64().unwrap();
                assert!(self.calls.insert(number, (at(self.streams), IDS[id], token)).is_none(), "an id used twice");
            }
            Step::Answer(which) => {
                let Some((&number, &(route, id, _))) = nth(&self.calls, which) else { return };
                let line = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"of":{number}}}}}"#);
                let outputs = on(bridge, child(&line(&number.to_string())), &open, 0);
                assert_eq!(outputs, [Output::Answer { route, status: 200, message: line(id).into() }]);
                self.calls.remove(&number);
            }
            Step::Progress(which) => {
                let Some((&number, &(route, id, token))) = nth(&self.calls, which) else { return };
                let line = |token: &str| {
                    format!(
                        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token}}}}}"#
                    )
                };
                let outputs = on(bridge, child(&line(&number.to_string())), &open, 0);
                let heard = Output::Say { route, message: line(id).into() };
                assert_eq!(outputs, [if token { heard } else { Output::Stray("child reported on what is not open") }]);
            }
            Step::Ask | Step::AnswerQuestion(_) | Step::Cancel(_) => self.play_other(bridge, step, &open),
            Step::Silent(which) => {
                let Some((&number, &(route, ..))) = nth(&self.calls, which) else { return };
                let patience = Duration::from_secs(1);
                let outputs = on(bridge, Event::Silent { route, patience }, &open, 0);
                assert!(matches!(&outputs[..], [Output::Answer { route: to, .. }, Output::ToChild(_)] if *to == route));
                self.calls.remove(&number);
            }
        }
    }

    fn play_other(&mut self, bridge: &mut Legacy, step: &Step, open: &Open) {
        match *step {
            Step::Ask => {
                let id = self.questions.len() as u64;
                let outputs =
                    on(bridge, child(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"roots/list"}}"#)), open, 0);
                let [Output::Say { route, message }] = &outputs[..] else { panic!("{outputs:?}") };
                let oldest = self.calls.values().next().map(|(route, ..)| *route);
                assert_eq!(*route, oldest.unwrap_or(Route::standalone(SEAT)));
                self.questions.insert(text(message)["id"].as_u64().unwrap(), id);
            }
            Step::AnswerQuestion(which) => {
                let Some((&ours, &theirs)) = nth(&self.questions, which) else { return };
                let answer = |seat| {
                    let line = format!(r#"{{"jsonrpc":"2.0","id":{ours},"result":{{}}}}"#);
                    Event::Relay { seat, incoming: incoming(&line) }
                };
                let stray = Output::Stray("client answered or cancelled what is not open");
                assert_eq!(on(bridge, answer(Seat(8)), open, 0), [stray]);
                let line = format!(r#"{{"jsonrpc":"2.0","id":{theirs},"result":{{}}}}"#);
                assert_eq!(on(bridge, answer(SEAT), open, 0), [Output::ToChild(line.into())]);
                self.questions.remove(&ours);
            }
            Step::Cancel(id) => {
                let newest = self.calls.iter().rev().find(|(_, (_, other, _))| *other == IDS[id]);
                let line = |id: &str| {
                    format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#)
                };
                let outputs = on(bridge, Event::Relay { seat: SEAT, incoming: incoming(&line(IDS[id])) }, open, 0);
                let stray = Output::Stray("client answered or cancelled what is not open");
                let expected = newest.map(|(number, _)| Output::ToChild(line(&number.to_string()).into()));
                assert_eq!(outputs, [expected.unwrap_or(stray)]);
            }
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn in_any_order_every_answer_goes_to_its_asker_under_the_exact_id(steps in prop::collection::vec(any_step(), 0..60)) {
        let (mut bridge, mut told) = (bridge(), Told::default());
        for step in &steps {
            told.play(&mut bridge, step);
            prop_assert_eq!(bridge.in_flight(), told.calls.len());
        }
    }
}
