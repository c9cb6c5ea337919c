//! Sessions of two users at one child (`--isolation shared`): what each gets to hear of the other, which is nothing.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Events, Session, Sidecar, call, eventually_async, text_of};

async fn shared() -> Sidecar {
    Sidecar::with(&["--isolation", "shared"]).await
}

/// Calls `sample`, answers what the child asks, and returns what it makes of that.
async fn sample(session: &Session<'_>) -> Value {
    let response = session.post(call("1", r#"{"name":"sample"}"#)).await;
    let answer = if response.headers()["content-type"] == "application/json" {
        response.json().await.unwrap()
    } else {
        let mut events = Events::of(response);
        let asked = events.message().await.unwrap();
        assert_eq!(asked["method"], "sampling/createMessage");
        let said = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "said": "by me" } });
        assert_eq!(session.post(said.to_string()).await.status(), 202);
        events.message().await.unwrap()
    };
    serde_json::from_str(text_of(&answer)).unwrap()
}

/// What reaches a session next, after one thing that reaches everybody.
async fn next_after_a_change(listening: &mut Events, other: &Session<'_>) -> Value {
    other.post(r#"{"jsonrpc":"2.0","method":"notifications/announce"}"#).await;
    listening.message().await.unwrap()["method"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_two_users_call_a_question_reaches_neither_and_the_call_that_asked_ends_with_the_reason() {
    let sidecar = shared().await;
    let (alice, bob) =
        (sidecar.session_of("2025-11-25", Some("alice")).await, sidecar.session_of("2025-11-25", Some("bob")).await);
    let mut listening = alice.listen().await;
    let hanging = async {
        let hung = alice.post(call("7", r#"{"name":"hang"}"#)).await;
        hung.json::<Value>().await.unwrap()["error"]["data"]["reason"].clone()
    };
    let asking = async {
        // The call that hangs has reached the child before one that is made later.
        eventually_async("both call", async || sample(&bob).await["error"]["data"]["reason"] == "client_unknown").await;
        assert!(sample(&bob).await["error"]["message"].as_str().unwrap().contains("--isolation session"));
        assert_eq!(next_after_a_change(&mut listening, &bob).await, "notifications/tools/list_changed");
        alice.post(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#).await;
        eventually_async("only bob calls", async || sample(&bob).await["result"]["said"] == "by me").await;
        assert_eq!(next_after_a_change(&mut listening, &bob).await, "notifications/tools/list_changed");
    };
    let (reason, ()) = tokio::join!(hanging, asking);
    assert_eq!(reason, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_a_call_leaves_nothing_that_keeps_the_others_from_being_asked() {
    let sidecar = shared().await;
    let (alice, bob) =
        (sidecar.session_of("2025-11-25", Some("alice")).await, sidecar.session_of("2025-11-25", Some("bob")).await);
    let leaving = async {
        eventually_async("both call", async || sample(&bob).await["error"]["data"]["reason"] == "client_unknown").await;
        assert_eq!(alice.delete().await, 204);
        eventually_async("only bob calls", async || sample(&bob).await["result"]["said"] == "by me").await;
    };
    tokio::join!(alice.post(call("7", r#"{"name":"hang"}"#)), leaving);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_revision_has_a_child_of_its_own_which_answers_with_what_was_asked_and_again_after_a_crash() {
    let sidecar = shared().await;
    let mut pids = HashSet::new();
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let negotiated: Value = sidecar.initialize(version, Some("carol")).await.json().await.unwrap();
        assert_eq!(negotiated["result"]["protocolVersion"], version);
        let (alice, bob) =
            (sidecar.session_of(version, Some("alice")).await, sidecar.session_of(version, Some("bob")).await);
        let pid = alice.pid().await;
        assert_eq!(bob.pid().await, pid);
        assert!(pids.insert(pid), "two revisions share a child");
        assert_eq!(bob.call("exit", json!({})).await["error"]["data"]["reason"], "child_exited");
        eventually_async("both go on", async || {
            let text = |answer: Value| answer["result"]["content"][0]["text"].as_str().map(str::to_owned);
            let (first, second) = (text(alice.call("pid", json!({})).await), text(bob.call("pid", json!({})).await));
            first.is_some() && first == second && first != Some(pid.to_string())
        })
        .await;
    }
}

/// A server that both sessions share and that fails at the first call, in one of these ways.
async fn failing(at_call: &str) -> Sidecar {
    let script = format!(
        r#"
import json, os, sys, time
for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "initialize":
        result = {{"protocolVersion": message["params"]["protocolVersion"], "capabilities": {{}}}}
        print(json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": result}}), flush=True)
    elif message["method"] == "tools/call":
        {at_call}
"#
    );
    let options = ["--isolation", "shared", "--call-timeout", "5"];
    Sidecar::around(&options, &["python3", "-c", &script]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_shared_child_hangs_or_closes_its_stdin_or_crashes_in_a_call_every_call_gets_its_error() {
    let ways = ["pass", "time.sleep(1000)", "os.close(0); time.sleep(1000)", "os._exit(1)"];
    join_all(ways.map(async |at_call| {
        let sidecar = failing(at_call).await;
        let (alice, bob) = (
            sidecar.session_of("2025-11-25", Some("alice")).await,
            sidecar.session_of("2025-11-25", Some("bob")).await,
        );
        let call = async |session: &Session<'_>| session.call("x", json!({})).await["error"]["data"]["reason"].clone();
        for _ in 0..2 {
            let (first, second) = tokio::join!(call(&alice), call(&bob));
            for reason in [first, second] {
                assert!(reason == "call_timeout" || reason == "child_exited", "{at_call}: {reason}");
            }
        }
        drop((alice, bob));
        sidecar.stopped().await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_shared_child_that_never_answers_or_dies_at_once_is_told_and_gets_no_session() {
    for (script, call_timeout, reason) in [("exec sleep 1000", "1", "call_timeout"), ("exit 7", "60", "child_exited")] {
        // One that is given up because it never answers does not end before who waits has been told.
        let options = ["--isolation", "shared", "--call-timeout", call_timeout, "--stop-timeout", "60"];
        let sidecar = Sidecar::around(&options, &["sh", "-c", script]).await;
        let open = || sidecar.initialize("2025-11-25", None);
        let (first, second) = tokio::join!(open(), open());
        for response in [first, second] {
            assert!(!response.headers().contains_key("mcp-session-id"));
            let answer: Value = response.json().await.unwrap();
            assert_eq!(
                (&answer["id"], &answer["error"]["data"]["reason"]),
                (&json!("init"), &json!(reason)),
                "{script}"
            );
        }
    }
}
