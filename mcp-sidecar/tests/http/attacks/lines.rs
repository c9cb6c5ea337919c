//! What a hostile or broken child may write.

use serde_json::{Value, json};

use crate::support::{Sidecar, text_of};

const ISOLATIONS: [&str; 3] = ["session", "user", "shared"];

/// The child writes these lines, then answers the call with 1.0.
fn after(lines: &str) -> String {
    let line = format!("{lines}\n{{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":1.0}}");
    json!({ "name": "raw", "arguments": { "line": line } }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_16_mib_come_up_whole_and_larger_ones_than_allowed_fail_alone() {
    let sidecar = Sidecar::with(&["--max-line", "16800000"]).await;
    let session = sidecar.session().await;
    assert_eq!(text_of(&session.call("large", json!({ "bytes": 16 << 20 })).await).len(), 16 << 20);
    let answer = session.call("large", json!({ "bytes": 17 << 20 })).await;
    assert_eq!(answer["error"]["data"]["reason"], "message_too_large");
    assert_eq!(text_of(&session.call("echo", json!({ "text": "here" })).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_message_are_dropped_and_the_next_one_counts() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let junk = [
        "junk",
        "",
        "\u{0}\u{0}",
        "{",
        "[]",
        "[[[]]]",
        "null",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"id":$ID,"level":"info","message":"a line of a log"}"#,
        r#"sent {"jsonrpc":"2.0","id":$ID,"result":"forged"}"#,
        r#"{"jsonrpc":"2.0","id":18446744073709551616,"result":"forged"}"#,
        &deep,
        &format!(r#"{{"jsonrpc":"2.0","id":{deep},"result":1}}"#),
        &format!(r#"{{"jsonrpc":"2.0","id":{deep},"method":"ping"}}"#),
        &format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{deep}}}}}"#),
        &format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{deep}}}}}"#),
    ];
    for isolation in ISOLATIONS {
        let sidecar = Sidecar::with(&["--isolation", isolation]).await;
        let session = sidecar.session().await;
        for junk in junk {
            let answer = session.call_text("7", &after(junk)).await;
            assert_eq!(answer, r#"{"jsonrpc":"2.0","id":7,"result":1.0}"#, "{isolation} {junk:.80}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_quite_one_is_taken_where_it_is_clear_and_else_fails_its_call_at_once() {
    const TAKEN: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"a":1.0}}"#;
    let complained = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"m"}}"#;
    let clear = [
        (r#"{"jsonrpc":"2.0","id":"$ID","result":{"a":1.0}}"#, TAKEN),
        (r#"{"jsonrpc":"2.0","id":$ID.0,"result":{"a":1.0}}"#, TAKEN),
        (r#"{"jsonrpc":"2.0","id":$ID,"result":{"a":1.0},"error":null}"#, TAKEN),
        ("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"a\":1.0}}", TAKEN),
        (r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}"#, complained),
        (r#"[5,{"jsonrpc":"2.0","id":$ID,"result":{"a":1.0}},null]"#, TAKEN),
        // Somebody else's answer, printed for people; then its own.
        (
            "{\"result\":\"0x10\",\"error\":null,\"id\":$ID}\n{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"a\":1.0}}",
            TAKEN,
        ),
    ];
    let unclear = [
        r#"{"jsonrpc":"1.0","id":$ID,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":$ID,"id":$ID,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":$ID,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":$ID,"error":"text"}"#,
        r#"{"jsonrpc":"2.0","id":$ID,"result":NaN}"#,
        r#"[{"jsonrpc":"2.0","id":$ID,"error":"text"}]"#,
    ];
    let raw = |line: &str| json!({ "name": "raw", "arguments": { "line": line } }).to_string();
    for isolation in ISOLATIONS {
        let sidecar = Sidecar::with(&["--isolation", isolation]).await;
        let session = sidecar.session().await;
        session.call("echo", json!({ "text": "what was said before is read" })).await;
        for (line, answer) in clear {
            assert_eq!(session.call_text("7", &raw(line)).await, answer, "{isolation} {line}");
        }
        for line in unclear {
            let failed: Value = serde_json::from_str(&session.call_text("7", &raw(line)).await).unwrap();
            assert_eq!((&failed["id"], &failed["error"]["code"]), (&json!(7), &json!(-32603)), "{isolation} {line}");
            assert_eq!(failed["error"]["data"]["reason"], "message_malformed", "{isolation} {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_result_passes_as_it_is_and_ends_nothing() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let line = format!(r#"{{"jsonrpc":"2.0","id":$ID,"result":{deep}}}"#);
    for isolation in ISOLATIONS {
        let sidecar = Sidecar::with(&["--isolation", isolation]).await;
        let session = sidecar.session_of("2025-03-26", None).await;
        for line in [line.clone(), format!("[{line}]")] {
            let params = json!({ "name": "raw", "arguments": { "line": line } }).to_string();
            let answer = session.call_text("7", &params).await;
            assert_eq!(answer, format!(r#"{{"jsonrpc":"2.0","id":7,"result":{deep}}}"#), "{isolation}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_and_an_answer_to_nobody_reach_nobody() {
    let sidecar = Sidecar::start().await;
    let (session, other) = (sidecar.session().await, sidecar.session().await);
    let mut events = session.listen().await;
    let twice = r#"{"jsonrpc":"2.0","id":$ID,"result":"first"}"#;
    let stray = [
        twice.to_owned(),
        (0..50).map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"stray"}}"#)).collect::<Vec<_>>().join("\n"),
    ];
    let line = format!("{}\n{}\n{twice}", stray[0], stray[1]);
    let params = json!({ "name": "raw", "arguments": { "line": line } }).to_string();
    assert_eq!(session.call_text("7", &params).await, r#"{"jsonrpc":"2.0","id":7,"result":"first"}"#);
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/announce"}"#).await;
    assert_eq!(events.message().await.unwrap()["method"], "notifications/tools/list_changed", "nothing came before");
    assert_eq!(text_of(&other.call("echo", json!({ "text": "mine" })).await), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_breaks_and_event_syntax_in_a_childs_message_forge_no_event() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut events = session.listen().await;
    let text = "x\r\ndata: {\"forged\":1}\r\n\r\nid: 9-9\nevent: endpoint\rdata: forged\n\n";
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": { "uri": text } });
    // A carriage return between tokens is white space to JSON and the end of a line to an event stream.
    let note = note.to_string().replacen(':', ":\r", 1);
    session.call_text("7", &after(&note)).await;
    let event = loop {
        let event = events.next().await.unwrap();
        if !event.data.is_empty() {
            break event;
        }
    };
    assert_eq!(event.json()["params"]["uri"], text);
    assert_ne!(event.id.as_deref(), Some("9-9"));
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/announce"}"#).await;
    assert_eq!(events.message().await.unwrap()["method"], "notifications/tools/list_changed", "and nothing between");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_dropped_with_their_line() {
    let script = r#"read line; printf '\377\376\n{"jsonrpc":"2.0","id":99,"result":"\303"}\n{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}\n'; cat >/dev/null"#;
    let sidecar = Sidecar::around(&[], &["sh", "-c", script]).await;
    let opened = sidecar.initialize("2025-11-25", None).await;
    let answer: Value = opened.json().await.unwrap();
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
}
