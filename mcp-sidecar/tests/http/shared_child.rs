//! `--isolation shared` around a child that does not read, writes too much, or starts for many at once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Session, Sidecar, call, eventually, eventually_async, is_alive, text_of};

/// Answers `initialize` with its process id as its version.
const GREETS: &str = r#"
import json, os, select, sys, time
def say(message):
    os.write(1, json.dumps(dict(message, jsonrpc="2.0")).encode() + b"\n")
def greet():
    asked = json.loads(os.read(0, 1 << 16))
    # Before anything can wait in it: only a line that cannot be written tells the sidecar.
    if "close" in sys.argv:
        os.close(0)
    say({"id": asked["id"], "result": {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {},
        "serverInfo": {"name": "deaf", "version": str(os.getpid())}}})
greet()
"#;

/// ... and reads nothing more.
const DEAF: &str = "time.sleep(3600)";

/// When told to, asks for signs of life without reading any, until it is held back; then it reads them all, and writes
/// to the file that is named how many it had asked for, and whether it was held back.
const FLOODS: &str = r#"
told = b""
while b"test/flood" not in told:
    told += os.read(0, 1 << 16)
sent, most = 0, 300_000
while sent < most and select.select([], [1], [], 3)[1]:
    say({"id": sent, "method": "ping"})
    sent += 1
heard = told.split(b"test/flood")[1].count(b'"result"')
while heard < sent:
    heard += os.read(0, 1 << 16).count(b'"result"')
with open(sys.argv[1] + ".part", "w") as report:
    report.write("held back" if sent < most else "never held back")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(3600)
"#;

async fn around(options: &[&str], then: &str, words: &[&str]) -> Sidecar {
    let program = format!("{GREETS}{then}");
    let command = [&["python3", "-c", &program], words].concat();
    Sidecar::around(&[&["--isolation", "shared"], options].concat(), &command).await
}

async fn pid_of(sidecar: &Sidecar) -> u32 {
    let greeting = sidecar.initialize("2025-11-25", None).await;
    let id = greeting.headers()["mcp-session-id"].clone();
    let greeting: Value = greeting.json().await.unwrap();
    assert_eq!(sidecar.http.delete(&sidecar.url).header("Mcp-Session-Id", id).send().await.unwrap().status(), 204);
    greeting["result"]["serverInfo"]["version"].as_str().unwrap().parse().unwrap()
}

/// So much that the child's pipe and queue are full, and all that is between it and the sessions.
async fn fill(sessions: &[Session<'_>]) {
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/test", "params": { "x": "x".repeat(2000) } });
    let (note, each) = (&note.to_string(), 1200 / sessions.len());
    join_all(sessions.iter().map(|session| async move {
        for _ in 0..each {
            assert_eq!(session.post(note).await.status(), 202);
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_child_that_does_not_read_ends_when_its_sessions_have_ended() {
    let sidecar = around(&["--timeout", "6"], DEAF, &[]).await;
    let sessions = [sidecar.session().await, sidecar.session().await];
    let pid = pid_of(&sidecar).await;
    fill(&sessions).await;
    for session in &sessions {
        assert_eq!(session.delete().await, 204);
    }
    eventually("the child has ended", || !is_alive(pid)).await;
    let ended = "mcp_sessions_open{kind=\"legacy\"}";
    eventually_async("no session is left", async || sidecar.count(ended).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_child_that_does_not_read_does_not_keep_the_sidecar_from_stopping() {
    let sidecar = around(&["--shutdown-timeout", "0.5"], DEAF, &[]).await;
    let sessions = [sidecar.session().await, sidecar.session().await];
    let pid = pid_of(&sidecar).await;
    let stopping = async {
        sidecar.in_flight(1).await;
        fill(&sessions).await;
        sidecar.begin_stop();
    };
    let (hung, ()) = tokio::join!(sessions[0].post(call("1", r#"{"name":"hang"}"#)), stopping);
    assert_eq!(hung.json::<Value>().await.unwrap()["error"]["data"]["reason"], "session_ended");
    tokio::time::timeout(Duration::from_secs(60), sidecar.stopped()).await.expect("it stops");
    assert!(!is_alive(pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_child_that_does_not_read_is_still_the_only_one() {
    let sidecar = around(&[], DEAF, &[]).await;
    let sessions = [sidecar.session().await, sidecar.session().await];
    fill(&sessions).await;
    let opened = "mcp_sessions_opened_total{kind=\"legacy\"}";
    let another = async {
        eventually_async("a third session", async || sidecar.count(opened).await == 3).await;
        assert_eq!(sidecar.count("mcp_child_starts_total{outcome=\"started\"}").await, 1);
        let full = "mcp_limits_reached_total{limit=\"child_queue\"}";
        eventually_async("the queue is full", async || sidecar.count(full).await > 0).await;
    };
    tokio::select! {
        // Answered when the child has read.
        _ = sidecar.initialize("2025-11-25", None) => panic!("it was answered"),
        () = another => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_for_sessions_does_not_pile_up_before_a_shared_child_that_does_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let sidecar = around(&[], FLOODS, &[report.to_str().unwrap()]).await;
    // Of two sessions neither is meant, so that the sidecar itself answers.
    let sessions = [sidecar.session().await, sidecar.session().await];
    assert_eq!(sessions[1].post(r#"{"jsonrpc":"2.0","method":"test/flood"}"#).await.status(), 202);
    let written = || std::fs::read_to_string(&report);
    eventually("all was answered", || written().is_ok()).await;
    assert_eq!(written().unwrap(), "held back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_child_that_closes_its_input_is_replaced() {
    let sidecar = around(&[], DEAF, &["close"]).await;
    let session = sidecar.session().await;
    let answer: Value = session.post(call("1", r#"{"name":"echo"}"#)).await.json().await.unwrap();
    assert_eq!(answer["error"]["data"]["reason"], "child_exited");
    assert_eq!(answer["error"]["message"], "the MCP server closed its stdin");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_come_at_once_share_one_child() {
    let sidecar = Sidecar::with(&["--isolation", "user"]).await;
    let users = ["alice", "bob"];
    let coming = (0..16).map(|number| sidecar.session_of("2025-11-25", Some(users[number % 2])));
    let sessions = join_all(coming).await;
    let pids = join_all(sessions.iter().map(Session::pid)).await;
    assert!(pids.iter().skip(2).zip(&pids).all(|(pid, before)| pid == before), "{pids:?}");
    assert_ne!(pids[0], pids[1]);
    assert_eq!(sidecar.count("mcp_child_starts_total{outcome=\"started\"}").await, 2);
    assert_eq!(text_of(&sessions[0].call("echo", json!({ "text": "there" })).await), "there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_child_that_never_answers_initialize_is_replaced_though_clients_try_on_and_on() {
    let lives = tempfile::tempdir().unwrap();
    // The first one hangs.
    let first = r#"
import os, sys, time
try: os.close(os.open(sys.argv[1], os.O_CREAT | os.O_EXCL))
except FileExistsError: pass
else: time.sleep(3600)
"#;
    let (program, life) = (format!("{first}{GREETS}{DEAF}"), lives.path().join("first"));
    let command = ["python3", "-c", &program, life.to_str().unwrap()];
    let options = ["--isolation", "shared", "--era", "legacy", "--call-timeout", "5"];
    let sidecar = Sidecar::around(&options, &command).await;
    let tries = join_all((0..3).map(async |again: u64| {
        tokio::time::sleep(Duration::from_millis(2500 * again)).await;
        let answer: Value = sidecar.initialize("2025-11-25", None).await.json().await.unwrap();
        answer["error"]["code"].clone()
    }));
    assert_eq!(tries.await[0], -32603, "it waited for the one that hangs");
    assert_ne!(pid_of(&sidecar).await, 0);
    sidecar.stopped().await;
}
