use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Incoming, Malformed> {
    Incoming::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

fn request(text: &str) -> Request {
    match parse(text) {
        Ok(Incoming::Single(Message::Request(request))) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_three_kinds_of_message_are_told_apart() {
    let call = request(r#" {"jsonrpc":"2.0","id":7,"method":"ping","params":{"a": 1 }} "#);
    assert_eq!((call.id.as_bytes(), call.params.as_deref()), (&b"7"[..], Some(&br#"{"a": 1 }"#[..])));
    assert!(call.method.is("ping"));
    assert!(matches!(parse(r#"{"jsonrpc":"2.0","method":"x"}"#), Ok(Incoming::Single(Message::Notification(_)))));
    let Ok(Incoming::Single(Message::Response(answer))) = parse(r#"{"jsonrpc":"2.0","id":"a","result":null}"#) else {
        panic!("a null result is a result");
    };
    assert_eq!(answer.outcome, Outcome::Result("null".into()));
    let Ok(Incoming::Single(Message::Response(error))) = parse(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#) else {
        panic!("an error may have no id");
    };
    assert_eq!(error.id, None);
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    for text in ["", "{", "nonsense", "{\"jsonrpc\":\"2.0\",}", "{} {}", "{\"a\":\"\u{0}\"}", "{\"a\":\"line\nbreak\"}"]
    {
        assert_eq!(parse(text).unwrap_err(), Malformed::NotJson, "{text}");
    }
    let not_utf8 = Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}");
    assert_eq!(Incoming::parse(&not_utf8).unwrap_err(), Malformed::NotJson);
}

#[test]
fn what_is_json_but_no_message_is_an_invalid_request() {
    for text in [
        "1",
        "null",
        "\"x\"",
        "{}",
        "[]",
        "[1]",
        "[[]]",
        r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#,
        r#"{"id":1,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"x"}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1,"\u0069d":2,"method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","result":1}"#,
        r#"["2.0",1,"x"]"#,
    ] {
        assert!(matches!(parse(text), Err(Malformed::NotJsonRpc(_))), "{text}: {:?}", parse(text));
    }
}

#[test]
fn a_member_that_is_null_is_none_and_a_byte_order_mark_is_nothing() {
    let same = |odd: &str, plain: &str| assert_eq!(parse(odd), Ok(parse(plain).unwrap()), "{odd}");
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    same(r#"{"jsonrpc":"2.0","id":1,"method":null,"params":null,"result":{},"error":null}"#, result);
    same(r#"{"jsonrpc":"2.0","id":1,"result":null,"error":null}"#, r#"{"jsonrpc":"2.0","id":1,"result":null}"#);
    same(r#"{"jsonrpc":"2.0","id":1,"result":null,"error":{}}"#, r#"{"jsonrpc":"2.0","id":1,"error":{}}"#);
    let asked = r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#;
    same(r#"{"jsonrpc":"2.0","id":1,"method":"x","result":null,"error":null}"#, asked);
    same(&format!("\u{feff}{result}"), result);
    same(&format!("\u{feff} [{result}]"), &format!("[{result}]"));
    assert_eq!(parse(&format!("\u{feff}\u{feff}{result}")), Err(Malformed::NotJson));
}

#[test]
fn ids_keep_their_exact_text() {
    for id in ["1", "\"1\"", "1.0", "-0", "1e3", "123456789012345678901234567890", "\"\\u0031\"", "\"\u{e9}\""] {
        let text = format!(r#"{{"jsonrpc":"2.0","id": {id} ,"method":"x"}}"#);
        assert_eq!(request(&text).id.as_bytes(), id.as_bytes());
    }
}

#[test]
fn a_method_is_known_however_it_is_escaped() {
    let call = request(r#"{"jsonrpc":"2.0","id":1,"method":"initi\u0061lize"}"#);
    assert!(call.method.is("initialize"));
    assert_eq!(call.method.as_json(), b"\"initialize\"");
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"brackets":"[[[\"[","a":{open}{close}}}}}"#)
    };
    assert!(parse(&nested(MAX_DEPTH - 2)).is_ok());
    assert_eq!(parse(&nested(MAX_DEPTH - 1)).unwrap_err(), Malformed::TooDeep);
    assert_eq!(parse(&nested(1_000_000)).unwrap_err(), Malformed::TooDeep);
}

#[test]
fn a_line_of_a_child_may_nest_as_deeply_as_it_likes_alone_or_in_a_batch() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let answer = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{deep}}}"#);
    for (line, messages) in [(answer.clone(), 1), (format!("[{answer},{answer}]"), 2)] {
        let read: Vec<Message> = Incoming::parse_line(&line.clone().into()).unwrap().into_messages().collect();
        assert_eq!(read.len(), messages);
        for message in read {
            let Message::Response(response) = message else { panic!("an answer") };
            assert_eq!(response.outcome.result().unwrap().len(), deep.len());
        }
        assert_eq!(Incoming::parse(&line.into()), Err(Malformed::TooDeep), "but not a client's");
    }
    assert!(matches!(Incoming::parse_line(&deep.into()), Err(Malformed::NotJsonRpc(_))));
}

#[test]
fn a_batch_bomb_is_refused() {
    let batch = |count: usize| format!("[{}]", vec![r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#; count].join(","));
    assert_eq!(parse(&batch(MAX_BATCH)).unwrap().requests(), MAX_BATCH);
    assert!(matches!(parse(&batch(MAX_BATCH + 1)), Err(Malformed::NotJsonRpc(_))));
    let of_a_server = |count| Incoming::parse_line(&batch(count).into());
    assert_eq!(of_a_server(MAX_SERVER_BATCH).unwrap().requests(), MAX_SERVER_BATCH);
    assert!(matches!(of_a_server(MAX_SERVER_BATCH + 1), Err(Malformed::NotJsonRpc(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic(bytes: Vec<u8>) {
        let _ = Incoming::parse(&bytes.into());
    }
}
