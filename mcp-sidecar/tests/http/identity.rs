//! What a server is told about its user.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{Sidecar, call, eventually, is_alive, text_of};

const OPTIONS: &[&str] = &[
    "--env-from-header",
    "TOLD=X-User-Name",
    "--arg-from-header",
    "--user=X-User-Id",
    "--arg-from-header",
    "--scope=x-scope",
];
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

/// As Traefik hands a request on.
struct Person {
    id: &'static str,
    name: &'static str,
    scope: &'static str,
}

const ALICE: Person = Person { id: "1", name: "Alice", scope: "read" };
const BOB: Person = Person { id: "2", name: "--Bob; rm -rf / $(x)", scope: "-all" };

impl Person {
    async fn send(&self, request: RequestBuilder) -> Response {
        let request = request.header("X-User-Id", self.id).header("X-User-Name", self.name);
        request.header("X-Scope", self.scope).send().await.unwrap()
    }

    async fn open(&self, sidecar: &Sidecar) -> String {
        let response = self.send(sidecar.post(INITIALIZE)).await;
        assert_eq!(response.status(), 200);
        response.headers()["mcp-session-id"].to_str().unwrap().to_owned()
    }

    async fn call(&self, sidecar: &Sidecar, session: &str, tool: &str) -> Response {
        let call = sidecar.post(call("7", &json!({ "name": tool }).to_string()));
        self.send(call.header("Mcp-Session-Id", session)).await
    }

    async fn told(&self, sidecar: &Sidecar, session: &str) -> Value {
        let answer: Value = self.call(sidecar, session, "told").await.json().await.unwrap();
        serde_json::from_str(text_of(&answer)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_have_children_that_are_told_two_users() {
    let sidecar = Sidecar::with(OPTIONS).await;
    let (alices, bobs) = (ALICE.open(&sidecar).await, BOB.open(&sidecar).await);
    assert_eq!(ALICE.told(&sidecar, &alices).await, json!(["Alice", ["--user=1", "--scope=read"]]));
    assert_eq!(BOB.told(&sidecar, &bobs).await, json!([BOB.name, ["--user=2", "--scope=-all"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_not_there_for_other_values_of_the_same_user() {
    let sidecar = Sidecar::with(OPTIONS).await;
    let session = ALICE.open(&sidecar).await;
    for other in [Person { scope: "write", ..ALICE }, Person { name: "Alicia", ..ALICE }, Person { id: "2", ..ALICE }] {
        assert_eq!(other.call(&sidecar, &session, "pid").await.status(), 404);
    }
    assert_eq!(ALICE.call(&sidecar, &session, "pid").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_no_option_names_may_change() {
    let sidecar = Sidecar::start().await;
    let session = ALICE.open(&sidecar).await;
    let refreshed = Person { scope: "write", name: "Alicia", ..ALICE };
    assert_eq!(refreshed.call(&sidecar, &session, "pid").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_the_header_starts_no_server_and_neither_does_an_odd_value() {
    let sidecar = Sidecar::with(&["--env-from-header", "TOLD=X-User-Name"]).await;
    assert_eq!(sidecar.post(INITIALIZE).send().await.unwrap().status(), 403);
    assert_eq!(sidecar.post(INITIALIZE).header("X-User-Name", "").send().await.unwrap().status(), 400);
    assert_eq!(sidecar.post(INITIALIZE).header("X-User-Name", &b"a\tb"[..]).send().await.unwrap().status(), 400);
    let twice = sidecar.post(INITIALIZE).header("X-User-Name", "alice").header("X-User-Name", "bob");
    assert_eq!(twice.send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_count_as_one_user_for_the_limits() {
    let sidecar = Sidecar::with(&[OPTIONS, &["--max-sessions-per-user", "1"]].concat()).await;
    let first = ALICE.open(&sidecar).await;
    let answer: Value = ALICE.call(&sidecar, &first, "pid").await.json().await.unwrap();
    let pid = text_of(&answer).parse().unwrap();
    Person { scope: "write", ..ALICE }.open(&sidecar).await;
    eventually("the first session made room", || !is_alive(pid)).await;
}
