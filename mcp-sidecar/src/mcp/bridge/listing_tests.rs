use super::super::modern::Modern;
use super::super::{Bridge, Event};
use super::*;
use crate::mcp::jsonrpc::{Incoming, Message};
use crate::mcp::lines::TooLong;
use crate::mcp::route::{Route, Seat};
use crate::mcp::skim::Passed;
use crate::mcp::sse::StreamId;

struct Nobody;

impl super::super::Audience for Nobody {
    fn hears(&self, _: Route) -> bool {
        false
    }

    fn may_return(&self, _: Route) -> bool {
        false
    }

    fn listens(&self, _: Seat) -> bool {
        false
    }
}

fn on(bridge: &mut Bridge, event: Event) -> Vec<Output> {
    let mut outputs = Vec::new();
    bridge.on(event, std::time::Duration::ZERO, &Nobody, &mut outputs);
    outputs
}

fn child(text: &str) -> Event {
    Event::Child(Message::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap())
}

fn asked(outputs: &[Output]) -> serde_json::Value {
    match outputs.last() {
        Some(Output::ToChild(line)) => serde_json::from_slice(line).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_pages_are_asked_for_one_after_the_other_and_only_once() {
    let mut bridge = Bridge::Modern(Modern::new(9));
    let first = asked(&on(&mut bridge, Event::ListTools));
    assert_eq!((&first["id"], &first["params"]["cursor"]), (&json!(1), &json!(null)));
    assert_eq!(first["params"]["_meta"], modern_meta());
    assert_eq!(on(&mut bridge, Event::ListTools), [], "it is under way");
    let outputs = on(&mut bridge, child(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"c"}}"#));
    assert_eq!(outputs[0], Output::Tools(r#"{"tools":[],"nextCursor":"c"}"#.into()));
    let second = asked(&outputs);
    assert_eq!((&second["id"], &second["params"]["cursor"]), (&json!(2), &json!("c")));
    let outputs = on(&mut bridge, child(r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[1]}}"#));
    assert_eq!(outputs, [Output::Tools(r#"{"tools":[1]}"#.into()), Output::AllTools]);
    assert_eq!(bridge.in_flight(), 0);
}

#[test]
fn a_list_that_was_not_answered_is_asked_for_anew_once_the_tools_have_changed() {
    let mut bridge = Bridge::Modern(Modern::new(9));
    on(&mut bridge, Event::ListTools);
    on(&mut bridge, child(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#));
    let outputs = on(&mut bridge, Event::ListTools);
    assert_eq!(outputs[0], Output::ToChild(compose::cancelled(1, "the tools have changed")));
    assert_eq!(asked(&outputs)["id"], 2);
    assert_eq!(on(&mut bridge, Event::ListTools), [], "it is under way");
    let late = on(&mut bridge, child(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#));
    assert!(matches!(late[..], [Output::Stray(_)]), "{late:?}");
}

#[test]
fn a_page_that_is_too_long_is_the_last_one() {
    let mut bridge = Bridge::Modern(Modern::new(9));
    on(&mut bridge, Event::ListTools);
    let line = TooLong { bytes: 9, was: Passed::Answer(1) };
    assert_eq!(on(&mut bridge, Event::Oversized(line)), [Output::AllTools]);
}

#[test]
fn a_server_that_lists_nothing_or_without_end_is_asked_no_further() {
    let mut bridge = Bridge::Modern(Modern::new(9));
    on(&mut bridge, Event::ListTools);
    assert_eq!(on(&mut bridge, child(r#"{"jsonrpc":"2.0","id":1,"error":{}}"#)), [Output::AllTools]);
    let mut outputs = on(&mut bridge, Event::ListTools);
    let mut pages = 0;
    while !matches!(outputs.last(), Some(Output::AllTools)) {
        let answer = json!({ "jsonrpc": "2.0", "id": asked(&outputs)["id"], "result": { "nextCursor": "c" } });
        outputs = on(&mut bridge, child(&answer.to_string()));
        pages += 1;
    }
    assert_eq!(pages, MAX_PAGES);
}

#[test]
fn what_a_client_is_told_of_the_tools_is_overheard() {
    let mut bridge = Bridge::Modern(Modern::new(9));
    let route = |stream| Route { seat: Seat(0), stream: StreamId(stream) };
    let all = (1, "{}", "{}", true);
    let page = (2, r#"{"cursor":"c"}"#, "{}", false);
    let more = (3, "{}", r#"{"nextCursor":"c"}"#, false);
    for (number, params, result, complete) in [all, page, more] {
        let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        let incoming = Incoming::parse(&request.into()).unwrap();
        on(&mut bridge, Event::Call { route: route(number), incoming });
        let outputs = on(&mut bridge, child(&format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{result}}}"#)));
        assert_eq!(outputs.contains(&Output::AllTools), complete);
        assert!(outputs.contains(&Output::Tools(Bytes::copy_from_slice(result.as_bytes()))));
        assert!(matches!(outputs.last(), Some(Output::Answer { .. })), "{outputs:?}");
    }
}
