//! `/metrics`: what is counted, and who may see it.

use futures_util::future::select_all;
use reqwest::{Client, StatusCode};
use serde_json::json;

use crate::support::{Events, Sidecar, call, eventually_async};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_its_calls_and_its_end_are_counted() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    session.pid().await;
    session.pid().await;
    for (series, count) in [
        (r#"mcp_sessions_open{kind="legacy"}"#, 1),
        ("mcp_children_running", 1),
        (r#"mcp_child_starts_total{outcome="started"}"#, 1),
        (r#"mcp_requests_total{method="initialize",outcome="answered"}"#, 1),
        (r#"mcp_requests_total{method="notification",outcome="answered"}"#, 1),
        (r#"mcp_requests_total{method="tools_call",outcome="answered"}"#, 2),
        (r#"mcp_request_seconds_count{method="tools_call"}"#, 2),
        (r#"mcp_calls_total{outcome="result"}"#, 3),
        ("mcp_requests_in_flight", 0),
    ] {
        assert_eq!(sidecar.count(series).await, count, "{series}");
    }
    let listening = session.listen().await;
    assert_eq!(sidecar.count(r#"mcp_streams_open{kind="get"}"#).await, 1);
    drop(listening);
    session.delete().await;
    eventually_async("the child has ended", async || sidecar.count("mcp_children_running").await == 0).await;
    assert_eq!(sidecar.count(r#"mcp_sessions_ended_total{reason="ended"}"#).await, 1);
    let open = r#"mcp_sessions_open{kind="legacy"}"#;
    eventually_async("and the session", async || sidecar.count(open).await == 0).await;
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_and_each_limit_that_is_reached_is_counted() {
    let sidecar = Sidecar::with(&["--max-sessions", "1", "--max-body", "200"]).await;
    sidecar.post("{").send().await.unwrap();
    sidecar.post("x".repeat(300)).send().await.unwrap();
    let _first = sidecar.session().await;
    let _second = sidecar.session().await;
    for (series, count) in [
        (r#"mcp_requests_refused_total{reason="request"}"#, 1),
        (r#"mcp_requests_refused_total{reason="body"}"#, 1),
        (r#"mcp_requests_total{method="other",outcome="refused"}"#, 2),
        (r#"mcp_limits_reached_total{limit="body"}"#, 1),
        (r#"mcp_limits_reached_total{limit="sessions"}"#, 1),
    ] {
        assert_eq!(sidecar.count(series).await, count, "{series}");
    }
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_a_session_that_is_reached_is_counted() {
    let limits =
        [&["--max-sessions-per-user", "1"][..], &["--max-calls", "1", "--call-timeout", "5"], &["--max-line", "2000"]];
    let sidecar = Sidecar::with(&limits.concat()).await;
    for limit in ["sessions_per_user", "calls", "call_timeout", "line"] {
        let series = format!(r#"mcp_limits_reached_total{{limit="{limit}"}}"#);
        let before = sidecar.count(&series).await;
        let session = sidecar.session_of("2025-11-25", Some("alice")).await;
        match limit {
            "sessions_per_user" => drop(sidecar.session_of("2025-11-25", Some("alice")).await),
            "calls" => {
                let hang = || session.post(call("1", r#"{"name":"hang"}"#));
                let refused = select_all([hang(), hang()].map(Box::pin)).await.0;
                assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
            }
            "call_timeout" => assert_eq!(session.call("hang", json!({})).await["error"]["code"], -32603),
            "line" => {
                assert_eq!(session.call("large", json!({ "bytes": 4000 })).await["error"]["code"], -32603);
            }
            _ => {}
        }
        eventually_async(limit, async || sidecar.count(&series).await > before).await;
        session.delete().await;
    }
    sidecar.stopped().await;

    let short = Sidecar::with(&["--timeout", "1"]).await;
    short.initialize("2025-11-25", None).await;
    let idle = async || short.count(r#"mcp_limits_reached_total{limit="idle_timeout"}"#).await == 1;
    eventually_async("the session has been idle too long", idle).await;
    short.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_fetched_again_and_those_kept_no_longer_are_counted() {
    const PROGRESS: &str = r#"{"name":"progress","arguments":{"steps":3},"_meta":{"progressToken":1}}"#;
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut stream = session.call_stream("1", PROGRESS).await;
    let first = stream.next().await.unwrap().id.unwrap();
    while stream.next().await.is_some() {}
    let mut again = Events::of(session.get(Some(&first)).await);
    assert_eq!(again.message().await.unwrap()["method"], "notifications/progress");
    assert_eq!(sidecar.count("mcp_events_replayed_total").await, 4);
    assert_eq!(sidecar.count("mcp_replay_dropped_bytes_total").await, 0);
    sidecar.stopped().await;

    let forgetful = Sidecar::with(&["--replay-bytes", "1"]).await;
    let session = forgetful.session().await;
    let mut stream = session.call_stream("1", PROGRESS).await;
    while stream.next().await.is_some() {}
    assert!(forgetful.count("mcp_replay_dropped_bytes_total").await > 100);
    forgetful.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_cannot_read_the_numbers() {
    let sidecar = Sidecar::start().await;
    let get = || sidecar.http.get(sidecar.at("/metrics"));
    assert_eq!(get().send().await.unwrap().status(), 200);
    assert_eq!(get().header("Origin", "https://evil.example").send().await.unwrap().status(), 403);
    assert_eq!(get().header("Host", "rebound.example").send().await.unwrap().status(), 403);
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_port_of_its_own_the_numbers_are_there_and_only_they() {
    let sidecar = Sidecar::with(&["--metrics-port", "0"]).await;
    let own = sidecar.metrics.unwrap();
    let status = async |url: String| Client::new().get(url).send().await.unwrap().status().as_u16();
    assert_eq!(status(sidecar.at("/metrics")).await, 404);
    assert_eq!(status(format!("http://{own}/metrics")).await, 200);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize" });
    let posted = sidecar.http.post(format!("http://{own}/mcp")).json(&body).send().await.unwrap();
    assert_eq!(posted.status(), 404);
    sidecar.stopped().await;
}
