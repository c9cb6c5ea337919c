//! What reaches the wrong replica is passed on, streams included.

use gateway_tests::{
    client::{Events, McpClient},
    harness::eventually,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Replicas, SOON, person, pinged};

#[tokio::test]
async fn a_session_is_spoken_to_and_ended_through_any_replica() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    let pid = here.call("pid", json!({})).await;
    for client in [&there, &here, &there] {
        assert_eq!(client.call("pid", json!({})).await, pid);
    }
    let large = there.call("big", json!({ "bytes": 3_000_000 })).await;
    assert_eq!(large.len(), 3_000_000);
    assert_eq!(there.call("echo", json!({ "text": "x".repeat(1_000_000) })).await.len(), 1_000_000);
    assert_eq!(there.delete().await, StatusCode::NO_CONTENT);
    assert_eq!(replicas.replicas[1].metric("mcp_requests_forwarded_total{outcome=\"answered\"}").await, 5);
    // Whether anybody is asked now depends on who has heard of the end.
    assert_eq!((pinged(&here).await, pinged(&there).await), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    replicas.never_logged(&here.session);
}

#[tokio::test]
async fn a_server_asks_through_one_replica_and_is_answered_through_the_other() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    // The server waits for its answer, so its question must come while the call's own answer is still to come.
    for (asked, answering) in [(&there, &here), (&here, &there)] {
        let (question, mut stream) = sampled(asked).await;
        answer(answering, &question).await;
        assert!(stream.next().await.unwrap()["result"].to_string().contains("sampled"));
        assert_eq!(stream.next().await, None);
    }
}

#[tokio::test]
async fn progress_is_heard_through_another_replica_while_it_is_made() {
    let replicas = Replicas::start(&[]);
    let (_here, there) = replicas.session(0).await;
    let arguments = json!({ "steps": 3, "ms": 1 });
    let meta = json!({ "progressToken": "half" });
    let call = there.request("tools/call", json!({ "name": "progress", "arguments": arguments, "_meta": meta }));
    let mut stream = Events::of(there.post(&call).await);
    for step in 1..=3 {
        let progress = stream.until("notifications/progress").await;
        assert_eq!(
            (&progress["params"]["progress"], &progress["params"]["progressToken"]),
            (&json!(step), &json!("half"))
        );
    }
    assert_eq!(stream.next().await.unwrap()["id"], call["id"]);
}

#[tokio::test]
async fn what_the_server_says_by_itself_is_heard_through_another_replica_until_the_listener_leaves() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    let mut stream = Events::of(there.listen(None).await);
    here.call("list_changed", json!({})).await;
    stream.until("notifications/tools/list_changed").await;
    let owner = &replicas.replicas[0];
    let open = "mcp_streams_open{kind=\"get\"}";
    assert_eq!(owner.metric(open).await, 1);
    drop(stream);
    // Nobody notices before something is said.
    let gone = async || {
        here.call("list_changed", json!({})).await;
        (owner.metric(open).await == 0).then_some(())
    };
    eventually(SOON, "the stream to the owner ends with the client's", gone).await;
}

#[tokio::test]
async fn what_was_missed_at_one_replica_is_fetched_through_the_other() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    let (question, stream) = sampled(&there).await;
    let last = stream.last_id.clone().unwrap();
    drop(stream);
    answer(&here, &question).await;
    for client in [&there, &here] {
        let mut resumed = Events::of(client.listen(Some(&last)).await);
        assert!(resumed.next().await.unwrap()["result"].to_string().contains("sampled"));
    }
}

#[tokio::test]
async fn what_a_client_of_2024_11_05_posts_to_any_replica_is_answered_on_its_stream() {
    let replicas = Replicas::start(&["--legacy-sse"]);
    let sse = format!("{}/sse", replicas.replicas[0].base());
    let mut stream = person("alice").get(sse).header("accept", "text/event-stream").send().await.unwrap();
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let endpoint = first.lines().find_map(|line| line.strip_prefix("data:")).unwrap().trim();
    let params =
        json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let initialize = json!({ "jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params });
    let there = format!("{}{endpoint}", replicas.replicas[1].base());
    let posted = person("alice").post(&there).json(&initialize).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::ACCEPTED);
    assert_eq!(Events::of(stream).next().await.unwrap()["id"], 7);
    let thief = person("mallory").post(&there).json(&initialize).send().await.unwrap();
    assert_eq!(thief.status(), StatusCode::NOT_FOUND);
}

/// A call that makes the server ask, its question, and the call's stream.
pub(super) async fn sampled(client: &McpClient) -> (Value, Events) {
    let call = client.request("tools/call", json!({ "name": "sample", "arguments": { "text": "what?" } }));
    let mut stream = Events::of(client.post(&call).await);
    let question = stream.until("sampling/createMessage").await;
    (question, stream)
}

pub(super) async fn answer(client: &McpClient, question: &Value) {
    let result = json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "sampled" } });
    let answer = client.post(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result })).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
}
