use super::*;
use crate::mcp::jsonrpc::{Message, Outcome};
use crate::mcp::sse::StreamId;

fn request(text: &str) -> Request {
    match Message::parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn note(text: &str) -> Notification {
    match Message::parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Notification(note)) => note,
        other => panic!("{other:?}"),
    }
}

fn response(text: &str) -> Response {
    match Message::parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

const SEAT: Seat = Seat(1);
const A: Route = Route { seat: SEAT, stream: StreamId(1) };
const B: Route = Route { seat: SEAT, stream: StreamId(2) };

#[test]
fn ids_that_look_alike_get_their_own_answers() {
    let mut ids = Correlator::default();
    let (_, number) = ids.call(&request(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#), A).unwrap();
    let (_, text) = ids.call(&request(r#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#), B).unwrap();
    assert_eq!(number, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    assert_eq!(text, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    let second = ids.answer(response(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#)).unwrap();
    assert_eq!(second, (B, r#"{"jsonrpc":"2.0","id":"1","result":{}}"#.into()));
    let first = ids.answer(response(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#)).unwrap();
    assert_eq!(first, (A, r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#.into()));
}

#[test]
fn an_answer_to_nothing_or_a_second_one_goes_nowhere() {
    let mut ids = Correlator::default();
    ids.call(&request(r#"{"jsonrpc":"2.0","id":"x","method":"ping"}"#), A).unwrap();
    for id in ["9", "\"9\"", "\"x\"", "1.5", "null"] {
        let stray = response(&format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{}}}}"#));
        assert_eq!(ids.answer(stray.clone()), None, "{id}");
    }
    let answer = response(r#"{"jsonrpc":"2.0","id":1,"result":1}"#);
    assert!(ids.answer(answer.clone()).is_some());
    assert_eq!(ids.answer(answer.clone()), None);
}

#[test]
fn progress_returns_under_the_clients_token_on_its_own_stream() {
    let mut ids = Correlator::default();
    for (token, route) in [("\"t\"", A), ("5.0", B)] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"_meta":{{"progressToken":{token}}}}}}}"#
        );
        ids.call(&request(&call), route).unwrap();
    }
    let progress = |token: u64| {
        note(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":0.50}}}}"#
        ))
    };
    let expected =
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":5.0,"progress":0.50}}"#;
    assert_eq!(ids.progress(&progress(2)), Some((B, expected.into())));
    assert_eq!(ids.progress(&progress(1)).unwrap().0, A);
    assert_eq!(ids.progress(&progress(3)), None);
    for spelt in ["\"2\"", "2.0"] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{spelt},"progress":0.50}}}}"#
        );
        assert_eq!(ids.progress(&note(&line)), Some((B, expected.into())), "a server may keep tokens as text");
    }
}

#[test]
fn an_answer_is_known_by_the_number_of_its_call_however_that_is_spelt() {
    let mut ids = Correlator::default();
    for (spelt, route) in [("\"1\"", A), ("2.0", B)] {
        ids.call(&request(r#"{"jsonrpc":"2.0","id":"x","method":"ping"}"#), route).unwrap();
        let answer = response(&format!(r#"{{"jsonrpc":"2.0","id":{spelt},"result":1}}"#));
        assert_eq!(ids.answer(answer), Some((route, r#"{"jsonrpc":"2.0","id":"x","result":1}"#.into())));
    }
}

#[test]
fn an_error_without_an_id_answers_the_only_call_and_only_while_the_child_can_complain_of_nothing_else() {
    let mut ids = Correlator::default();
    let call = |ids: &mut Correlator| ids.call(&request(r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#), A).unwrap().0;
    let about = |ids: &Correlator| {
        let mut error = response(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#);
        ids.attribute(&mut error, |_| true);
        error.answers()
    };
    let answer = |ids: &mut Correlator, number: u64| {
        ids.answer(response(&format!(r#"{{"jsonrpc":"2.0","id":{number},"result":1}}"#))).unwrap();
    };
    assert_eq!(about(&ids), None, "nothing was asked");
    let first = call(&mut ids);
    assert_eq!(about(&ids), Some(first));
    let second = call(&mut ids);
    assert_eq!(about(&ids), None, "one of two");
    answer(&mut ids, first);
    assert_eq!(about(&ids), Some(second));
    ids.note();
    assert_eq!(about(&ids), None, "some servers answer notifications so");
    let third = call(&mut ids);
    answer(&mut ids, second);
    assert_eq!(about(&ids), None, "it was asked before");
    answer(&mut ids, third);
    let fourth = call(&mut ids);
    assert_eq!(about(&ids), Some(fourth), "what came before the third has been read");
    let mut other = response(r#"{"jsonrpc":"2.0","id":"x","error":{}}"#);
    ids.attribute(&mut other, |_| true);
    assert_eq!(other.answers(), None, "an id that is nobody's is one");
}

#[test]
fn a_question_that_must_make_room_for_a_newer_one_is_answered() {
    let mut ids = Correlator::default();
    let mut ask = |id: usize| {
        let text = format!(r#"{{"jsonrpc":"2.0","id":"q{id}","method":"ping"}}"#);
        ids.ask(&request(&text), A).1.map(|line| response(&String::from_utf8_lossy(&line)))
    };
    assert!((0..MAX_QUESTIONS).all(|id| ask(id).is_none()));
    let given_up = ask(MAX_QUESTIONS).unwrap();
    assert_eq!(given_up.id.unwrap().as_bytes(), b"\"q0\"");
    assert!(matches!(given_up.outcome, Outcome::Error(_)));
}

#[test]
fn progress_of_a_task_goes_on_after_its_request_was_answered() {
    let mut ids = Correlator::default();
    let call = |task: &str| {
        request(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{task}"_meta":{{"progressToken":"t"}}}}}}"#
        ))
    };
    ids.call(&call(r#""task":{},"#), A).unwrap();
    ids.call(&call(""), A).unwrap();
    for id in [1, 2] {
        ids.answer(response(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#))).unwrap();
    }
    let progress = |token: u64| {
        note(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token}}}}}"#))
    };
    assert_eq!(ids.progress(&progress(1)).unwrap().0, Route::standalone(SEAT));
    assert_eq!(ids.progress(&progress(2)), None);
}

#[test]
fn cancellations_name_the_receivers_id_in_both_directions() {
    let mut ids = Correlator::default();
    ids.call(&request(r#"{"jsonrpc":"2.0","id":"c","method":"tools/call"}"#), A).unwrap();
    let cancel =
        note(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c","reason":"r"}}"#);
    assert_eq!(ids.cancelled_by_client(&cancel, Seat(2)), None, "another's call");
    let (number, line) = ids.cancelled_by_client(&cancel, SEAT).unwrap();
    assert_eq!(number, 1);
    assert_eq!(line, r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"r"}}"#);

    let (question, _) = ids.ask(&request(r#"{"jsonrpc":"2.0","id":"c","method":"sampling/createMessage"}"#), B);
    assert_eq!(question, r#"{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage"}"#);
    let (route, line) = ids.cancelled_by_child(&cancel).unwrap();
    assert_eq!(route, B);
    assert_eq!(line, r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"r"}}"#);
    assert_eq!(ids.answer_from_client(&response(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#), SEAT), None);
}

#[test]
fn a_clients_answer_reaches_the_child_once_under_the_childs_id() {
    let mut ids = Correlator::default();
    ids.ask(&request(r#"{"jsonrpc":"2.0","id":1.0,"method":"roots/list"}"#), A);
    let answer = response(r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#);
    assert_eq!(ids.answer_from_client(&answer, Seat(2)), None, "another was asked");
    assert_eq!(ids.answer_from_client(&answer, SEAT).unwrap(), r#"{"jsonrpc":"2.0","id":1.0,"result":{"roots":[]}}"#);
    assert_eq!(ids.answer_from_client(&answer, SEAT), None);
}

#[test]
fn questions_belong_to_the_oldest_call_that_can_take_them() {
    let mut ids = Correlator::default();
    for route in [A, B] {
        ids.call(&request(r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#), route).unwrap();
    }
    assert_eq!(ids.oldest(|_| true), Some(A));
    assert_eq!(ids.oldest(|route| route != A), Some(B));
    assert_eq!(ids.abandon_where(|route| route == A).len(), 1);
    assert_eq!(ids.oldest(|_| true), Some(B));
}
