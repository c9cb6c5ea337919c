use super::*;
use crate::mcp::jsonrpc::RequestId;
use crate::mcp::skim::Passed;
use serde_json::{Value, json};

const A: Seat = Seat(1);
const B: Seat = Seat(2);

fn message(value: &Value) -> Message {
    Message::parse(&value.to_string().into()).unwrap()
}

fn on(hub: &mut Shared, event: Event) -> Vec<Output> {
    on_at(hub, 0, event)
}

fn on_at(hub: &mut Shared, millis: u64, event: Event) -> Vec<Output> {
    let mut outputs = Vec::new();
    hub.on(event, Duration::from_millis(millis), &mut outputs);
    outputs
}

fn asks(hub: &mut Shared, seat: Seat, id: u64, method: &str, params: Value) -> Vec<Output> {
    on(hub, Event::Said(seat, message(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))))
}

fn child(hub: &mut Shared, mut value: Value) -> Vec<Output> {
    value["jsonrpc"] = "2.0".into();
    on(hub, Event::Child(message(&value)))
}

/// Who is told what.
fn told(outputs: &[Output]) -> Vec<(Option<Seat>, Value)> {
    let read = |line: &Bytes| serde_json::from_slice(line).unwrap();
    let tell = |output: &Output| match output {
        Output::ToChild(line) => Some((None, read(line))),
        Output::ToSeat(seat, line) => Some((Some(*seat), read(line))),
        Output::TooLong(..) | Output::Stray(_) => None,
    };
    outputs.iter().filter_map(tell).collect()
}

fn one(outputs: &[Output]) -> (Option<Seat>, Value) {
    match &told(outputs)[..] {
        [one] => one.clone(),
        other => panic!("{other:?}"),
    }
}

/// Two seats; the first can be asked for roots, the second for nothing.
fn two() -> Shared {
    let mut hub = Shared::default();
    for (seat, capabilities) in [(A, json!({ "roots": {} })), (B, json!({}))] {
        on(&mut hub, Event::Joined(seat));
        let outputs = asks(&mut hub, seat, 1, "initialize", json!({ "capabilities": capabilities }));
        if seat == A {
            let (_, asked) = one(&outputs);
            child(&mut hub, json!({ "id": asked["id"], "result": { "protocolVersion": "2025-11-25" } }));
        }
    }
    hub
}

#[test]
fn initialize_reaches_the_child_once_and_its_answer_everybody_even_those_who_came_before_it() {
    let mut hub = Shared::default();
    for seat in [A, B] {
        on(&mut hub, Event::Joined(seat));
    }
    let (_, asked) = one(&asks(&mut hub, A, 5, "initialize", json!({})));
    assert_eq!(asks(&mut hub, B, 6, "initialize", json!({})), []);
    let answered = told(&child(&mut hub, json!({ "id": asked["id"], "result": { "v": 1.0 } })));
    let expected = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "result": { "v": 1.0 } });
    assert_eq!(answered, [(Some(A), expected(5)), (Some(B), expected(6))]);
    on(&mut hub, Event::Joined(Seat(3)));
    assert_eq!(one(&asks(&mut hub, Seat(3), 7, "initialize", json!({}))), (Some(Seat(3)), expected(7)));
    let initialized = message(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert_eq!(on(&mut hub, Event::Said(A, initialized.clone())).len(), 1);
    assert_eq!(on(&mut hub, Event::Said(B, initialized)), []);
}

#[test]
fn a_refused_initialize_is_tried_anew_for_the_next_and_one_whose_asker_left_serves_the_others() {
    let mut hub = Shared::default();
    for seat in [A, B] {
        on(&mut hub, Event::Joined(seat));
        asks(&mut hub, seat, 5, "initialize", json!({ "of": seat.0 }));
    }
    let outputs = told(&child(&mut hub, json!({ "id": 1, "error": { "code": 1 } })));
    assert_eq!((outputs[0].0, &outputs[1].1["params"]), (Some(A), &json!({ "of": 2 })));
    assert_eq!(on(&mut hub, Event::Left(B)), [], "what is under way serves who comes next");
    assert_eq!(asks(&mut hub, A, 6, "initialize", json!({})), []);
    let outputs = told(&child(&mut hub, json!({ "id": 2, "result": {} })));
    assert_eq!(outputs.last().unwrap().0, Some(A));
}

fn question() -> Value {
    json!({ "jsonrpc": "2.0", "id": "q", "method": "roots/list" })
}

/// The reason that the child gets instead of an answer.
fn refused(outputs: &[Output]) -> Value {
    let (to, refused) = one(outputs);
    assert_eq!((to, &refused["id"]), (None, &json!("q")));
    refused["error"]["data"]["reason"].clone()
}

#[test]
fn an_initialize_whose_answer_is_too_long_fails_for_its_asker_and_the_next_asks_anew() {
    let mut hub = Shared::default();
    for seat in [A, B] {
        on(&mut hub, Event::Joined(seat));
        asks(&mut hub, seat, 5, "initialize", json!({ "of": seat.0 }));
    }
    let line = |number| TooLong { bytes: 7, was: Passed::Answer(number) };
    let outputs = on(&mut hub, Event::Oversized(line(1)));
    assert_eq!(outputs[0], Output::TooLong(A, line(5)));
    assert_eq!(one(&outputs).1["params"], json!({ "of": 2 }));
}

#[test]
fn a_question_goes_to_the_only_client_that_calls_and_back_only_from_there() {
    let mut hub = two();
    assert_eq!(refused(&child(&mut hub, question())), "client_unknown", "nobody calls, two could be meant");
    let (_, call) = one(&asks(&mut hub, A, 9, "tools/call", json!({})));
    asks(&mut hub, A, 10, "tools/call", json!({}));
    let (to, asked) = one(&child(&mut hub, question()));
    assert_eq!((to, &asked["method"]), (Some(A), &json!("roots/list")));
    let answer = |seat| Event::Said(seat, message(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": {} })));
    assert_eq!(told(&on(&mut hub, answer(B))), []);
    assert_eq!(one(&on(&mut hub, answer(A))), (None, json!({ "jsonrpc": "2.0", "id": "q", "result": {} })));
    assert_eq!(told(&on(&mut hub, answer(A))), [], "answered is answered");
    assert_eq!(one(&child(&mut hub, json!({ "id": call["id"], "result": {} }))).0, Some(A));
}

#[test]
fn a_question_that_could_be_about_calls_of_two_clients_is_refused_at_once_and_says_what_helps() {
    let mut hub = two();
    asks(&mut hub, A, 9, "tools/call", json!({}));
    let (_, other) = one(&asks(&mut hub, B, 9, "tools/call", json!({})));
    let outputs = child(&mut hub, question());
    assert_eq!(refused(&outputs), "client_unknown");
    assert!(one(&outputs).1["error"]["message"].as_str().unwrap().contains("--isolation session"));
    let ping = json!({ "id": "p", "method": "ping" });
    assert_eq!(one(&child(&mut hub, ping)), (None, json!({ "jsonrpc": "2.0", "id": "p", "result": {} })));
    child(&mut hub, json!({ "id": other["id"], "result": {} }));
    assert_eq!(one(&child(&mut hub, question())).0, Some(A), "only it calls now");
}

#[test]
fn a_question_that_a_client_has_not_declared_is_refused_in_its_name() {
    let mut hub = two();
    asks(&mut hub, B, 9, "tools/call", json!({}));
    let (to, refused) = one(&child(&mut hub, question()));
    assert_eq!((to, &refused["error"]["code"]), (None, &json!(-32601)));
}

#[test]
fn what_is_about_a_task_is_not_taken_for_the_call_that_happens_to_be_in_flight() {
    let mut hub = two();
    asks(&mut hub, A, 9, "tools/call", json!({}));
    let about = json!({ "_meta": { "io.modelcontextprotocol/related-task": { "taskId": "t" } } });
    let asked = json!({ "id": "q", "method": "roots/list", "params": about });
    assert_eq!(refused(&child(&mut hub, asked)), "client_unknown");
    let status = json!({ "method": "notifications/tasks/status", "params": { "taskId": "t" } });
    assert_eq!(told(&child(&mut hub, status.clone())), []);
    on(&mut hub, Event::Left(B));
    assert_eq!(one(&child(&mut hub, status)).0, Some(A));
}

#[test]
fn a_cancelled_call_counts_for_two_seconds_more_and_its_late_answer_reaches_nobody() {
    let mut hub = two();
    let (_, dead) = one(&asks(&mut hub, B, 9, "tools/call", json!({})));
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } });
    let (to, told_child) = one(&on(&mut hub, Event::Said(B, message(&cancel))));
    assert_eq!((to, &told_child["params"]["requestId"]), (None, &dead["id"]));
    asks(&mut hub, A, 9, "tools/call", json!({}));
    let asked = |hub: &mut Shared, at| on_at(hub, at, Event::Child(message(&question())));
    assert_eq!(refused(&asked(&mut hub, 1999)), "client_unknown", "the child may not know it yet");
    assert_eq!(one(&asked(&mut hub, 2000)).0, Some(A));
    assert_eq!(hub.ids.in_flight(), 1);
    assert_eq!(told(&child(&mut hub, json!({ "id": dead["id"], "result": {} }))), []);
}

#[test]
fn initialize_cannot_be_cancelled_while_others_wait_for_its_answer() {
    let mut hub = Shared::default();
    for seat in [A, B] {
        on(&mut hub, Event::Joined(seat));
        asks(&mut hub, seat, 5, "initialize", json!({}));
    }
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 5 } });
    assert_eq!(on(&mut hub, Event::Said(A, message(&cancel))), []);
    on(&mut hub, Event::Left(A));
    let answer = message(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    assert_eq!(one(&on_at(&mut hub, 60_000, Event::Child(answer))).0, Some(B));
}

#[test]
fn a_change_is_told_to_all_a_resource_to_who_subscribed_and_a_log_line_only_when_its_reader_is_certain() {
    let mut hub = two();
    let heard = |hub: &mut Shared, method: &str, params: Value| {
        let outputs = child(hub, json!({ "method": format!("notifications/{method}"), "params": params }));
        told(&outputs).into_iter().filter_map(|(seat, _)| seat).collect::<Vec<_>>()
    };
    assert_eq!(heard(&mut hub, "tools/list_changed", json!({})), [A, B]);
    let (_, asked) = one(&asks(&mut hub, B, 2, "resources/subscribe", json!({ "uri": "file:///a" })));
    assert_eq!(heard(&mut hub, "resources/updated", json!({ "uri": "file:///a" })), [], "not subscribed yet");
    child(&mut hub, json!({ "id": asked["id"], "result": {} }));
    assert_eq!(heard(&mut hub, "resources/updated", json!({ "uri": "file:///a" })), [B]);
    assert_eq!(heard(&mut hub, "resources/updated", json!({ "uri": "file:///a/b" })), [B]);
    assert_eq!(heard(&mut hub, "resources/updated", json!({ "uri": "file:///ab" })), []);
    assert_eq!(heard(&mut hub, "message", json!({ "level": "info" })), [], "nobody called");
    asks(&mut hub, A, 3, "tools/call", json!({}));
    assert_eq!(heard(&mut hub, "message", json!({ "level": "info" })), [A]);
    asks(&mut hub, A, 4, "logging/setLevel", json!({ "level": "error" }));
    assert_eq!(heard(&mut hub, "message", json!({ "level": "info" })), []);
    asks(&mut hub, B, 3, "tools/call", json!({}));
    assert_eq!(heard(&mut hub, "message", json!({ "level": "error" })), []);
}

#[test]
fn the_child_is_told_of_a_subscription_by_the_first_and_of_its_end_by_the_last() {
    let mut hub = two();
    let uri = || json!({ "uri": "u" });
    let (to, asked) = one(&asks(&mut hub, A, 2, "resources/subscribe", uri()));
    assert_eq!(to, None);
    child(&mut hub, json!({ "id": asked["id"], "result": {} }));
    let done = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    assert_eq!(one(&asks(&mut hub, B, 3, "resources/subscribe", uri())), (Some(B), done(3)));
    assert_eq!(one(&asks(&mut hub, A, 4, "resources/unsubscribe", uri())), (Some(A), done(4)));
    let (to, last) = one(&on(&mut hub, Event::Left(B)));
    assert_eq!((to, &last["method"], &last["params"]), (None, &json!("resources/unsubscribe"), &uri()));
}

#[test]
fn the_child_logs_as_the_most_verbose_of_its_sessions_wants() {
    let mut hub = two();
    let sets = |hub: &mut Shared, seat, level: &str| {
        one(&asks(hub, seat, 2, "logging/setLevel", json!({ "level": level }))).1["params"]["level"].clone()
    };
    assert_eq!(sets(&mut hub, A, "warning"), "warning");
    assert_eq!(sets(&mut hub, B, "debug"), "debug");
    assert_eq!(sets(&mut hub, A, "error"), "debug");
    let (_, lowered) = told(&on(&mut hub, Event::Left(B))).pop().unwrap();
    assert_eq!((&lowered["method"], &lowered["params"]["level"]), (&json!("logging/setLevel"), &json!("error")));
}

#[test]
fn who_leaves_cancels_what_it_asked_and_leaves_no_question_open() {
    let mut hub = two();
    let (_, call) = one(&asks(&mut hub, A, 9, "tools/call", json!({})));
    child(&mut hub, json!({ "id": "q", "method": "roots/list" }));
    let outputs = told(&on(&mut hub, Event::Left(A)));
    assert_eq!(outputs[0].1["params"]["requestId"], call["id"]);
    assert_eq!((&outputs[1].1["id"], &outputs[1].1["error"]["code"]), (&json!("q"), &json!(-32603)));
    asks(&mut hub, B, 9, "tools/call", json!({}));
    assert_eq!(refused(&child(&mut hub, question())), "client_unknown", "it may be about the call that was left");
    assert_eq!(told(&child(&mut hub, json!({ "id": call["id"], "result": {} }))), []);
}

#[test]
fn an_error_without_an_id_fails_the_only_call_of_all_sessions() {
    let mut hub = two();
    let complaint = || json!({ "id": null, "error": { "code": -32600 } });
    asks(&mut hub, A, 9, "tools/call", json!({}));
    let (_, other) = one(&asks(&mut hub, B, 9, "tools/call", json!({})));
    assert_eq!(told(&child(&mut hub, complaint())), []);
    child(&mut hub, json!({ "id": other["id"], "result": {} }));
    let failed = json!({ "jsonrpc": "2.0", "id": 9, "error": { "code": -32600 } });
    assert_eq!(one(&child(&mut hub, complaint())), (Some(A), failed));
}

#[test]
fn nobody_can_list_the_tasks_of_all() {
    let mut hub = two();
    let (to, refused) = one(&asks(&mut hub, A, 9, "tasks/list", json!({})));
    assert_eq!((to, &refused["id"], &refused["error"]["code"]), (Some(A), &json!(9), &json!(-32601)));
}

#[test]
fn an_answer_that_is_too_long_fails_the_call_of_its_seat() {
    let mut hub = two();
    let (_, call) = one(&asks(&mut hub, B, 9, "tools/call", json!({})));
    let line = |was| TooLong { bytes: 7, was };
    let answer = line(Passed::Answer(call["id"].as_u64().unwrap()));
    assert_eq!(on(&mut hub, Event::Oversized(answer)), [Output::TooLong(B, line(Passed::Answer(9)))]);
    assert!(matches!(&on(&mut hub, Event::Oversized(line(Passed::Other)))[..], [Output::Stray(_)]));
    let question = line(Passed::Question(RequestId::parse(b"\"q\"").unwrap()));
    let (to, refused) = one(&on(&mut hub, Event::Oversized(question)));
    assert_eq!((to, &refused["id"], &refused["error"]["code"]), (None, &json!("q"), &json!(-32600)));
}

#[path = "shared_world_tests.rs"]
mod world;
