//! Messages on their way through: ids exact, params and results untouched, one line each, answers to whoever asked.

use std::collections::BTreeMap;

use bytes::Bytes;
use mcp_sidecar::mcp::{
    compose,
    correlate::Correlator,
    jsonrpc::{Incoming, MAX_BATCH, Malformed, Message, Notification, Outcome, Request, RequestId, Response},
    route::{Route, Seat},
    sse::StreamId,
    unreadable,
};
use serde_json::value::RawValue;

const SEATS: [Seat; 2] = [Seat(1), Seat(2)];

/// The body of a POST, or a line of a child.
pub fn message(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let line = Incoming::parse_line(&body);
    let incoming = match Incoming::parse(&body) {
        Ok(incoming) => incoming,
        Err(Malformed::TooDeep) => return assert!(line.is_ok(), "a child may nest"),
        Err(_) if line.as_ref().is_ok_and(|line| line.messages().len() > MAX_BATCH) => return,
        Err(why) => {
            assert_eq!(line, Err(why));
            return unreadable_answer(&body, why);
        }
    };
    assert_eq!(line.as_ref(), Ok(&incoming));
    if let Incoming::Single(single) = &incoming {
        assert_eq!(Message::parse(&body).as_ref(), Ok(single), "a line is read as a body is");
        // serde_json is the second opinion.
        let text = std::str::from_utf8(bytes).expect("JSON is UTF-8");
        as_sent(single, &members(text.strip_prefix('\u{feff}').unwrap_or(text)));
    }
    let mut ids = Correlator::default();
    for message in incoming.messages() {
        match message {
            Message::Request(request) => {
                called(&mut ids, request);
                asked(&mut ids, request);
            }
            Message::Notification(note) => drop((ids.progress(note), ids.cancelled_by_client(note, SEATS[0]))),
            Message::Response(response) => {
                assert_eq!(ids.answer(response.clone()), None, "nobody asked");
                assert_eq!(ids.answer_from_client(response, SEATS[0]), None, "nobody asked");
            }
        }
    }
    assert_eq!(ids.in_flight(), 0);
}

/// What a client hears in the place of an answer that cannot be read can be.
fn unreadable_answer(line: &Bytes, why: Malformed) {
    let batch: Option<Vec<&RawValue>> = serde_json::from_slice(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)).ok();
    let instead = unreadable::in_place_of(line, why);
    assert!(instead.len() <= batch.as_ref().map_or(1, Vec::len), "of each member at most one");
    for message in instead.into_iter().take_while(|_| batch.is_none()) {
        let Message::Response(Response { id: Some(id), outcome: outcome @ Outcome::Error(_) }) = message else {
            panic!("an error under an id: {message:?}")
        };
        assert!(id.as_issued().is_some(), "a number of ours");
        assert!(matches!(one_line(&compose::response(b"\"its\"", outcome)), Message::Response(_)));
    }
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn members(object: &str) -> Members<'_> {
    serde_json::from_str(object).expect("a message is an object")
}

fn as_sent(message: &Message, sent: &Members<'_>) {
    let is = |name: &str, bytes: Option<&[u8]>| {
        assert_eq!(sent.get(name).map(|value| value.get().as_bytes()), bytes, "{name}");
    };
    match message {
        Message::Request(Request { id, params, .. }) => {
            is("id", Some(id.as_bytes()));
            is("params", params.as_deref());
        }
        Message::Notification(Notification { params, .. }) => is("params", params.as_deref()),
        Message::Response(Response { id, outcome }) => {
            assert!(id.as_ref().is_none_or(|id| sent["id"].get().as_bytes() == id.as_bytes()));
            match outcome {
                Outcome::Result(result) => is("result", Some(result)),
                Outcome::Error(error) => is("error", Some(error)),
            }
        }
    }
}

/// Down to a child that returns its params, and back.
fn called(ids: &mut Correlator, request: &Request) {
    let [first, second] = SEATS.map(|seat| Route { seat, stream: StreamId(1) });
    let Ok((_, line)) = ids.call(request, first) else { return };
    let (_, again) = ids.call(request, second).expect("it was fine before");
    for (line, route) in [(again, second), (line, first)] {
        let Message::Request(seen) = one_line(&line) else { panic!("a request stays one: {line:?}") };
        assert_eq!(seen.method, request.method);
        assert!(seen.id != request.id || seen.id.as_issued().is_some(), "the client's id reached the child");
        let number = seen.id.as_issued().expect("a number of ours");
        let expected = request.params.as_ref().map(|params| with_token(params, number));
        assert_eq!(seen.params.as_deref(), expected.as_deref().map(str::as_bytes));
        progressed(ids, request, number, route);

        let echoed = seen.params.unwrap_or_else(|| "null".into());
        // Some servers keep ids as text.
        let id = if route == first { seen.id } else { spelt(&format!("\"{number}\"")) };
        let answer = |result: &Bytes| Response { id: Some(id.clone()), outcome: Outcome::Result(result.clone()) };
        let (to, reply) = ids.answer(answer(&echoed)).expect("it was asked");
        assert_eq!(ids.answer(answer(&echoed)), None, "a second answer goes nowhere");
        answered(&reply, request, &echoed);
        assert_eq!(to, route);
    }
}

/// Up to a client that returns its params, and back.
fn asked(ids: &mut Correlator, request: &Request) {
    let (line, given_up) = ids.ask(request, Route::standalone(SEATS[0]));
    assert_eq!(given_up, None, "there is room");
    let Message::Request(seen) = one_line(&line) else { panic!("a request stays one: {line:?}") };
    let params = request.params.as_ref().map(|params| on_one_line(text(params)));
    assert_eq!(seen.params.as_deref(), params.as_deref().map(str::as_bytes));
    let echoed = seen.params.unwrap_or_else(|| "null".into());
    let outcome = if echoed.starts_with(b"{") { Outcome::Error } else { Outcome::Result };
    let answer = Response { id: Some(seen.id), outcome: outcome(echoed.clone()) };
    assert_eq!(ids.answer_from_client(&answer, SEATS[1]), None, "another was asked");
    let reply = ids.answer_from_client(&answer, SEATS[0]).expect("it was asked");
    assert_eq!(ids.answer_from_client(&answer, SEATS[0]), None, "a second answer goes nowhere");
    answered(&reply, request, &echoed);
}

fn answered(reply: &Bytes, request: &Request, with: &Bytes) {
    let Message::Response(Response { id, outcome: Outcome::Result(value) | Outcome::Error(value) }) = one_line(reply)
    else {
        panic!("an answer stays one: {reply:?}")
    };
    assert_eq!((id.as_ref(), &value), (Some(&request.id), with));
}

/// Progress under our number, however that is spelt, returns under the client's own token.
fn progressed(ids: &Correlator, request: &Request, number: u64, route: Route) {
    let text_of = |token: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progress":0.10,"progressToken":{token}}}}}"#
        )
    };
    let token = request.params.as_ref().and_then(|params| token(text(params)));
    let expected = token.map(|token| (route, text_of(token).into()));
    for spelt in [number.to_string(), format!("\"{number}\""), format!("{number}.0")] {
        let Message::Notification(note) = one_line(&text_of(&spelt).into()) else { unreachable!() };
        assert_eq!(ids.progress(&note), expected);
    }
}

fn spelt(id: &str) -> RequestId {
    RequestId::parse(id.as_bytes()).expect("an id")
}

fn one_line(line: &Bytes) -> Message {
    assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "{line:?}");
    Message::parse(line).expect("what is passed on can be read")
}

fn text(json: &Bytes) -> &str {
    std::str::from_utf8(json).expect("JSON is UTF-8")
}

fn on_one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

fn with_token(params: &Bytes, number: u64) -> String {
    let params = text(params);
    let Some(token) = token(params) else { return on_one_line(params) };
    let start = token.as_ptr() as usize - params.as_ptr() as usize;
    let mut edited = params.to_owned();
    edited.replace_range(start..start + token.len(), &number.to_string());
    on_one_line(&edited)
}

/// `_meta.progressToken`, if it is text or a number.
fn token(params: &str) -> Option<&str> {
    let meta: Members<'_> = serde_json::from_str(params).ok()?;
    let meta: Members<'_> = serde_json::from_str(meta.get("_meta")?.get()).ok()?;
    let token = meta.get("progressToken")?.get();
    (!token.starts_with(['{', '[', 't', 'f', 'n'])).then_some(token)
}
