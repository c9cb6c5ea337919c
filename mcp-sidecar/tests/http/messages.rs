use serde_json::{Value, json};

use crate::support::{Sidecar, call, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn ids_return_exactly_as_they_came() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    for id in ["1", "\"1\"", "1.0", "-7", "123456789012345678901234567890", "\"\\u00e9 \\\" \u{e9}\"", "\"\""] {
        let answer = session.call_text(id, r#"{"name":"echo","arguments":{"text":"x"}}"#).await;
        let expected =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content": [{{"type": "text", "text": "x"}}]}}}}"#);
        assert_eq!(answer, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_with_the_same_or_alike_ids_get_their_own_answers() {
    let sidecar = Sidecar::start().await;
    let (one, other) = (sidecar.session().await, sidecar.session().await);
    let mut calls = Vec::new();
    for round in 0..20 {
        for (session, name) in [(&one, "one"), (&other, "other")] {
            for id in ["1", "\"1\""] {
                let text = format!("{name} {id} {round}");
                let params = json!({ "name": "echo", "arguments": { "text": text } }).to_string();
                calls.push(async move {
                    let answer: Value = serde_json::from_str(&session.call_text(id, &params).await).unwrap();
                    assert_eq!(answer["id"].to_string(), id);
                    assert_eq!(text_of(&answer), text);
                });
            }
        }
    }
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_child_never_sees_a_clients_id_or_token_and_the_rest_byte_for_byte() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let params = r#"{"name":"seen","_meta":{"progressToken":"secret","traceparent":"00-1"},"arguments":{"n":1.50,"big":12345678901234567890}}"#;
    let answer: Value = serde_json::from_str(&session.call_text("\"mine\"", params).await).unwrap();
    let seen: Value = serde_json::from_str(text_of(&answer)).unwrap();
    assert!(seen["id"].is_u64());
    assert_eq!(seen["params"]["_meta"], json!({ "progressToken": seen["id"], "traceparent": "00-1" }));
    assert!(text_of(&answer).contains(r#""n": 1.5, "big": 12345678901234567890"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_on_many_lines_is_one_line_to_the_child() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let body = "{\r\n \"jsonrpc\": \"2.0\",\n \"id\": 5,\n \"method\": \"tools/call\",\n \"params\": {\n \"name\": \"echo\",\n \"arguments\": {\"text\": \"a\\nb\"}\n}\n}\n";
    let answer: Value = session.post(body).await.json().await.unwrap();
    assert_eq!(text_of(&answer), "a\nb");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_5_mib_and_arguments_of_5_mib_pass_whole() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let size = 5 << 20;
    assert_eq!(text_of(&session.call("large", json!({ "bytes": size })).await).len(), size);
    let text = "\u{e9}".repeat(size / 2);
    assert_eq!(text_of(&session.call("echo", json!({ "text": text })).await), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn utf_8_that_arrives_byte_by_byte_stays_whole() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    assert_eq!(text_of(&session.call("utf8", json!({})).await), "\u{fc}\u{20ac}\u{1f980}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_names_the_childs_id_and_ends_the_post() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let hanging = session.post(call("\"c\"", r#"{"name":"hang"}"#));
    let cancelling = async {
        let note =
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c","reason":"enough"}}"#;
        loop {
            assert_eq!(session.post(note).await.status(), 202);
            let seen: Value =
                session.post(r#"{"jsonrpc":"2.0","id":9,"method":"test/cancelled"}"#).await.json().await.unwrap();
            if let Some(cancelled) = seen["result"]["cancelled"].as_array().unwrap().first() {
                break cancelled.clone();
            }
        }
    };
    let (hung, cancelled) = tokio::join!(hanging, cancelling);
    assert!(cancelled["requestId"].is_u64());
    assert_eq!(cancelled["reason"], "enough");
    let answer: Value = hung.json().await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["data"]["reason"]), (&json!("c"), &json!("cancelled")));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_as_a_batch_in_2025_03_26_and_refused_later() {
    let sidecar = Sidecar::start().await;
    let batch = format!(
        r#"[{},{{"jsonrpc":"2.0","method":"notifications/initialized"}},{}]"#,
        call("1", r#"{"name":"echo","arguments":{"text":"a"}}"#),
        call("\"1\"", r#"{"name":"echo","arguments":{"text":"b"}}"#)
    );
    let old = sidecar.session_of("2025-03-26", None).await;
    let answers: Vec<Value> = old.post(&batch).await.json().await.unwrap();
    assert_eq!(answers.len(), 2);
    for (id, text) in [(json!(1), "a"), (json!("1"), "b")] {
        assert_eq!(text_of(answers.iter().find(|answer| answer["id"] == id).unwrap()), text);
    }
    let notes = r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]"#;
    assert_eq!(old.post(notes).await.status(), 202);
    let new = sidecar.session_of("2025-06-18", None).await;
    assert_eq!(new.post(&batch).await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_method_is_the_childs_to_refuse() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let answer = session.post(r#"{"jsonrpc":"2.0","id":3,"method":"no/such"}"#).await.text().await.unwrap();
    assert_eq!(answer, r#"{"jsonrpc":"2.0","id":3,"error":{"code": -32601, "message": "Method not found"}}"#);
}
