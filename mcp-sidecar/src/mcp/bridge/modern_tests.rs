use std::collections::BTreeSet;

use super::*;
use crate::mcp::jsonrpc::RequestId;
use crate::mcp::route::Seat;
use proptest::prelude::*;

fn at(stream: u64) -> Route {
    Route { seat: Seat(0), stream: StreamId(stream) }
}

fn asked(stream: u64, id: &str, method: &str, meta: &str) -> Event {
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"_meta":{{{meta}}}}}}}"#);
    Event::Call { route: at(stream), incoming: Incoming::parse(&text.into()).unwrap() }
}

fn child(text: &str) -> Event {
    Event::Child(Message::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap())
}

fn on(bridge: &mut Modern, event: Event) -> Vec<Output> {
    on_at(bridge, 0, event)
}

fn on_at(bridge: &mut Modern, second: u64, event: Event) -> Vec<Output> {
    let mut outputs = Vec::new();
    bridge.on(event, Duration::from_secs(second), &mut outputs);
    outputs
}

fn say(stream: u64, message: &str) -> Output {
    Output::Say { route: at(stream), message: Bytes::copy_from_slice(message.as_bytes()) }
}

fn answer(stream: u64, status: u16, message: &str) -> Output {
    Output::Answer { route: at(stream), status, message: Bytes::copy_from_slice(message.as_bytes()) }
}

fn cancelled(number: u64, reason: &str) -> Output {
    Output::ToChild(compose::cancelled(number, reason))
}

const STRAY: Output = Output::Stray("child reported on what is not open");

fn event_of(subscription: &str, name: &str) -> String {
    let meta = format!(r#"{{"io.modelcontextprotocol/subscriptionId":{subscription}}}"#);
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/{name}","params":{{"_meta":{meta},"x":1.50}}}}"#)
}

#[test]
fn two_subscriptions_with_one_id_hear_only_their_own_and_only_after_their_acknowledgement() {
    let mut bridge = Modern::new(9);
    for stream in [1, 2] {
        on(&mut bridge, asked(stream, "\"s\"", "subscriptions/listen", ""));
    }
    assert_eq!(on(&mut bridge, child(&event_of("2", "prompts/list_changed"))), [STRAY]);
    for (number, name) in [("2", "subscriptions/acknowledged"), ("2", "prompts/list_changed")] {
        assert_eq!(on(&mut bridge, child(&event_of(number, name))), [say(2, &event_of("\"s\"", name))]);
    }
    assert_eq!(on(&mut bridge, child(&event_of("1", "prompts/list_changed"))), [STRAY]);
    assert_eq!(on(&mut bridge, child(&event_of("9", "prompts/list_changed"))), [STRAY]);
    assert_eq!(on(&mut bridge, child(&event_of("9", "tools/list_changed"))), [Output::ToolsChanged, STRAY]);
}

#[test]
fn the_result_of_a_subscription_names_the_clients_id() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1.0", "subscriptions/listen", ""));
    let result = |id: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}}}}}}"#
        )
    };
    assert_eq!(on(&mut bridge, child(&result("1"))), [answer(1, 200, &result("1.0"))]);
}

#[test]
fn a_discovery_names_the_revisions_that_are_spoken_here_and_other_results_stay_as_they_are() {
    let mut bridge = Modern::new(9);
    let result =
        |id: &str, versions| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"supportedVersions":{versions}}}}}"#);
    let (all, spoken) = (r#"["2027-01-01","2026-07-28"]"#, r#"["2026-07-28"]"#);
    for (stream, method, told) in [(1, "server/discover", spoken), (2, "tools/call", all)] {
        on(&mut bridge, asked(stream, "\"x\"", method, ""));
        assert_eq!(
            on(&mut bridge, child(&result(&stream.to_string(), all))),
            [answer(stream, 200, &result("\"x\"", told))]
        );
    }
}

#[test]
fn a_subscription_that_the_child_cancels_or_the_sidecar_ends_has_a_result() {
    let closed = r#"{"jsonrpc":"2.0","id":"s","result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"s"}}}"#;
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "\"s\"", "subscriptions/listen", ""));
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(on(&mut bridge, child(cancel)), [answer(1, 200, closed)]);
    on(&mut bridge, asked(2, "\"s\"", "subscriptions/listen", ""));
    assert_eq!(on(&mut bridge, Event::Drain), [answer(2, 200, closed), cancelled(2, "shutting down")]);
    assert_eq!(bridge.in_flight(), 0);
}

#[test]
fn when_the_child_fails_subscriptions_fail_as_calls_do() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "\"s\"", "subscriptions/listen", ""));
    let end = Event::End { message: "over".into(), reason: "child_exited", graceful: false };
    let failed =
        r#"{"jsonrpc":"2.0","id":"s","error":{"code":-32603,"message":"over","data":{"reason":"child_exited"}}}"#;
    assert_eq!(on(&mut bridge, end), [answer(1, 200, failed)]);
}

#[test]
fn the_http_status_of_an_error_is_that_of_the_specification() {
    let mut bridge = Modern::new(9);
    let codes = [(-32601, 404), (-32020, 400), (-32021, 400), (-32022, 400), (-32602, 200), (-32603, 200), (7, 200)];
    for (number, (code, status)) in (1..).zip(codes) {
        on(&mut bridge, asked(number, "1", "x", ""));
        let error = format!(r#"{{"jsonrpc":"2.0","id":{number},"error":{{"code":{code},"message":"m"}}}}"#);
        let told = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#);
        assert_eq!(on(&mut bridge, child(&error)), [answer(number, status, &told)]);
    }
}

#[test]
fn a_request_of_the_child_and_an_initialize_of_a_client_are_refused_here() {
    let mut bridge = Modern::new(9);
    let refused = r#"{"jsonrpc":"2.0","id":"q","error":{"code":-32601,"message":"Method not found"}}"#;
    let question = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;
    assert_eq!(on(&mut bridge, child(question)), [Output::ToChild(refused.into())]);
    assert_eq!(on(&mut bridge, asked(1, "\"q\"", "initialize", "")), [answer(1, 404, refused)]);
    assert_eq!(bridge.in_flight(), 0);
}

const LOGS: &str = r#""io.modelcontextprotocol/logLevel":"info""#;
const LOG_LINE: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1}}"#;

/// It goes to the log of the sidecar.
fn unread() -> Vec<Output> {
    vec![Output::Log(r#"{"data":1}"#.into())]
}

#[test]
fn a_log_message_reaches_the_call_that_asked_for_it_only_while_no_other_is_in_flight() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1", "tools/call", LOGS));
    assert_eq!(on(&mut bridge, child(LOG_LINE)), [say(1, LOG_LINE)]);
    on(&mut bridge, asked(2, "1", "tools/call", ""));
    assert_eq!(on(&mut bridge, child(LOG_LINE)), unread(), "a server may log about what asked for none");
    on(&mut bridge, child(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
    assert_eq!(on(&mut bridge, child(LOG_LINE)), unread(), "this one asked for none");
}

#[test]
fn a_subscription_hears_no_log_message_and_keeps_none_from_a_call() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1", "subscriptions/listen", LOGS));
    assert_eq!(on(&mut bridge, child(LOG_LINE)), unread());
    on(&mut bridge, asked(2, "1", "tools/call", LOGS));
    assert_eq!(on(&mut bridge, child(LOG_LINE)), [say(2, LOG_LINE)]);
}

#[test]
fn what_is_logged_about_a_call_that_was_left_reaches_no_other_for_two_seconds() {
    let silent = Event::Silent { route: at(1), patience: Duration::from_secs(1) };
    for leaves in [Event::Gone(at(1)), silent] {
        let mut bridge = Modern::new(9);
        let logged = |bridge: &mut Modern, second| on_at(bridge, second, child(LOG_LINE));
        on(&mut bridge, asked(1, "1", "tools/call", ""));
        on(&mut bridge, asked(2, "1", "tools/call", LOGS));
        on(&mut bridge, leaves);
        assert_eq!(logged(&mut bridge, 1), unread());
        assert_eq!(logged(&mut bridge, 2), [say(2, LOG_LINE)]);
    }
}

#[test]
fn an_error_without_an_id_fails_the_only_call_beside_subscriptions_that_the_child_has_taken() {
    let mut bridge = Modern::new(9);
    let complaint = || child(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}"#);
    let failed = |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32600,"message":"m"}}}}"#);
    on(&mut bridge, asked(1, "\"s\"", "subscriptions/listen", ""));
    on(&mut bridge, asked(2, "5.0", "tools/call", ""));
    assert!(matches!(&on(&mut bridge, complaint())[..], [Output::Stray(_)]), "it may be about either");
    on(&mut bridge, child(&event_of("1", "subscriptions/acknowledged")));
    assert_eq!(on(&mut bridge, complaint()), [answer(2, 200, &failed("5.0"))]);
    assert!(matches!(&on(&mut bridge, complaint())[..], [Output::Stray(_)]));
}

#[test]
fn a_closed_connection_cancels_its_call_and_a_late_answer_reaches_nobody() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1", "tools/call", ""));
    on(&mut bridge, asked(2, "1", "tools/call", ""));
    let gone = [cancelled(1, "the client closed the connection"), Output::Closed(at(1))];
    assert_eq!(on(&mut bridge, Event::Gone(at(1))), gone);
    let late = child(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(on(&mut bridge, late), [Output::Stray("child answered what nobody asked")]);
    assert_eq!(bridge.in_flight(), 1);
}

#[test]
fn a_clients_cancellation_could_name_anothers_call_and_is_not_passed_on() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1", "tools/call", ""));
    let relay = |text: &str| Event::Relay {
        seat: Seat(0),
        incoming: Incoming::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap(),
    };
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert!(matches!(&on(&mut bridge, relay(cancel))[..], [Output::Stray(_)]));
    let own = r#"{"jsonrpc":"2.0","method":"notifications/example","params":{"a":1.0}}"#;
    assert_eq!(on(&mut bridge, relay(own)), [Output::ToChild(own.into())]);
}

#[test]
fn subscriptions_take_no_room_from_calls() {
    let mut bridge = Modern::new(2);
    let mut is_taken = |stream, method: &str| {
        let outputs = on(&mut bridge, asked(stream, "1", method, ""));
        matches!(outputs[..], [Output::ToChild(_)])
    };
    let listens: Vec<_> = (1..=3).map(|stream| is_taken(stream, "subscriptions/listen")).collect();
    let calls: Vec<_> = (4..=6).map(|stream| is_taken(stream, "tools/call")).collect();
    assert_eq!((listens, calls), (vec![true, true, false], vec![true, true, false]));
}

#[test]
fn a_subscription_may_be_silent_and_a_call_may_not() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1", "subscriptions/listen", ""));
    on(&mut bridge, asked(2, "1", "tools/call", ""));
    let silent = |stream| Event::Silent { route: at(stream), patience: Duration::from_secs(1) };
    assert_eq!(on(&mut bridge, silent(1)), []);
    assert!(matches!(&on(&mut bridge, silent(2))[..], [Output::Answer { .. }, Output::ToChild(_)]));
}

#[test]
fn an_answer_that_is_too_long_fails_its_own_call() {
    let mut bridge = Modern::new(9);
    on(&mut bridge, asked(1, "1", "tools/call", ""));
    on(&mut bridge, asked(2, "1", "tools/call", ""));
    let too_long = |was| Event::Oversized(TooLong { bytes: 9, was });
    assert!(
        matches!(&on(&mut bridge, too_long(Passed::Answer(2)))[..], [Output::Answer { route, .. }] if *route == at(2))
    );
    assert!(matches!(&on(&mut bridge, too_long(Passed::Other))[..], [Output::Stray(_)]));
    let question = Passed::Question(RequestId::parse(b"\"q\"").unwrap());
    let outputs = on(&mut bridge, too_long(question));
    let [Output::ToChild(refused)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(*refused, compose::not_found(&RequestId::parse(b"\"q\"").unwrap()), "here a server may not ask");
    assert_eq!(bridge.in_flight(), 1);
}

#[test]
fn more_calls_than_allowed_are_refused_under_their_own_ids() {
    let mut bridge = Modern::new(1);
    on(&mut bridge, asked(1, "1", "x", ""));
    let outputs = on(&mut bridge, asked(2, "\"mine\"", "x", ""));
    assert!(matches!(&outputs[..], [Output::Refused { why, .. }] if why.body().contains("\"mine\"")), "{outputs:?}");
}

/// What requests carry: id, progress token and kind are few and the same for many clients.
fn any_request() -> impl Strategy<Value = (&'static str, bool)> {
    (prop::sample::select(vec!["1", "\"1\"", "1.0", "\"\\u0031\""]), any::<bool>())
}

proptest! {
    #[test]
    fn no_message_crosses_streams_even_with_equal_ids_tokens_and_subscriptions(
        requests in prop::collection::vec(any_request(), 1..20),
        order in any::<prop::sample::Selector>(),
    ) {
        let mut bridge = Modern::new(100);
        for (stream, (id, listens)) in (1..).zip(&requests) {
            let method = if *listens { "subscriptions/listen" } else { "tools/call" };
            let outputs = on(&mut bridge, asked(stream, id, method, &format!(r#""progressToken":{id}"#)));
            let expected = format!(r#"{{"jsonrpc":"2.0","id":{stream},"method":"{method}","params":{{"_meta":{{"progressToken":{stream}}}}}}}"#);
            prop_assert_eq!(outputs, [Output::ToChild(expected.into())]);
        }
        let mut left: BTreeSet<u64> = (1..=requests.len() as u64).collect();
        while !left.is_empty() {
            let number = *order.select(&left);
            left.remove(&number);
            let (id, listens) = requests[number as usize - 1];
            let ours = number.to_string();
            let progress = |token: &str| format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token}}}}}"#);
            prop_assert_eq!(on(&mut bridge, child(&progress(&ours))), [say(number, &progress(id))]);
            let acknowledged = on(&mut bridge, child(&event_of(&ours, "subscriptions/acknowledged")));
            let heard = say(number, &event_of(id, "subscriptions/acknowledged"));
            prop_assert_eq!(acknowledged, [if listens { heard } else { STRAY }]);
            let result = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"of":{number}}}}}"#);
            prop_assert_eq!(on(&mut bridge, child(&result(&ours))), [answer(number, 200, &result(id))]);
        }
    }
}
