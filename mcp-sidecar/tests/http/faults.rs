use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::support::{Sidecar, call, eventually, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_dies_during_a_call_fails_that_call_and_the_session_goes_on_with_another() {
    let sidecar = Sidecar::start().await;
    let (session, other) = (sidecar.session().await, sidecar.session().await);
    let first = session.pid().await;
    let hanging = session.post(call("\"h\"", r#"{"name":"hang"}"#));
    let exiting = async {
        session.called(2).await;
        session.post(call("2", r#"{"name":"exit"}"#)).await
    };
    let (hung, exited) = tokio::join!(hanging, exiting);
    for (response, id) in [(hung, json!("h")), (exited, json!(2))] {
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(-32603)));
        assert_eq!(answer["error"]["data"]["reason"], "child_exited");
        assert_eq!(answer["error"]["message"], "the MCP server exited with status 3");
    }
    assert_ne!(session.pid().await, first);
    assert_eq!(text_of(&other.call("echo", json!({ "text": "unhurt" })).await), "unhurt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_dies_at_once_is_an_error_without_a_session() {
    let sidecar = Sidecar::around(&[], &["sh", "-c", "exit 7"]).await;
    let response = sidecar.initialize("2025-11-25", None).await;
    assert!(!response.headers().contains_key("mcp-session-id"));
    let answer: Value = response.json().await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["data"]["reason"]), (&json!("init"), &json!("child_exited")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_exist_is_503() {
    let sidecar = Sidecar::around(&[], &["/no/such/program"]).await;
    let response = sidecar.initialize("2025-11-25", None).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_lines_and_stray_answers_hurt_nobody() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    assert_eq!(text_of(&session.call("junk", json!({})).await), "survived");
    let stray = r#"{"jsonrpc":"2.0","id":424242,"result":{}}"#;
    let params = json!({ "name": "raw", "arguments": { "line": format!("{stray}\n{{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":1.0}}") } });
    assert_eq!(session.call_text("5", &params.to_string()).await, r#"{"jsonrpc":"2.0","id":5,"result":1.0}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_the_line_limit_fails_alone() {
    let sidecar = Sidecar::with(&["--max-line", "10000"]).await;
    let session = sidecar.session().await;
    let answer = session.call("large", json!({ "bytes": 20_000 })).await;
    assert_eq!(answer["error"]["data"]["reason"], "message_too_large");
    assert_eq!(text_of(&session.call("echo", json!({ "text": "still here" })).await), "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_calls_only_the_one_with_an_answer_over_the_line_limit_fails() {
    let sidecar = Sidecar::with(&["--max-line", "10000"]).await;
    let session = sidecar.session().await;
    let slow = session.post(call("1", r#"{"name":"sleep","arguments":{"seconds":0.5}}"#));
    let id_last = json!({ "name": "raw", "arguments":
        { "line": format!(r#"{{"result":{{"id":1,"text":"{}"}},"jsonrpc":"2.0","id":$ID}}"#, "x".repeat(20_000)) } });
    let large = session.post(call("\"l\"", r#"{"name":"large","arguments":{"bytes":20000}}"#));
    let (slow, large, last) = tokio::join!(slow, large, session.post(call("3", &id_last.to_string())));
    assert_eq!(text_of(&slow.json().await.unwrap()), "slept");
    for (response, id) in [(large, json!("l")), (last, json!(3))] {
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["data"]["reason"]), (&id, &json!("message_too_large")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_sign_of_life_is_given_up_after_the_call_timeout() {
    let sidecar = Sidecar::with(&["--call-timeout", "5"]).await;
    let session = sidecar.session().await;
    let answer = session.call("hang", json!({})).await;
    assert_eq!(answer["error"]["data"]["reason"], "call_timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_calls_in_flight_than_allowed_are_429() {
    let sidecar = Sidecar::with(&["--max-calls", "2"]).await;
    let session = sidecar.session().await;
    let wait = call("1", r#"{"name":"wait"}"#);
    let mut calls: FuturesUnordered<_> = (0..5).map(|_| session.post(&wait)).collect();
    for _ in 0..3 {
        assert_eq!(calls.next().await.unwrap().status(), 429);
    }
    assert_eq!(session.post(r#"{"jsonrpc":"2.0","method":"notifications/go"}"#).await.status(), 202);
    for _ in 0..2 {
        assert_eq!(calls.next().await.unwrap().status(), 200);
    }
}

/// The child asks at length, under that id; it hears what it was answered.
fn asking(id: &str) -> String {
    let line = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"sampling/createMessage","params":{{"prompt":"{}"}}}}"#,
        "x".repeat(20_000)
    );
    json!({ "name": "asked", "arguments": { "line": line } }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_over_the_line_limit_is_refused_at_once_under_its_own_id_in_any_isolation() {
    for isolation in ["session", "user", "shared"] {
        let sidecar = Sidecar::with(&["--max-line", "10000", "--isolation", isolation]).await;
        let session = sidecar.session().await;
        for id in [r#""q""#, "7", "7.0", r#""\u00e9 \"}""#] {
            let answer: Value = serde_json::from_str(&session.call_text("7", &asking(id)).await).unwrap();
            let heard = text_of(&answer);
            assert!(heard.contains(&format!(r#""id":{id},"error":{{"code":-32600,"#)), "{isolation} {id}: {heard}");
            assert!(heard.contains("over --max-line"), "{heard}");
        }
        let line = r#"mcp_limits_reached_total{limit="line"}"#;
        assert_eq!(sidecar.count(line).await, 4, "{isolation}");
        assert_eq!(text_of(&session.call("echo", json!({ "text": "still here" })).await), "still here");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_server_that_asks_at_length_hears_that_it_may_not_ask() {
    const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/modern.py");
    let sidecar = Sidecar::around(&["--era", "modern", "--max-line", "10000"], &["python3", FIXTURE]).await;
    let answer = crate::alone::call(&sidecar, "ask", json!({ "padding": 20_000 })).await;
    let heard: Value = serde_json::from_str(text_of(&answer)).unwrap();
    assert_eq!((&heard["id"], &heard["error"]["code"]), (&json!("q"), &json!(-32601)));
}

/// Told to, it pings without reading what it is answered until it could write no more for two seconds, or has written
/// 64 MiB; notes how much that was; and then reads all answers.
const ASKS_WITHOUT_END: &str = r#"
import json, os, select, sys, threading
def send(**message): os.write(1, json.dumps(dict(message, jsonrpc="2.0")).encode() + b"\n")
def flood():
    asked, written, rest = 0, 0, b""
    os.set_blocking(1, False)
    while written < 64 << 20 and select.select([], [1], [], 2)[1]:
        if not rest:
            asked += 1
            rest = json.dumps({"jsonrpc": "2.0", "id": "x" * 4096, "method": "ping"}).encode() + b"\n"
        count = os.write(1, rest)
        written, rest = written + count, rest[count:]
    os.set_blocking(1, True)
    with open(sys.argv[1] + ".new", "w") as note: note.write(str(written))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    writing = threading.Thread(target=os.write, args=(1, rest))
    writing.start()
    for _ in range(asked): assert json.loads(sys.stdin.buffer.readline())["result"] == {}
    writing.join()
for line in iter(sys.stdin.buffer.readline, b""):
    message = json.loads(line)
    if message["method"] == "initialize": send(id=message["id"], result={"protocolVersion": "2025-11-25"})
    elif message["method"] == "notifications/flood": flood()
    elif message["method"] == "tools/call": send(id=message["id"], result={"content": [{"text": "read"}]})
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_asks_without_end_and_reads_no_answer_is_heard_again_once_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let noted = folder.path().join("written");
    let sidecar = Sidecar::around(&[], &["python3", "-c", ASKS_WITHOUT_END, noted.to_str().unwrap()]).await;
    let session = sidecar.session().await;
    let flood = r#"{"jsonrpc":"2.0","method":"notifications/flood"}"#;
    assert_eq!(session.post(flood).await.status(), 202);
    eventually("no more is taken", || noted.exists()).await;
    let written: usize = std::fs::read_to_string(&noted).unwrap().parse().unwrap();
    assert!(written < 8 << 20, "{written} bytes of questions were taken");
    assert_eq!(text_of(&session.call("any", json!({})).await), "read");
    assert_eq!(session.post(flood).await.status(), 202);
    assert_eq!(session.delete().await, 204);
    sidecar.stopped().await;
}
