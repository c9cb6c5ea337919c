//! HTTP with SSE of 2024-11-05, by hand. The official clients: tests/e2e/legacy_sse.rs.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Events, FIXTURE, Sidecar, call, eventually, is_alive, text_of};

struct Client<'a> {
    sidecar: &'a Sidecar,
    user: &'a str,
    endpoint: String,
    events: Events,
}

impl<'a> Client<'a> {
    async fn open(sidecar: &'a Sidecar, user: &'a str) -> Self {
        let mut events = Events::of(get(sidecar, user).send().await.unwrap());
        let first = events.next().await.unwrap();
        assert_eq!((first.name.as_deref(), first.id), (Some("endpoint"), None));
        let (path, id) = first.data.split_once("?sessionId=").unwrap();
        assert_eq!((path, id.len()), ("/messages", 48));
        Self { sidecar, user, endpoint: first.data, events }
    }

    async fn initialized(sidecar: &'a Sidecar, user: &'a str) -> Self {
        let mut client = Self::open(sidecar, user).await;
        let params = r#"{"protocolVersion":"2024-11-05","capabilities":{}}"#;
        let answer =
            client.ask(&format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{params}}}"#)).await;
        assert_eq!(answer["result"]["protocolVersion"], "2024-11-05", "{answer}");
        let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(client.post(note).await.status(), 202);
        client
    }

    async fn post(&self, body: &str) -> Response {
        let posted = post_to(self.sidecar, &self.endpoint, self.user, body).await;
        assert_ne!(posted.status(), 200, "answers come as events");
        posted
    }

    async fn ask(&mut self, body: &str) -> Value {
        assert_eq!(self.post(body).await.status(), 202);
        self.message().await
    }

    async fn message(&mut self) -> Value {
        let event = self.events.next().await.unwrap();
        assert_eq!(event.name.as_deref(), Some("message"));
        event.json()
    }
}

fn at(sidecar: &Sidecar, path: &str) -> String {
    sidecar.url.replace("/mcp", path)
}

fn get(sidecar: &Sidecar, user: &str) -> RequestBuilder {
    sidecar.http.get(at(sidecar, "/sse")).header("Accept", "text/event-stream").header("X-User-Id", user)
}

async fn post_to(sidecar: &Sidecar, endpoint: &str, user: &str, body: &str) -> Response {
    let post = sidecar.http.post(at(sidecar, endpoint)).header("Content-Type", "application/json");
    post.header("X-User-Id", user).body(body.to_owned()).send().await.unwrap()
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn both_paths_are_404_unless_asked_for() {
    let sidecar = Sidecar::start().await;
    assert_eq!(get(&sidecar, "alice").send().await.unwrap().status(), 404);
    let endpoint = format!("/messages?sessionId={}", "0".repeat(48));
    assert_eq!(post_to(&sidecar, &endpoint, "alice", PING).await.status(), 404);
    assert_eq!(sidecar.http.post(at(&sidecar, "/messages")).send().await.unwrap().text().await.unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_on_the_one_stream_in_order() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    let mut client = Client::initialized(&sidecar, "alice").await;
    let params = r#"{"name":"progress","_meta":{"progressToken":"t"},"arguments":{"steps":3}}"#;
    assert_eq!(client.post(&call("\"mine\"", params)).await.status(), 202);
    for step in 0..3 {
        let progress = client.message().await;
        assert_eq!(
            (&progress["params"]["progress"], &progress["params"]["progressToken"]),
            (&json!(step), &json!("t"))
        );
    }
    let answer = client.message().await;
    assert_eq!((&answer["id"], text_of(&answer)), (&json!("mine"), "done"));
    let question = client.ask(&call("2", r#"{"name":"sample"}"#)).await;
    assert_eq!(question["method"], "sampling/createMessage");
    let reply = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "role": "assistant" } }).to_string();
    assert!(text_of(&client.ask(&reply).await).contains("assistant"));
    let large = client.ask(&call("3", r#"{"name":"large","arguments":{"bytes":5000000}}"#)).await;
    assert_eq!(text_of(&large).len(), 5_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_and_its_process_end_with_the_stream() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    let mut client = Client::initialized(&sidecar, "alice").await;
    let pid: u32 = text_of(&client.ask(&call("1", r#"{"name":"pid"}"#)).await).parse().unwrap();
    assert_eq!(client.post(&call("2", r#"{"name":"hang"}"#)).await.status(), 202);
    let Client { endpoint, events, .. } = client;
    drop(events);
    eventually("the child has ended", || !is_alive(pid)).await;
    assert_eq!(post_to(&sidecar, &endpoint, "alice", PING).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_owners_and_is_not_there_for_others() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    let mut alice = Client::initialized(&sidecar, "alice").await;
    let unknown = post_to(&sidecar, &format!("/messages?sessionId={}", "0".repeat(48)), "bob", PING).await;
    let status = unknown.status();
    let told = unknown.text().await.unwrap();
    let theft = post_to(&sidecar, &alice.endpoint, "bob", PING).await;
    assert_eq!((theft.status(), theft.text().await.unwrap()), (status, told));
    assert_eq!(status, StatusCode::NOT_FOUND);
    let twice = format!("{0}&{1}", alice.endpoint, alice.endpoint.split_once('?').unwrap().1);
    assert_eq!(post_to(&sidecar, &twice, "alice", PING).await.status(), 404);
    assert_eq!(post_to(&sidecar, "/messages", "alice", PING).await.status(), 400);
    assert_eq!(alice.ask(PING).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_doors_are_guarded_as_at_mcp() {
    let sidecar =
        Sidecar::with(&["--legacy-sse", "--require-user", "--max-sessions-per-user", "1", "--max-body", "5000"]).await;
    let anonymous = sidecar.http.get(at(&sidecar, "/sse"));
    assert_eq!(anonymous.send().await.unwrap().status(), 403);
    for (name, value) in [("Host", "evil.example.com"), ("Origin", "https://evil.example.com"), ("Origin", "null")] {
        assert_eq!(get(&sidecar, "alice").header(name, value).send().await.unwrap().status(), 403, "{value}");
    }
    let json_only = sidecar.http.get(at(&sidecar, "/sse")).header("X-User-Id", "alice");
    assert_eq!(json_only.header("Accept", "application/json").send().await.unwrap().status(), 406);
    let mut alice = Client::initialized(&sidecar, "alice").await;
    assert_eq!(get(&sidecar, "alice").send().await.unwrap().status(), 503, "the only one is in use");
    let origin = sidecar.http.post(at(&sidecar, &alice.endpoint)).header("Origin", "https://evil.example.com");
    assert_eq!(origin.header("X-User-Id", "alice").body(PING).send().await.unwrap().status(), 403);
    let media = sidecar.http.post(at(&sidecar, &alice.endpoint)).header("X-User-Id", "alice");
    assert_eq!(media.header("Content-Type", "text/plain").body(PING).send().await.unwrap().status(), 415);
    for (body, status) in [
        (&*"x".repeat(6000), 413),
        ("nonsense", 400),
        ("{}", 400),
        (&*format!("[{PING}]"), 400),
        (r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#, 400),
    ] {
        assert_eq!(alice.post(body).await.status(), status, "{body:.40}");
    }
    assert_eq!(alice.ask(PING).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_take_its_time_to_start() {
    let slow = ["sh", "-c", "sleep 2.5; exec python3 \"$0\"", FIXTURE];
    let sidecar = Sidecar::around(&["--legacy-sse"], &slow).await;
    Client::initialized(&sidecar, "alice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_initialize_is_told_and_ends_the_session() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    let mut client = Client::open(&sidecar, "alice").await;
    let answer = client.ask(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":["odd"]}"#).await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(0), &json!(-32602)), "{answer}");
    assert!(client.events.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_read_is_given_up_with_its_session() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    let mut client = Client::initialized(&sidecar, "alice").await;
    let pid: u32 = text_of(&client.ask(&call("1", r#"{"name":"pid"}"#)).await).parse().unwrap();
    for number in 2..12 {
        let large = call(&number.to_string(), r#"{"name":"large","arguments":{"bytes":8000000}}"#);
        // Once it is given up there is no session to post to.
        let _ = client.post(&large).await;
    }
    eventually("the child has ended", || !is_alive(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_not_there_for_the_other_transport_and_loses_nothing_to_it() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    let mut client = Client::initialized(&sidecar, "alice").await;
    let id = client.endpoint.split_once('=').unwrap().1.to_owned();
    let signed = |request: RequestBuilder| request.header("Mcp-Session-Id", &id).header("X-User-Id", "alice").send();
    let get = || sidecar.http.get(&sidecar.url).header("Accept", "text/event-stream");
    for request in [sidecar.post(PING), get(), sidecar.http.delete(&sidecar.url)] {
        assert_eq!(signed(request).await.unwrap().status(), 404);
    }
    assert_eq!(client.ask(PING).await["id"], 1);

    let session = sidecar.session_of("2025-11-25", Some("alice")).await;
    let endpoint = format!("/messages?sessionId={}", session.id);
    assert_eq!(post_to(&sidecar, &endpoint, "alice", PING).await.status(), 404);
    assert_eq!(session.post(PING).await.status(), 200);
}
