//! A session outlives its child, if another one can be told all that the lost one was.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Session, Sidecar, call, eventually, is_alive, text_of};

/// A server that notes what it is told, and dies when asked to. Each life begins with «born»; `refuse_after` is how
/// many lives answer `initialize`.
fn server(notes: &Path, refuse_after: usize) -> String {
    format!(
        r#"
import json, sys, os, signal, time
notes = open({notes:?}, "a+")
def note(what):
    notes.write(what + "\n"); notes.flush()
note("born %d" % os.getpid())
notes.seek(0)
lives = notes.read().count("born")
def send(**message): print(json.dumps(dict(message, jsonrpc="2.0")), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    method, id, params = message.get("method"), message.get("id"), message.get("params", {{}})
    note(method + " " + json.dumps(params))
    if params.get("name") == "die": os._exit(0)
    if params.get("name") == "mute":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.close(1)
        while True: time.sleep(1000)
    if params.get("name") == "deaf":
        os.close(0)
        send(id=id, result={{}})
        while True: time.sleep(1000)
    if params.get("name") == "flood":
        for _ in range(5000): os.write(2, b"x" * 999 + b"\n")
    if method == "initialize" and lives > {refuse_after}: send(id=id, error={{"code": -32000, "message": "not again"}})
    elif method == "initialize": send(id=id, result={{"protocolVersion": "2025-06-18", "capabilities": {{}}}})
    elif method == "tools/call": send(id=id, result={{"content": [{{"text": str(lives)}}]}})
    elif id is not None: send(id=id, result={{}})
"#
    )
}

struct Wrapped {
    notes: tempfile::NamedTempFile,
    sidecar: Sidecar,
}

impl Wrapped {
    async fn start(refuse_after: usize) -> Self {
        Self::with(&[], refuse_after).await
    }

    async fn with(options: &[&str], refuse_after: usize) -> Self {
        let notes = tempfile::NamedTempFile::new().unwrap();
        let script = server(notes.path(), refuse_after);
        let sidecar = Sidecar::around(options, &["python3", "-c", &script]).await;
        Self { notes, sidecar }
    }

    /// What each child was told, after its process id.
    fn lives(&self) -> Vec<(u32, String)> {
        let notes = std::fs::read_to_string(self.notes.path()).unwrap();
        let life = |text: &str| text.split_once('\n').map(|(pid, told)| (pid.parse().unwrap(), told.to_owned()));
        notes.split("born ").filter_map(life).collect()
    }
}

async fn die(session: &Session<'_>) -> Value {
    session.post(call("9", r#"{"name":"die"}"#)).await.json().await.unwrap()
}

/// A call after a crash of which the session may not know yet: then its first call was one in flight.
async fn call_anew(session: &Session<'_>, tool: &str) -> Value {
    loop {
        let answer = session.call(tool, json!({})).await;
        if answer["error"]["data"]["reason"] != "child_exited" {
            return answer;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_child_is_told_all_that_the_lost_one_was_and_calls_wait_for_it() {
    let wrapped = Wrapped::start(9).await;
    let session = wrapped.sidecar.session().await;
    for request in [
        r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"file:///a"}}"#,
    ] {
        assert_eq!(session.post(request).await.status(), 200);
    }
    assert_eq!(die(&session).await["error"]["data"]["reason"], "child_exited");
    assert_eq!(wrapped.sidecar.count("mcp_children_running").await, 0);
    let waiting = (0..8).map(|_| session.call("lives", json!({})));
    for answer in futures_util::future::join_all(waiting).await {
        assert_eq!(text_of(&answer), "2");
    }
    assert_eq!(wrapped.sidecar.count("mcp_child_restarts_total").await, 1);
    assert_eq!(wrapped.sidecar.count("mcp_children_running").await, 1);
    let lives = wrapped.lives();
    let setup = |(_, told): &(u32, String)| -> Vec<String> { told.lines().take(4).map(str::to_owned).collect() };
    assert_eq!(lives.len(), 2);
    assert_eq!(setup(&lives[0]), setup(&lives[1]), "{lives:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ends_between_calls_is_replaced_with_the_next_one() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let first = session.pid().await;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first.cast_signed()), nix::sys::signal::Signal::SIGKILL).unwrap();
    eventually("it is gone", || !is_alive(first)).await;
    assert_ne!(text_of(&call_anew(&session, "pid").await), first.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_closes_its_stdout_but_lives_and_ignores_sigterm_is_killed_and_replaced() {
    let wrapped = Wrapped::start(9).await;
    let session = wrapped.sidecar.session().await;
    let failed: Value = session.post(call("1", r#"{"name":"mute"}"#)).await.json().await.unwrap();
    assert_eq!(failed["error"]["message"], "the MCP server closed its stdout");
    let (mute, _) = wrapped.lives()[0];
    assert!(!is_alive(mute));
    assert_eq!(text_of(&session.call("lives", json!({})).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_reach_a_child_fails_and_the_session_goes_on_with_another() {
    let wrapped = Wrapped::start(9).await;
    let session = wrapped.sidecar.session().await;
    session.call("deaf", json!({})).await;
    let failed: Value = session.post(call("1", r#"{"name":"lives"}"#)).await.json().await.unwrap();
    assert_eq!(failed["error"]["code"], -32603);
    assert_eq!(failed["error"]["data"]["reason"], "child_exited");
    assert_eq!(failed["error"]["message"], "the MCP server closed its stdin");
    let (deaf, _) = wrapped.lives()[0];
    assert!(!is_alive(deaf));
    assert_eq!(text_of(&session.call("lives", json!({})).await), "2");
    assert_eq!(wrapped.sidecar.count(r#"mcp_child_exits_total{reason="stdin_closed"}"#).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_floods_its_stderr_answers_all_the_same() {
    let wrapped = Wrapped::start(9).await;
    let session = wrapped.sidecar.session().await;
    assert_eq!(text_of(&session.call("flood", json!({})).await), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_may_wait_for_another_child_waits_its_turn() {
    let wrapped = Wrapped::start(9).await;
    let session = wrapped.sidecar.session().await;
    die(&session).await;
    for _ in 0..500 {
        assert_eq!(session.post(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#).await.status(), 202);
    }
    assert_eq!(text_of(&session.call("lives", json!({})).await), "2");
    let (_, told) = &wrapped.lives()[1];
    assert_eq!(told.matches("notifications/x").count(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_share_a_child_outlive_it_together() {
    let wrapped = Wrapped::with(&["--isolation", "shared"], 9).await;
    let (first, second) = (wrapped.sidecar.session().await, wrapped.sidecar.session().await);
    assert_eq!(die(&first).await["error"]["data"]["reason"], "child_exited");
    for session in [&second, &first] {
        assert_eq!(text_of(&call_anew(session, "lives").await), "2");
    }
    assert_eq!(wrapped.lives().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_stream_is_open_gets_another_child_at_once() {
    let wrapped = Wrapped::start(9).await;
    let session = wrapped.sidecar.session().await;
    let _events = session.listen().await;
    die(&session).await;
    eventually("another child is there", || wrapped.lives().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_will_not_be_initialized_again_ends_the_session() {
    let wrapped = Wrapped::start(1).await;
    let session = wrapped.sidecar.session().await;
    die(&session).await;
    let waiting: Value = session.post(call("1", r#"{"name":"lives"}"#)).await.json().await.unwrap();
    assert_eq!(waiting["error"]["data"]["reason"], "child_exited");
    assert_eq!(session.post(call("2", r#"{"name":"lives"}"#)).await.status(), 404);
    let refused: Value = wrapped.sidecar.initialize("2025-11-25", None).await.json().await.unwrap();
    assert_eq!(refused["error"]["message"], "not again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_the_lost_child_is_withdrawn() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut events = session.listen().await;
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#).await;
    let asked = events.message().await.unwrap();
    assert_eq!(asked["method"], "roots/list");
    session.call("exit", json!({ "code": 0 })).await;
    let withdrawn = events.message().await.unwrap();
    assert_eq!(withdrawn["method"], "notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    let late = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"roots":[]}}}}"#, asked["id"]);
    assert_eq!(session.post(late).await.status(), 202);
    assert_eq!(text_of(&session.call("echo", json!({ "text": "unhurt" })).await), "unhurt");
}
