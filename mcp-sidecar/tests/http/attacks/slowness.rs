//! Clients that take their time, to hold what others need.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Wire;
use crate::support::{Sidecar, eventually, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn slow_writers_hold_up_nobody_and_slow_heads_are_given_up_on() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut wire = Wire::open(&sidecar).await;
        let body =
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
        wire.write(if number % 2 == 0 { b"POST /mcp HTTP/1.1\r\nHost: loc" } else { body.as_bytes() }).await;
        slow.push(wire);
    }
    assert_eq!(text_of(&session.call("echo", json!({ "text": "prompt" })).await), "prompt");
    // The first sent half a head: 408, or the end.
    assert!(matches!(slow[0].status().await, 0 | 408));
    assert_eq!(text_of(&session.call("echo", json!({ "text": "prompt" })).await), "prompt");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_of_every_kind_hold_up_nobody() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let large = r#"{"name":"large","arguments":{"bytes":8000000}}"#;
    let flood = r#"{"name":"progress","_meta":{"progressToken":"t"},"arguments":{"steps":300,"padding":65536}}"#;
    let mut unread = vec![session.get(None).await];
    for params in [large, flood, flood] {
        unread.push(session.post(crate::support::call("1", params)).await);
    }
    let other = sidecar.session().await;
    for session in [&session, &other] {
        assert_eq!(text_of(&session.call("echo", json!({ "text": "prompt" })).await), "prompt");
    }
    drop(unread);
}

/// Whether the other end of the connection is still there: of one that it gave up it tells nobody who asks for nothing.
fn is_held(wire: &Wire) -> bool {
    let hex = |address: std::net::SocketAddr| format!("0100007F:{:04X}", address.port());
    let end = format!("{} {} ", hex(wire.0.peer_addr().unwrap()), hex(wire.0.local_addr().unwrap()));
    std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&end)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_is_held_for_so_long_and_no_longer() {
    let sidecar = Sidecar::with(&["--unread-timeout", "0.5"]).await;
    let session = sidecar.session().await;
    for tool in [
        r#"{"name":"large","arguments":{"bytes":16000000}}"#,
        r#"{"name":"progress","_meta":{"progressToken":"t"},"arguments":{"steps":200,"padding":65536}}"#,
    ] {
        let body = crate::support::call("1", tool);
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Session-Id: {}\r\nAccept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
            session.id,
            body.len()
        );
        let mut wire = Wire::open(&sidecar).await;
        eventually("it is there", || is_held(&wire)).await;
        wire.write(head.as_bytes()).await;
        let reset = async {
            while is_held(&wire) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), reset).await.expect("the connection is reset");
    }
    // Who has nothing to read is not meant, however long that lasts.
    assert_eq!(text_of(&session.call("echo", json!({ "text": "here" })).await), "here");
}

/// Writes these pieces again and again, however it is answered, until the server's end of the connection is closed.
/// What it was answered meanwhile.
async fn dripped(sidecar: &Sidecar, head: &str, drop: &[u8]) -> String {
    let (mut reader, mut writer) = Wire::open(sidecar).await.0.into_split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let dripping = async {
        let mut drops = tokio::time::interval(Duration::from_millis(20));
        loop {
            drops.tick().await;
            if writer.write_all(drop).await.is_err() {
                return;
            }
        }
    };
    // A connection that is closed with unread bytes is reset.
    let reading = async { while reader.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
    let both = async { tokio::join!(dripping, reading) };
    tokio::time::timeout(Duration::from_secs(60), both).await.expect("the connection is closed");
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_turned_away_and_its_connection_closed() {
    let sidecar = Sidecar::with(&["--body-timeout", "0.5", "--legacy-sse"]).await;
    let session = sidecar.session().await;
    let head = |path: &str, framing: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Session-Id: {}\r\n{framing}\r\n\r\n",
            session.id
        )
    };
    let message = format!("/messages?sessionId={}", session.id);
    for path in ["/mcp", message.as_str()] {
        for (framing, drop) in [("Content-Length: 1000000", &b" "[..]), ("Transfer-Encoding: chunked", b"1\r\n \r\n")] {
            let answer = dripped(&sidecar, &head(path, framing), drop).await;
            assert!(answer.starts_with("HTTP/1.1 408 "), "{path} {framing}: {answer}");
            assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
            assert!(answer.contains("--body-timeout"), "{answer}");
        }
    }
    assert_eq!(text_of(&session.call("echo", json!({ "text": "here" })).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_turned_away_before_the_body_is_read_cannot_go_on_sending_it() {
    let sidecar = Sidecar::start().await;
    for (status, path, head) in [
        (404, "/nowhere", "Host: localhost\r\nTransfer-Encoding: chunked"),
        (200, "/health", "Host: localhost\r\nTransfer-Encoding: chunked"),
        (403, "/mcp", "Host: evil.example.com\r\nContent-Type: application/json\r\nContent-Length: 1000000"),
        (403, "/mcp", "Host: evil.example.com\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"),
        (415, "/mcp", "Host: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1000000"),
        (413, "/mcp", "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000000"),
    ] {
        let drop: &[u8] = if head.contains("chunked") { b"1\r\n \r\n" } else { b" " };
        let method = if path == "/health" { "GET" } else { "POST" };
        let answer = dripped(&sidecar, &format!("{method} {path} HTTP/1.1\r\n{head}\r\n\r\n"), drop).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {head}: {answer}");
    }
}
