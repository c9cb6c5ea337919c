//! A process that many clients share and that hangs: nobody can get rid of it by starting anew.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::alone::{self, calling};
use crate::support::{Session, Sidecar, call, eventually, eventually_async, is_alive, text_of};

/// Long enough for any step of a slow machine that is no hang.
const PATIENCE: [&str; 2] = ["--call-timeout", "5"];

/// Answers all but calls of `hang`, and notes in a file what it is asked.
const NOTES: &str = r#"
import json, os, sys
notes = open(sys.argv[1], "a")
for line in sys.stdin:
    message = json.loads(line)
    print(message["method"], file=notes, flush=True)
    if "id" not in message or message.get("params", {}).get("name") == "hang": continue
    result = {"content": [{"type": "text", "text": str(os.getpid())}], "resultType": "complete",
        "protocolVersion": "2025-11-25", "supportedVersions": ["2026-07-28"], "capabilities": {}, "tools": []}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}

fn reason(answer: &Value) -> &Value {
    &answer["error"]["data"]["reason"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_sessions_share_and_that_hangs_is_replaced_and_they_go_on() {
    let options = [&["--isolation", "shared"][..], &PATIENCE].concat();
    let sidecar = Sidecar::with(&options).await;
    let sessions = [sidecar.session().await, sidecar.session().await];
    let pid = sessions[0].pid().await;
    signal(pid, Signal::SIGSTOP);
    let answer: Value = sessions[0].post(call("1", r#"{"name":"pid"}"#)).await.json().await.unwrap();
    assert_eq!(reason(&answer), "call_timeout");
    for session in &sessions {
        let serves = async |session: &Session<'_>| {
            let answer: Value = session.post(call("2", r#"{"name":"pid"}"#)).await.json().await.unwrap();
            answer.get("result").is_some_and(|_| text_of(&answer) != pid.to_string())
        };
        eventually_async("another process serves the session", async || serves(session).await).await;
    }
    assert!(!is_alive(pid));
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_hangs_under_requests_that_stand_alone_is_replaced_before_it_has_ended() {
    let options = [&["--stop-timeout", "60"][..], &PATIENCE].concat();
    let sidecar = Sidecar::around(&options, &["python3", alone::FIXTURE]).await;
    let pid = |answer: &Value| text_of(answer).parse::<u32>().unwrap();
    let first = pid(&alone::call(&sidecar, "pid", json!({})).await);
    signal(first, Signal::SIGSTOP);
    assert_eq!(reason(&alone::call(&sidecar, "pid", json!({})).await), "call_timeout");
    let serves = async || {
        let answer: Value = calling(&sidecar, "2", "pid", (json!({}), "")).send().await.unwrap().json().await.unwrap();
        answer.get("result").is_some_and(|_| pid(&answer) != first)
    };
    eventually_async("another process serves", serves).await;
    assert!(is_alive(first));
    signal(first, Signal::SIGKILL);
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_in_which_only_a_call_hangs_is_asked_whether_it_is_there_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [legacy, modern] = ["legacy", "modern"].map(|era| folder.path().join(era));
    let command = |notes: &Path| ["python3", "-c", NOTES, notes.to_str().unwrap()].map(str::to_owned);
    // Nothing else is said to it meanwhile: any word of it would be a sign of life.
    let asked = |notes: &Path, method: &str| {
        std::fs::read_to_string(notes).unwrap().lines().filter(|line| *line == method).count()
    };

    let sessions = async {
        let options = [&["--isolation", "shared", "--era", "legacy"][..], &PATIENCE].concat();
        let sidecar = Sidecar::around(&options, &command(&legacy).each_ref().map(String::as_str)).await;
        let session = sidecar.session().await;
        let pid = session.pid().await;
        for round in 1..=2 {
            let answer: Value = session.post(call("1", r#"{"name":"hang"}"#)).await.json().await.unwrap();
            assert_eq!(reason(&answer), "call_timeout");
            eventually("it is asked", || asked(&legacy, "ping") == round).await;
        }
        assert_eq!(session.pid().await, pid);
    };
    let alone = async {
        let options = [&["--era", "modern"][..], &PATIENCE].concat();
        let sidecar = Sidecar::around(&options, &command(&modern).each_ref().map(String::as_str)).await;
        let pid = alone::call(&sidecar, "pid", json!({})).await;
        let before = asked(&modern, "server/discover");
        assert_eq!(reason(&alone::call(&sidecar, "hang", json!({})).await), "call_timeout");
        eventually("it is asked", || asked(&modern, "server/discover") > before).await;
        assert_eq!(alone::call(&sidecar, "pid", json!({})).await, pid);
    };
    tokio::join!(sessions, alone);
}
