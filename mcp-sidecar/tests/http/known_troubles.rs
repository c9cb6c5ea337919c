//! What users of other bridges reported (docs/known-troubles.md), where no other test shows it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Sidecar, call, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_before_a_restart_is_404_so_that_clients_start_anew() {
    let before = Sidecar::start().await;
    let session = before.session().await;
    let after = Sidecar::start().await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let stale = |request: reqwest::RequestBuilder| request.header("Mcp-Session-Id", &session.id).send();
    assert_eq!(stale(after.post(ping)).await.unwrap().status(), 404);
    let get = after.http.get(&after.url).header("Accept", "text/event-stream").header("Last-Event-ID", "1-1");
    assert_eq!(stale(get).await.unwrap().status(), 404);
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
    assert_eq!(stale(after.post(initialize)).await.unwrap().status(), 200, "a stale id is no obstacle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_client_is_served_like_the_first() {
    let sidecar = Sidecar::start().await;
    let mut pids = BTreeSet::new();
    for _ in 0..3 {
        let session = sidecar.session().await;
        let _events = session.listen().await;
        pids.insert(session.pid().await);
    }
    assert_eq!(pids.len(), 3, "each has a process of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn list_changed_and_resources_updated_cross_the_bridge() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut events = session.listen().await;
    for method in [
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
    ] {
        let note = json!({ "jsonrpc": "2.0", "method": method, "params": { "uri": "file:///a" } });
        let line = format!("{note}\n{{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":1}}");
        session.call_text("1", &json!({ "name": "raw", "arguments": { "line": line } }).to_string()).await;
        let heard = events.message().await.unwrap();
        assert_eq!((heard["method"].as_str(), &heard["params"]["uri"]), (Some(method), &json!("file:///a")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sessions_notifications_never_reach_another() {
    let sidecar = Sidecar::start().await;
    let (one, other) = (sidecar.session().await, sidecar.session().await);
    let (mut ones, mut others) = (one.listen().await, other.listen().await);
    for (session, name) in [(&one, "one"), (&other, "other")] {
        let log = format!(r#"{{"name":"log","arguments":{{"text":"{name}"}}}}"#);
        // Only JSON is admitted here, so it is on the GET stream that the log line must come.
        let post = sidecar.http.post(&sidecar.url).header("Content-Type", "application/json");
        let post = session.sign(post.header("Accept", "application/json").body(call("1", &log)));
        assert_eq!(text_of(&post.send().await.unwrap().json().await.unwrap()), "logged");
    }
    assert_eq!(ones.message().await.unwrap()["params"]["data"], "one");
    assert_eq!(others.message().await.unwrap()["params"]["data"], "other", "and nothing before it");
}
