use std::io::ErrorKind;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Events, PATIENCE, Sidecar, call, eventually, eventually_async, is_alive, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_calls_in_flight_finish_and_ends_streams_and_children() {
    let sidecar = Sidecar::with(&["--shutdown-timeout", "60"]).await;
    let (busy, idle) = (sidecar.session().await, sidecar.session().await);
    let pids = [busy.pid().await, idle.pid().await];
    let mut events = idle.listen().await;
    let params = r#"{"name":"sleep","arguments":{"seconds":1}}"#;
    let stopping = async {
        busy.called(2).await;
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
        session.called(2).await;
        sidecar.begin_stop();
    };
    let (response, ()) = tokio::join!(session.post(call("1", r#"{"name":"hang"}"#)), stopping);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["error"]["data"]["reason"], json!("session_ended"));
    eventually("the child has ended", || !is_alive(pid)).await;
    sidecar.stopped().await;
}

fn address(sidecar: &Sidecar) -> &str {
    sidecar.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap()
}

async fn refuses_connections(sidecar: &Sidecar) -> bool {
    TcpStream::connect(address(sidecar)).await.is_err_and(|cause| cause.kind() == ErrorKind::ConnectionRefused)
}

fn ends_its_connection(response: &Response) -> bool {
    response.headers().get("connection").is_some_and(|value| value == "close")
}

/// A connection that came in before the door was closed.
struct Inside(TcpStream);

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

impl Inside {
    async fn of(sidecar: &Sidecar) -> Self {
        let mut inside = Self(TcpStream::connect(address(sidecar)).await.unwrap());
        assert!(!says_that_it_ends(&inside.ask(HEALTH).await.unwrap()));
        inside
    }

    /// The answer; `None` where the connection has been closed.
    async fn ask(&mut self, request: &str) -> Option<String> {
        timeout(PATIENCE, self.answer(request)).await.expect("an answer")
    }

    async fn answer(&mut self, request: &str) -> Option<String> {
        self.0.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        loop {
            let read = String::from_utf8_lossy(&answer).to_ascii_lowercase();
            let length: Option<usize> =
                read.split_once("content-length: ").and_then(|(_, from)| from.split_once('\r')?.0.parse().ok());
            if let (Some((_, body)), Some(length)) = (read.split_once("\r\n\r\n"), length)
                && body.len() == length
            {
                return Some(read);
            }
            self.0.read_buf(&mut answer).await.ok().filter(|read| *read > 0)?;
        }
    }

    /// Whoever comes first may not be told yet.
    async fn ask_until_it_ends(&mut self) -> Option<()> {
        let deadline = Instant::now() + PATIENCE;
        while !says_that_it_ends(&self.ask(HEALTH).await?) {
            assert!(Instant::now() < deadline, "it is never told");
        }
        Some(())
    }
}

fn says_that_it_ends(answer: &str) -> bool {
    answer.contains("\r\nconnection: close\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_calls_finish_nobody_new_is_let_in_and_each_answer_says_that_its_connection_ends() {
    let sidecar = Sidecar::with(&["--shutdown-timeout", "60"]).await;
    let session = sidecar.session().await;
    let (mut first, mut second) = (Inside::of(&sidecar).await, Inside::of(&sidecar).await);
    let in_json = session.post(call("1", r#"{"name":"wait"}"#));
    let in_stream = session.post(call("2", r#"{"name":"wait","_meta":{"progressToken":"p"}}"#));
    let stopping = async {
        session.called(2).await;
        sidecar.begin_stop();
        eventually_async("nobody is let in", async || refuses_connections(&sidecar).await).await;
        first.ask_until_it_ends().await.expect("calls are in flight");
        let (id, go) = (&session.id, r#"{"jsonrpc":"2.0","method":"notifications/go"}"#);
        let relayed = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Session-Id: {id}\r\nContent-Length: {}\r\n\r\n{go}",
            go.len()
        );
        let relayed = second.ask(&relayed).await.unwrap();
        assert!(relayed.starts_with("http/1.1 202 ") && says_that_it_ends(&relayed), "{relayed}");
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
    const A_LITTLE: Duration = Duration::from_secs(1);
    // On a busy machine that may be over before the connection is used.
    for _ in 0..50 {
        let sidecar = Sidecar::start().await;
        let mut idle = Inside::of(&sidecar).await;
        let began = Instant::now();
        sidecar.begin_stop();
        eventually_async("nobody is let in", async || refuses_connections(&sidecar).await).await;
        let told = idle.ask_until_it_ends().await;
        let in_time = began.elapsed() < A_LITTLE;
        sidecar.stopped().await;
        match told {
            Some(()) => return,
            None => assert!(!in_time, "it was closed before"),
        }
    }
    panic!("never in time");
}
