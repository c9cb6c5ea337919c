//! Clients that take their time, to hold what others need.

use serde_json::json;

use super::Wire;
use crate::support::{Sidecar, text_of};

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
