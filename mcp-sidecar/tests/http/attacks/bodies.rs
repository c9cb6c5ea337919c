//! What a client may put into a body.

use serde_json::{Value, json};

use super::{PING, Wire};
use crate::support::{Sidecar, call, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn batch_bombs_are_refused_and_the_session_goes_on() {
    let sidecar = Sidecar::with(&["--max-calls", "50"]).await;
    let session = sidecar.session_of("2025-03-26", None).await;
    let batch = |count: usize| format!("[{}]", vec![PING; count].join(","));
    for (bomb, status) in [
        (batch(101), 400),
        (batch(300_000), 400),
        (batch(51), 429),
        (format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000)), 400),
        (format!("[{}]", vec!["[]"; 90].join(",")), 400),
        (format!("[{PING},{}]", batch(2)), 400),
        (format!(r#"[{PING},{{"jsonrpc":"2.0","id":1,"method":"initialize"}}]"#), 400),
        ("[".to_owned(), 400),
    ] {
        assert_eq!(session.post(bomb.clone()).await.status(), status, "{:.60}", bomb);
    }
    let answers: Vec<Value> = session.post(batch(50)).await.json().await.unwrap();
    assert_eq!(answers.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_json_in_any_place_is_refused_and_ends_nothing() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let deep = format!("{}{}", r#"{"a":["#.repeat(100_000), "]}".repeat(100_000));
    let list = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    for nested in [&deep, &list] {
        for body in [
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{nested}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{nested}}}"#),
            format!(r#"{{"jsonrpc":"2.0","method":"x","params":{{"_meta":{nested}}}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":{nested},"method":"x"}}"#),
            nested.clone(),
        ] {
            assert_eq!(session.post(body).await.status(), 400);
        }
    }
    assert_eq!(text_of(&session.call("echo", json!({ "text": "here" })).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_refused_wherever_they_stand() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    for wrong in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf", b"\0", b"\x1b", b"\n"] {
        for (before, after) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"#, r#""}"#),
            (r#"{"jsonrpc":"2.0","id":"a"#, r#"","method":"ping"}"#),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":""#, r#""}}"#),
        ] {
            let body = [before.as_bytes(), wrong, after.as_bytes()].concat();
            let response = session.sign(sidecar.post(body)).send().await.unwrap();
            assert_eq!(response.status(), 400, "{before} {wrong:?}");
            let error: Value = response.json().await.unwrap();
            assert_eq!((&error["error"]["code"], &error["id"]), (&json!(-32700), &Value::Null));
        }
    }
    let utf_16: Vec<u8> = PING.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(session.sign(sidecar.post(utf_16)).send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_is_ignored_and_reaches_no_child() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let answer: Value = session.post(format!("\u{feff}{PING}")).await.json().await.unwrap();
    assert_eq!(answer["result"], json!({}));
    let seen = format!("\u{feff}{}", call("1", r#"{"name":"seen","arguments":{}}"#));
    let answer: Value = session.post(seen).await.json().await.unwrap();
    assert!(!text_of(&answer).contains('\u{feff}'), "{answer}");
    // One is a mark, more are no JSON.
    assert_eq!(session.post(format!("\u{feff}\u{feff}{PING}")).await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_a_line_break_and_half_a_pair_that_are_escaped_reach_the_child_as_they_are() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    for text in [r"a\u0000b", r"a\nb\r\nc", r"\u2028\u2029", r"\ud83e\udd80"] {
        let params = format!(r#"{{"name":"echo","arguments":{{"text":"{text}"}}}}"#);
        let answer: Value = serde_json::from_str(&session.call_text("1", &params).await).unwrap();
        assert_eq!(json!(text_of(&answer)), serde_json::from_str::<Value>(&format!("\"{text}\"")).unwrap());
    }
    let half = call("1", r#"{"name":"seen","arguments":{"text":"\ud83e"}}"#);
    let answer: Value = session.post(half).await.json().await.unwrap();
    assert!(text_of(&answer).contains(r"\ud83e"), "no repair: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_split_at_every_byte_is_the_same_body() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let body = call("1", "{\"name\":\"echo\",\"arguments\":{\"text\":\"\u{fc}\u{20ac}\u{1f980}\"}}");
    let mut wire = Wire::open(&sidecar).await;
    let id = &session.id;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nMcp-Session-Id: {id}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    wire.write(head.as_bytes()).await;
    for byte in body.as_bytes() {
        wire.write(&[b"1\r\n", std::slice::from_ref(byte), b"\r\n"].concat()).await;
    }
    wire.write(b"0\r\n\r\n").await;
    assert!(wire.rest().await.contains("\u{fc}\u{20ac}\u{1f980}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_16_mib_pass_and_larger_ones_do_not() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let frame = call("1", r#"{"name":"echo","arguments":{"text":""}}"#).len();
    let of = |bytes: usize| {
        call("1", &format!(r#"{{"name":"echo","arguments":{{"text":"{}"}}}}"#, "x".repeat(bytes - frame)))
    };
    let full = of(16 << 20);
    assert_eq!(full.len(), 16 << 20);
    let answer: Value = session.post(full).await.json().await.unwrap();
    assert_eq!(text_of(&answer).len(), (16 << 20) - frame);
    assert_eq!(session.post(of((16 << 20) + 1)).await.status(), 413);
    assert_eq!(text_of(&session.call("echo", json!({ "text": "here" })).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_two_lengths_or_none_smuggles_nothing() {
    let sidecar = Sidecar::start().await;
    let hidden = "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for framing in [
        "Content-Length: 5\r\nContent-Length: 50\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity, chunked, identity\r\n",
        "Content-Length : 5\r\n",
    ] {
        let head = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\n");
        let mut wire = Wire::open(&sidecar).await;
        wire.write(format!("{head}0\r\n\r\n{hidden}").as_bytes()).await;
        assert!(matches!(wire.status().await, 0 | 400..500), "{framing}");
    }
}
