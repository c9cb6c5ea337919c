//! Many calls, many notifications, large results.

use std::pin::pin;

use futures_util::{StreamExt, future::join_all};
use gateway_tests::client::McpClient;
use serde_json::{Value, json};

use crate::sidecar::{Sidecar, messages};

#[tokio::test]
async fn a_hundred_calls_at_once_in_one_session_are_each_answered_with_their_own() {
    let sidecar = Sidecar::around_fixture(&[]);
    let session = sidecar.session().await;
    let call = async |number: usize| {
        // Those that came first are answered last.
        let slow = session.ask("tools/call", json!({ "name": "slow", "arguments": { "ms": 400 - 3 * number } }));
        let text = format!("the text of {number}");
        let echo = session.call("echo", json!({ "text": text }));
        let (slow, echoed) = tokio::join!(slow, echo);
        assert_eq!(slow["result"]["content"][0]["text"], "done");
        assert_eq!(echoed, text);
    };
    join_all((0..100).map(call)).await;
}

/// A call with a progress token, whose answer is a stream.
fn with_progress(session: &McpClient, steps: u64) -> Value {
    let arguments = json!({ "steps": steps, "ms": 0 });
    session
        .request("tools/call", json!({ "name": "progress", "arguments": arguments, "_meta": { "progressToken": "p" } }))
}

#[tokio::test]
async fn ten_thousand_notifications_on_one_stream_arrive_all_and_in_order_and_are_not_kept() {
    let sidecar = Sidecar::around_fixture(&[]);
    let session = sidecar.session().await;
    let before = sidecar.memory();
    let answer = session.post(&with_progress(&session, 10_000)).await;
    let all: Vec<_> = messages(answer).collect().await;
    let (last, progress) = all.split_last().unwrap();
    assert_eq!(last["result"]["content"][0]["text"], "done");
    let steps: Vec<_> = progress.iter().map(|message| message["params"]["progress"].as_u64().unwrap()).collect();
    assert_eq!(steps.len(), 10_000);
    assert!(steps.is_sorted(), "some overtook others");
    let grown = sidecar.memory().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB for messages that were delivered");
}

#[tokio::test]
async fn a_reader_that_stops_reading_costs_bounded_memory_and_nobody_else_waits() {
    let sidecar = Sidecar::around_fixture(&[]);
    let (slow, other) = (sidecar.session().await, sidecar.session().await);
    let before = sidecar.memory();
    let unread = slow.post(&with_progress(&slow, 300_000)).await;
    for number in 0..500 {
        let text = number.to_string();
        assert_eq!(other.call("echo", json!({ "text": text })).await, text);
    }
    let grown = sidecar.memory().saturating_sub(before);
    assert!(grown < 48 * 1024, "{grown} KiB for a reader that does not read");
    drop(unread);
    assert_eq!(slow.delete().await.as_u16() / 100, 2);
}

#[tokio::test]
async fn sixteen_mebibytes_come_back_whole_and_are_held_twice_at_most() {
    const BYTES: usize = 16 << 20;
    let sidecar = Sidecar::around_fixture(&[]);
    let session = sidecar.session().await;
    let before = sidecar.memory();
    let (large, small) = tokio::join!(
        session.call("big", json!({ "bytes": BYTES })),
        session.call("echo", json!({ "text": "beside it" }))
    );
    assert_eq!(small, "beside it");
    assert!(large.len() == BYTES && large.bytes().all(|byte| byte == b'x'), "{} bytes", large.len());
    let grown = sidecar.peak_memory() - before;
    assert!(grown <= 2 * (BYTES >> 10), "{grown} KiB at the peak");
}

#[tokio::test]
async fn a_stream_is_read_while_it_is_written() {
    let sidecar = Sidecar::around_fixture(&[]);
    let session = sidecar.session().await;
    let arguments = json!({ "steps": 3, "ms": 300 });
    let call = json!({ "name": "progress", "arguments": arguments, "_meta": { "progressToken": 1 } });
    let mut events = pin!(messages(session.post(&session.request("tools/call", call)).await));
    let first = events.next().await.unwrap();
    assert_eq!((&first["method"], &first["params"]["progress"]), (&json!("notifications/progress"), &json!(1)));
    // The server has not come to the second step: this session answers meanwhile.
    assert_eq!(session.call("echo", json!({ "text": "meanwhile" })).await, "meanwhile");
    assert_eq!(events.count().await, 3);
}
