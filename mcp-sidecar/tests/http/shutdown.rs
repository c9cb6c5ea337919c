use std::io::ErrorKind;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::{Events, Sidecar, call, eventually, eventually_async, is_alive, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_calls_in_flight_finish_and_ends_streams_and_children() {
    let sidecar = Sidecar::start().await;
    let (busy, idle) = (sidecar.session().await, sidecar.session().await);
    let pids = [busy.pid().await, idle.pid().await];
    let mut events = idle.listen().await;
    let params = r#"{"name":"sleep","arguments":{"seconds":1}}"#;
    let stopping = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        sidecar.begin_stop();
        assert!(events.message().await.is_none());
    };
    let (answer, ()) = tokio::join!(busy.call_text("1", params), stopping);
    assert_eq!(text_of(&serde_json::from_str(&answer).unwrap()), "slept");
    sidecar.stopped().await;
    assert!(pids.iter().all(|&pid| !is_alive(pid)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_at_the_end_is_told_so() {
    let sidecar = Sidecar::with(&["--shutdown-timeout", "0.5"]).await;
    let session = sidecar.session().await;
    let pid = session.pid().await;
    let stopping = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        sidecar.begin_stop();
    };
    let (response, ()) = tokio::join!(session.post(call("1", r#"{"name":"hang"}"#)), stopping);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["error"]["data"]["reason"], json!("session_ended"));
    eventually("the child has ended", || !is_alive(pid)).await;
    sidecar.stopped().await;
}

async fn refuses_connections(sidecar: &Sidecar) -> bool {
    let address = sidecar.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    TcpStream::connect(address).await.is_err_and(|cause| cause.kind() == ErrorKind::ConnectionRefused)
}

fn ends_its_connection(response: &Response) -> bool {
    response.headers().get("connection").is_some_and(|value| value == "close")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_calls_finish_nobody_new_is_let_in_and_each_answer_says_that_its_connection_ends() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let in_json = session.post(call("1", r#"{"name":"wait"}"#));
    let in_stream = session.post(call("2", r#"{"name":"wait","_meta":{"progressToken":"p"}}"#));
    let stopping = async {
        eventually_async("both are in flight", async || sidecar.count("mcp_requests_in_flight").await == 2).await;
        sidecar.begin_stop();
        eventually_async("nobody is let in", async || refuses_connections(&sidecar).await).await;
        // On the connection that has fetched the numbers.
        let relayed = session.post(r#"{"jsonrpc":"2.0","method":"notifications/go"}"#).await;
        assert!(relayed.status() == 202 && ends_its_connection(&relayed), "{relayed:?}");
    };
    let (in_json, in_stream, ()) = tokio::join!(in_json, in_stream, stopping);
    assert!(in_json.status() == 200 && ends_its_connection(&in_json), "{in_json:?}");
    assert_eq!(text_of(&in_json.json().await.unwrap()), "went");
    assert!(ends_its_connection(&in_stream), "{in_stream:?}");
    let mut events = Events::of(in_stream);
    assert_eq!(events.message().await.unwrap()["method"], "notifications/progress");
    assert_eq!(text_of(&events.message().await.unwrap()), "done");
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_the_shutdown_delay_everybody_is_served_as_before() {
    let sidecar = Sidecar::with(&["--shutdown-delay", "600"]).await;
    sidecar.begin_stop();
    let ready = async || sidecar.http.get(sidecar.at("/ready")).send().await.unwrap().status();
    eventually_async("it says that it stops", async || ready().await == 503).await;
    assert!(!refuses_connections(&sidecar).await);
    let opened = sidecar.initialize("2025-11-25", None).await;
    assert!(opened.status() == 200 && !ends_its_connection(&opened), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_idle_is_open_a_little_longer_than_the_door() {
    let sidecar = Sidecar::start().await;
    let health = async || sidecar.http.get(sidecar.at("/health")).send().await.unwrap();
    assert!(!ends_its_connection(&health().await));
    sidecar.begin_stop();
    eventually_async("nobody is let in", async || refuses_connections(&sidecar).await).await;
    let answered = health().await;
    assert!(answered.status() == 200 && ends_its_connection(&answered), "{answered:?}");
    sidecar.stopped().await;
}
