//! A replica that is killed, told to stop, or merely slow.

use std::future::Future;

use gateway_tests::{
    client::{Events, McpClient},
    harness::eventually,
};
use nix::sys::signal::Signal;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Replica, Replicas, SOON, person, pinged, session, until};

/// Runs `meanwhile` while the call is at the replica.
async fn during(call: impl Future<Output = Response>, at: &Replica, meanwhile: impl FnOnce()) -> Response {
    let arrived = async {
        let in_flight = async || (at.metric("mcp_requests_in_flight").await > 0).then_some(());
        eventually(SOON, "the call arrives", in_flight).await;
        meanwhile();
    };
    tokio::join!(call, arrived).0
}

/// Long enough to be met on its way.
async fn slow_call(client: &McpClient) -> Response {
    client.post(&client.request("tools/call", json!({ "name": "slow", "arguments": { "ms": 4000 } }))).await
}

/// Replicas that wait for such a call when they are told to stop.
fn patient() -> Replicas {
    Replicas::start(&["--shutdown-timeout", "60"])
}

fn signs(replicas: &Replicas) -> usize {
    replicas.redis.keys("redis:replica:*").len()
}

#[tokio::test]
async fn sessions_of_a_killed_replica_are_404_at_once_and_start_anew_elsewhere() {
    let mut replicas = Replicas::start(&[]);
    let (_here, there) = replicas.session(0).await;
    assert_eq!(pinged(&there).await, StatusCode::OK);
    replicas.replicas[0].process.signal(Signal::SIGKILL);
    replicas.replicas[0].process.ended();
    let answer = there.post(&there.request("ping", json!({}))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], -32001);
    assert_eq!(signs(&replicas), 2, "nobody had to wait until it was given up");
    let anew = session(&replicas.replicas[1].url(), "alice").await;
    assert_eq!(pinged(&anew).await, StatusCode::OK);
    // At the same address, but not the same replica.
    replicas.replicas[0].resume();
    assert_eq!(pinged(&there).await, StatusCode::NOT_FOUND);
    assert_eq!(pinged(&anew.through(&replicas.replicas[0].url())).await, StatusCode::OK);
}

#[tokio::test]
async fn a_call_that_a_killed_replica_was_busy_with_is_404_and_its_stream_breaks() {
    let mut replicas = Replicas::start(&[]);
    let (_here, there) = replicas.session(0).await;
    let mut stream = Events::of(there.listen(None).await);
    let kill = || replicas.replicas[0].process.signal(Signal::SIGKILL);
    let ended = during(slow_call(&there), &replicas.replicas[1], kill).await;
    assert_eq!(ended.status(), StatusCode::NOT_FOUND);
    assert_eq!(stream.next().await, None);
    replicas.replicas[0].process.ended();
}

#[tokio::test]
async fn a_replica_that_is_slow_is_not_dead_and_one_that_nobody_hears_of_is() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    assert_eq!(pinged(&there).await, StatusCode::OK);
    let owner = &replicas.replicas[0].process;
    owner.signal(Signal::SIGSTOP);
    let ping = there.request("ping", json!({}));
    let answer = during(there.post(&ping), &replicas.replicas[1], || owner.signal(Signal::SIGCONT)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    // As when its machine has vanished: nothing refuses, nothing answers, no sign of life.
    let (_, never_asked) = replicas.session(0).await;
    owner.signal(Signal::SIGSTOP);
    replicas.redis.keys("redis:replica:*").iter().for_each(|key| drop(replicas.redis.cli(&["DEL", key])));
    assert_eq!(pinged(&never_asked).await, StatusCode::NOT_FOUND);
    owner.signal(Signal::SIGCONT);
    until(&never_asked, StatusCode::OK).await;
    assert_eq!(pinged(&here).await, StatusCode::OK);
}

#[tokio::test]
async fn a_replica_that_is_told_to_stop_finishes_what_was_passed_on_to_it_and_its_sessions_start_anew() {
    let mut replicas = patient();
    let (_here, there) = replicas.session(0).await;
    let stop = || replicas.replicas[0].process.signal(Signal::SIGTERM);
    let answer = during(slow_call(&there), &replicas.replicas[0], stop).await;
    assert_eq!(answer.status(), StatusCode::OK);
    until(&there, StatusCode::NOT_FOUND).await;
    let known = || (signs(&replicas), replicas.redis.keys("redis:session:*").len());
    let forgotten = async || (known() == (1, 0)).then_some(());
    eventually(SOON, "it takes back its keys", forgotten).await;
    assert!(replicas.replicas[0].process.ended().success());
}

#[tokio::test]
async fn a_replica_that_is_told_to_stop_finishes_what_it_has_passed_on_and_lets_listeners_go() {
    let mut replicas = patient();
    let (here, there) = replicas.session(0).await;
    let mut stream = Events::of(there.listen(None).await);
    let stop = || replicas.replicas[1].process.signal(Signal::SIGTERM);
    let answer = during(slow_call(&there), &replicas.replicas[1], stop).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(stream.next().await, None);
    assert!(replicas.replicas[1].process.ended().success());
    assert_eq!(pinged(&here).await, StatusCode::OK);
}

#[tokio::test]
async fn a_replica_that_has_left_opens_no_session_that_the_others_could_not_find() {
    let replicas = Replicas::start(&[]);
    let [leaving, staying] = &replicas.replicas[..] else { panic!("two") };
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    leaving.process.signal(Signal::SIGTERM);
    let left = async || (signs(&replicas) == 1).then_some(());
    eventually(SOON, "its sign of life is taken back", left).await;
    let post = person("alice").post(leaving.url()).header("accept", "application/json, text/event-stream");
    // Unless it has closed its port already.
    if let Ok(answer) = post.json(&initialize).send().await {
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    session(&staying.url(), "alice").await;
}
