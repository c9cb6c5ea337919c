//! The processes that are asked which era the server speaks, where servers are told their user: they count too.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::alone::{FIXTURE, calling};
use crate::support::{Sidecar, eventually, is_alive, text_of};

/// Notes its processes. It hangs for some users; for others it starts another process that does not end when told.
const SCRIPT: &str = r#"echo $$ $SCOPE >> "$1"; case $SCOPE in
    hang*) exec sleep 1000;;
    linger*) (trap '' TERM; exec sleep 1000) & echo $! $SCOPE >> "$1";;
esac; exec python3 "$2""#;

struct Born(NamedTempFile);

impl Born {
    async fn sidecar(limits: &[&str]) -> (Self, Sidecar) {
        let born = Self(NamedTempFile::new().unwrap());
        let options = [&["--env-from-header", "SCOPE=X-Scope"], limits].concat();
        let path = born.0.path().to_str().unwrap();
        let sidecar = Sidecar::around(&options, &["sh", "-c", SCRIPT, "sh", path, FIXTURE]).await;
        (born, sidecar)
    }

    /// The processes that were told a scope which begins so, oldest first.
    fn told(&self, scope: &str) -> Vec<u32> {
        let born = std::fs::read_to_string(self.0.path()).unwrap();
        let told = born.lines().filter_map(|line| line.split_once(' ')).filter(|(_, told)| told.starts_with(scope));
        told.map(|(pid, _)| pid.parse().unwrap()).collect()
    }
}

fn signed(post: RequestBuilder, user: &str, scope: &str) -> RequestBuilder {
    post.header("X-User-Id", user).header("X-Scope", scope)
}

async fn call(sidecar: &Sidecar, user: &str, scope: &str) -> Response {
    signed(calling(sidecar, "1", "pid", (json!({}), "")), user, scope).send().await.unwrap()
}

async fn pid(response: Response) -> u32 {
    assert_eq!(response.status(), 200);
    text_of(&response.json().await.unwrap()).parse().unwrap()
}

fn assert_no_room(response: &Response) {
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_servers_hang_is_asked_about_few_of_them_at_once_and_others_are_served() {
    for (limits, under_way) in [
        (["--max-sessions", "3", "--max-sessions-per-user", "1"], 1),
        (["--max-sessions", "3", "--max-sessions-per-user", "9"], 2),
    ] {
        let (born, sidecar) = Born::sidecar(&limits).await;
        let scopes: Vec<_> = (0..20).map(|n| format!("hang{n}")).collect();
        let mut calls: FuturesUnordered<_> = scopes.iter().map(|scope| call(&sidecar, "alice", scope)).collect();
        for _ in under_way..scopes.len() {
            let refused = tokio::time::timeout(Duration::from_secs(60), calls.next()).await.expect("a refusal");
            assert_no_room(&refused.unwrap());
        }
        pid(call(&sidecar, "bob", "read").await).await;
        eventually("they are asked", || born.told("hang").len() >= under_way).await;
        assert!(born.told("hang").len() <= 2 * under_way);
        drop(calls);
        sidecar.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_first_has_the_only_place_until_nothing_of_it_is_left_and_then_the_child_has_it() {
    let (born, sidecar) = Born::sidecar(&["--max-sessions", "1"]).await;
    let serving = pid(call(&sidecar, "alice", "linger").await).await;
    let told = born.told("linger");
    let (asked, last) = told.split_last_chunk::<2>().unwrap();
    assert_eq!(last[0], serving);
    assert!(!asked.is_empty() && !asked.iter().any(|&pid| is_alive(pid)));
    // An idle process makes room for asking, as it does for a session.
    let other = pid(call(&sidecar, "bob", "read").await).await;
    assert!(is_alive(other) && !last.iter().any(|&pid| is_alive(pid)));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_in_use_makes_room_for_asking() {
    let (born, sidecar) = Born::sidecar(&["--max-sessions", "1"]).await;
    let busy = calling(&sidecar, "1", "hang", (json!({ "progress": true }), r#""progressToken":1,"#));
    let mut busy = crate::support::Events::of(signed(busy, "alice", "read").send().await.unwrap());
    assert_eq!(busy.message().await.unwrap()["method"], "notifications/progress");
    assert_no_room(&call(&sidecar, "bob", "write").await);
    assert!(born.told("write").is_empty());
    pid(call(&sidecar, "alice", "read").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_process_is_served_by_it_and_nobody_is_asked_again() {
    let (born, sidecar) = Born::sidecar(&["--max-sessions", "2"]).await;
    let serving = pid(call(&sidecar, "alice", "read").await).await;
    let asked = born.told("read").len();
    // As many others as are remembered.
    for n in 0..16 {
        let body = r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"v999.0.0","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
        let post = sidecar.post(body).header("MCP-Protocol-Version", "v999.0.0").header("Mcp-Method", "ping");
        let response = signed(post, &format!("user{n}"), &format!("other{n}")).send().await.unwrap();
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["data"]["supported"], json!(["2026-07-28"]), "{error}");
    }
    assert_eq!(pid(call(&sidecar, "alice", "read").await).await, serving);
    assert_eq!(born.told("read").len(), asked);
}
