use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON, nested a little.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{0,8}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn only_the_token_in_meta_is_a_progress_token() {
    let meta = |text: &str| request_meta(&Bytes::copy_from_slice(text.as_bytes()));
    let token = |text: &str| meta(text).unwrap().progress_token;
    assert_eq!(token(r#"{"_meta":{"x":1,"progressToken": "a" }}"#).unwrap(), "\"a\"");
    assert_eq!(token(r#"{"_meta":{"progress\u0054oken":5}}"#).unwrap(), "5");
    for text in [
        "{}",
        "[]",
        "null",
        "\"_meta\"",
        r#"{"progressToken":1}"#,
        r#"{"_meta":[]}"#,
        r#"{"_meta":null}"#,
        r#"{"_meta":{"progressToken":{}}}"#,
        r#"{"a":{"_meta":{"progressToken":1}}}"#,
    ] {
        assert_eq!(token(text), None, "{text}");
    }
    assert_eq!(meta(r#"{"_meta":{},"_meta":{"progressToken":1}}"#), Err(Ambiguous));
    assert_eq!(meta(r#"{"_meta":{"progressToken":1,"progressToken":2}}"#), Err(Ambiguous));
    assert_eq!(token(r#"{"\u005fmeta":{"progressToken":5}}"#).unwrap(), "5");
    assert!(meta(r#"{"task":{"ttl":1}}"#).unwrap().task);
    assert!(meta(r#"{"t\u0061sk":{"ttl":1}}"#).unwrap().task);
}

#[test]
fn a_subscription_and_a_log_level_are_read_from_meta_only() {
    let id = |text: &str| subscription_id(&Bytes::copy_from_slice(text.as_bytes()));
    assert_eq!(id(r#"{"_meta":{"io.modelcontextprotocol/subscriptionId": 1.0}}"#).unwrap(), "1.0");
    assert_eq!(id(r#"{"io.modelcontextprotocol/subscriptionId":1,"_meta":{}}"#), None);
    assert_eq!(id("[]"), None);
    let logs = |text: &str| request_meta(&Bytes::copy_from_slice(text.as_bytes())).unwrap().logs;
    assert!(logs(r#"{"_meta":{"io.modelcontextprotocol/logLevel":"info"}}"#));
    assert!(!logs(r#"{"_meta":{"io.modelcontextprotocol/logLevel":null},"logLevel":"info"}"#));
}

#[test]
fn line_breaks_between_tokens_do_not_break_the_line() {
    let params = Edited::unchanged("{\r\n  \"a\": \"\\n\"\n}".into());
    let note = notification(&method("x"), Some(&params));
    assert_eq!(note, "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{    \"a\": \"\\n\" }}");
}

#[test]
fn a_batch_is_an_array_of_its_messages() {
    assert_eq!(batch(&["1".into(), "{}".into()]), "[1,{}]");
    assert_eq!(batch(&[]), "[]");
}

fn method(name: &str) -> Method {
    let text = json!({ "jsonrpc": "2.0", "method": name }).to_string();
    match super::super::jsonrpc::Message::parse(&text.into()) {
        Ok(super::super::jsonrpc::Message::Notification(note)) => note.method,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn replacing_the_token_leaves_every_other_byte(before in any_json(), after in any_json(), token in any::<i64>()) {
        let text = |token: &str| format!("{{\"before\": {before},\"_meta\":{{ \"x\":{after} ,\"progressToken\" :{token} }},\"z\":{after}}}");
        let params = Bytes::from(text(&token.to_string()));
        let found = request_meta(&params).unwrap().progress_token.unwrap();
        let line = notification(&method("x"), Some(&Edited::replacing(params, &found, "77".into())));
        prop_assert_eq!(line, format!("{{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{}}}", text("77")));
    }

    #[test]
    fn any_result_is_copied_or_moved_byte_for_byte(value in any_json()) {
        let raw = value.to_string();
        let shared = Bytes::from(format!("{raw}\n"));
        for result in [shared.slice(..raw.len()), raw.clone().into()] {
            let line = response(b"1.0", Outcome::Result(result));
            prop_assert_eq!(line, format!("{{\"jsonrpc\":\"2.0\",\"id\":1.0,\"result\":{raw}}}"));
        }
        prop_assert_eq!(shared, format!("{raw}\n"), "what others have is untouched");
    }
}
