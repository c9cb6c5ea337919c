use super::*;
use crate::mcp::jsonrpc::Incoming;
use crate::mcp::route::{Route, Seat};
use crate::mcp::sse::StreamId;

const SEAT: Seat = Seat(0);
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-11-25",
    "capabilities":{"sampling":{}}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Everybody hears everything.
struct Open;

impl Audience for Open {
    fn hears(&self, _: Route) -> bool {
        true
    }
    fn may_return(&self, _: Route) -> bool {
        false
    }
    fn listens(&self, _: Seat) -> bool {
        true
    }
}

struct Session {
    bridge: Durable,
    posts: u64,
}

impl Session {
    /// Initialized, with everything that a fresh child must be told.
    fn set_up() -> Self {
        let mut session = Self { bridge: Durable::new(Legacy::new(SEAT, 9)), posts: 0 };
        session.client(INITIALIZE);
        session.child(r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}"#);
        session.client(INITIALIZED);
        for request in [
            r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}}"#,
            r#"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"debug","_meta":{"progressToken":1}}}"#,
            r#"{"jsonrpc":"2.0","id":3,"method":"resources/subscribe","params":{"uri":"a:b"}}"#,
            r#"{"jsonrpc":"2.0","id":4,"method":"resources/subscribe","params":{"uri":"c:d"}}"#,
            r#"{"jsonrpc":"2.0","id":5,"method":"resources/unsubscribe","params":{"uri":"a:b"}}"#,
        ] {
            let [Output::ToChild(line)] = &session.client(request)[..] else { panic!() };
            let id = &serde_json::from_slice::<Value>(line).unwrap()["id"];
            session.child(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#));
        }
        session
    }

    fn on(&mut self, event: Event) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.bridge.on(event, Duration::ZERO, &Open, &mut outputs);
        outputs
    }

    fn client(&mut self, body: &str) -> Vec<Output> {
        self.posts += 1;
        let incoming = Incoming::parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let route = Route { seat: SEAT, stream: StreamId(self.posts) };
        self.on(match incoming.requests() {
            0 => Event::Relay { seat: SEAT, incoming },
            _ => Event::Call { route, incoming },
        })
    }

    fn child(&mut self, line: &str) -> Vec<Output> {
        self.on(Event::Child(Message::parse(&Bytes::copy_from_slice(line.as_bytes())).unwrap()))
    }

    fn lose(&mut self) -> Vec<Output> {
        self.on(Event::Lost { message: "it exited".to_owned(), reason: "child_exited" })
    }

    /// What the fresh child is told first, and the id to answer under.
    fn refresh(&mut self) -> Value {
        let [Output::ToChild(line)] = &self.on(Event::Fresh)[..] else { panic!() };
        assert!(!line.contains(&b'\n'));
        serde_json::from_slice(line).unwrap()
    }
}

fn told(outputs: &[Output]) -> Vec<Value> {
    let lines = outputs.iter().filter_map(|output| match output {
        Output::ToChild(line) => Some(serde_json::from_slice(line).unwrap()),
        _ => None,
    });
    lines.collect()
}

fn answer(id: &Value, version: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"{version}"}}}}"#)
}

#[test]
fn an_error_without_an_id_is_the_fresh_childs_answer_to_initialize_and_not_that_to_a_call_that_is_held() {
    let mut session = Session::set_up();
    session.lose();
    session.client(r#"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#);
    session.refresh();
    let refused = session.child(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#);
    assert_eq!(refused, [Output::NotReopened("it refused to initialize")]);
}

#[test]
fn a_fresh_child_is_told_all_that_the_lost_one_was() {
    let mut session = Session::set_up();
    assert!(session.bridge.can_reopen());
    session.lose();
    let first = session.refresh();
    assert_eq!(first["method"], "initialize");
    assert_eq!(first["params"]["capabilities"], serde_json::json!({ "sampling": {} }));
    let outputs = session.child(&answer(&first["id"], "2025-06-18"));
    assert_eq!(outputs.last(), Some(&Output::Reopened));
    let told = told(&outputs);
    let methods: Vec<_> = told.iter().map(|line| line["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["notifications/initialized", "logging/setLevel", "resources/subscribe"]);
    assert_eq!(told[1]["params"], serde_json::json!({ "level": "debug" }));
    assert_eq!(told[2]["params"], serde_json::json!({ "uri": "c:d" }));
    let answers = told[1..].iter().flat_map(|line| session.child(&answer(&line["id"], "x"))).collect::<Vec<_>>();
    assert_eq!(answers, [], "answers to our own requests are nobody's");
}

#[test]
fn calls_in_flight_fail_and_those_that_come_meanwhile_reach_the_fresh_child_in_order() {
    let mut session = Session::set_up();
    session.client(r#"{"jsonrpc":"2.0","id":"lost","method":"tools/call"}"#);
    let outputs = session.lose();
    let [Output::Answer { message, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    let failure: Value = serde_json::from_slice(message).unwrap();
    assert_eq!((&failure["id"], &failure["error"]["code"]), (&"lost".into(), &(-32603).into()));
    assert_eq!(failure["error"]["data"]["reason"], "child_exited");

    assert_eq!(session.client(r#"{"jsonrpc":"2.0","id":"new","method":"tools/call"}"#), []);
    assert_eq!(session.client(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#), []);
    let first = session.refresh();
    let told = told(&session.child(&answer(&first["id"], "2025-06-18")));
    let methods: Vec<_> = told.iter().map(|line| line["method"].as_str().unwrap()).collect();
    assert_eq!(methods[3..], ["tools/call", "notifications/roots/list_changed"]);
    let outputs = session.child(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, told[3]["id"]));
    let [Output::Answer { message, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(message, r#"{"jsonrpc":"2.0","id":"new","result":{}}"#);
}

#[test]
fn a_question_of_the_lost_child_is_withdrawn_and_its_answer_does_not_reach_the_fresh_one() {
    let mut session = Session::set_up();
    let outputs = session.child(r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#);
    let [Output::Say { message, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    let asked: Value = serde_json::from_slice(message).unwrap();
    let outputs = session.lose();
    let [Output::Say { message, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    let withdrawn: Value = serde_json::from_slice(message).unwrap();
    assert_eq!(withdrawn["method"], "notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    let late = session.client(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, asked["id"]));
    assert!(matches!(&late[..], [Output::Stray(_)]), "{late:?}");
}

#[test]
fn a_fresh_child_that_refuses_or_speaks_another_revision_will_not_do() {
    for said in [
        |id: &Value| answer(id, "2025-11-25"),
        |id: &Value| answer(id, "odd"),
        |id: &Value| format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-1,"message":"no"}}}}"#),
    ] {
        let mut session = Session::set_up();
        session.lose();
        let first = session.refresh();
        let outputs = session.child(&said(&first["id"]));
        assert!(matches!(&outputs[..], [Output::NotReopened(_)]), "{outputs:?}");
    }
}

#[test]
fn what_waits_outlives_a_fresh_child_that_is_lost_before_it_is_ready() {
    let mut session = Session::set_up();
    session.lose();
    session.client(r#"{"jsonrpc":"2.0","id":"waits","method":"tools/call"}"#);
    let stale = session.refresh();
    assert_eq!(session.lose(), []);
    let first = session.refresh();
    assert_ne!(stale["id"], first["id"]);
    let outputs = session.child(&answer(&first["id"], "2025-06-18"));
    assert_eq!(told(&outputs).last().unwrap()["method"], "tools/call");
    assert_eq!(outputs.last(), Some(&Output::Reopened));
}

#[test]
fn without_an_answer_to_initialize_there_is_nothing_to_go_on_with() {
    let mut session = Session { bridge: Durable::new(Legacy::new(SEAT, 9)), posts: 0 };
    session.client(INITIALIZE);
    assert!(!session.bridge.can_reopen());
}

#[test]
fn initialized_is_said_once_even_if_the_client_says_it_while_there_is_no_child() {
    let mut session = Session { bridge: Durable::new(Legacy::new(SEAT, 9)), posts: 0 };
    session.client(INITIALIZE);
    session.child(r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}"#);
    session.lose();
    session.client(INITIALIZED);
    let first = session.refresh();
    let told = told(&session.child(&answer(&first["id"], "2025-06-18")));
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn what_is_held_and_what_is_remembered_is_bounded() {
    let mut session = Session::set_up();
    for number in 0..2 * MAX_SUBSCRIPTIONS {
        session.client(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{{"uri":"x:{number}"}}}}"#
        ));
    }
    assert_eq!(session.bridge.subscriptions.len(), MAX_SUBSCRIPTIONS);
    session.lose();
    for _ in 0..2 * MAX_HELD {
        session.client(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
    }
    assert_eq!(session.bridge.held.as_ref().map(Vec::len), Some(MAX_HELD));
    let large =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"x":"{}"}}}}"#, "x".repeat(MAX_PARAMS));
    session.client(&large);
    assert!(!session.bridge.can_reopen());
}
