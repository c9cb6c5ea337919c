//! `--isolation`: sessions that share a child, over real HTTP.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::{FIXTURE, Session, Sidecar, eventually, eventually_async, is_alive, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_one_user_share_a_process_and_those_of_another_do_not() {
    let sidecar = Sidecar::with(&["--isolation", "user"]).await;
    let sessions = [
        sidecar.session_of("2025-11-25", Some("alice")).await,
        sidecar.session_of("2025-11-25", Some("alice")).await,
        sidecar.session_of("2025-11-25", Some("bob")).await,
    ];
    let pids = [sessions[0].pid().await, sessions[1].pid().await, sessions[2].pid().await];
    assert_eq!(pids[0], pids[1]);
    assert_ne!(pids[1], pids[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_share_a_process_get_their_own_answers_questions_and_progress() {
    let sidecar = Sidecar::with(&["--isolation", "shared"]).await;
    let (one, other) = (sidecar.session().await, sidecar.session_of("2025-11-25", Some("bob")).await);
    assert_eq!(one.pid().await, other.pid().await);
    let params = r#"{"name":"progress","_meta":{"progressToken":"t"},"arguments":{"steps":2}}"#;
    let (mut first, mut second) = tokio::join!(one.call_stream("1", params), other.call_stream("1", params));
    for events in [&mut first, &mut second] {
        for step in 0..2 {
            assert_eq!(
                events.message().await.unwrap()["params"],
                json!({ "progressToken": "t", "progress": step, "total": 2, "message": "" })
            );
        }
        assert_eq!(text_of(&events.message().await.unwrap()), "done");
        assert!(events.next().await.is_none());
    }
    let mut calls = Vec::new();
    for (session, name) in [(&one, "one"), (&other, "other")] {
        for round in 0..10 {
            let text = format!("{name} {round}");
            calls.push(async move {
                assert_eq!(text_of(&session.call("echo", json!({ "text": text })).await), text);
            });
        }
    }
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_every_session_that_shares_the_process() {
    let sidecar = Sidecar::with(&["--isolation", "shared"]).await;
    let (one, other) = (sidecar.session().await, sidecar.session().await);
    let mut streams = [one.listen().await, other.listen().await];
    one.call("announce", json!({})).await;
    for stream in &mut streams {
        assert_eq!(stream.message().await.unwrap()["method"], "notifications/tools/list_changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_cancels_its_calls_and_leaves_the_process_to_the_others() {
    let sidecar = Sidecar::with(&["--isolation", "shared", "--timeout", "5"]).await;
    let (one, other) = (sidecar.session().await, sidecar.session().await);
    let pid = other.pid().await;
    let open = other.listen().await;
    let hanging = one.post(crate::support::call("1", r#"{"name":"hang"}"#));
    let ending = async {
        other.called(2).await;
        assert_eq!(one.delete().await, 204);
        eventually_async("it is cancelled", async || cancelled(&other).await == 1).await;
    };
    let (hung, ()) = tokio::join!(hanging, ending);
    assert_eq!(hung.json::<Value>().await.unwrap()["error"]["data"]["reason"], "session_ended");
    assert_eq!(other.pid().await, pid);
    drop(open);
    eventually("the process ends when nobody has used it for a while", || !is_alive(pid)).await;
}

async fn cancelled(session: &Session<'_>) -> usize {
    let seen = session.post(r#"{"jsonrpc":"2.0","id":9,"method":"test/cancelled"}"#).await;
    seen.json::<Value>().await.unwrap()["result"]["cancelled"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_shared_process_dies_its_sessions_go_on_with_another() {
    let sidecar = Sidecar::with(&["--isolation", "shared"]).await;
    let (one, other) = (sidecar.session().await, sidecar.session().await);
    let pid = one.pid().await;
    let failed = other.call("exit", json!({})).await;
    assert_eq!(failed["error"]["data"]["reason"], "child_exited");
    let (first, second) = (one.pid().await, other.pid().await);
    assert_ne!(first, pid);
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_process_that_has_died_takes_no_new_session_even_while_what_it_started_lives_on() {
    let orphaning = format!("(trap '' TERM; exec sleep 1000) & exec python3 {FIXTURE}");
    let sidecar = Sidecar::around(&["--isolation", "shared"], &["sh", "-c", &orphaning]).await;
    let old = sidecar.session().await;
    let pid = old.pid().await;
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
    eventually("it obeys", || !is_alive(pid)).await;
    let new = sidecar.session().await;
    let another = new.pid().await;
    assert_ne!(another, pid);
    assert_eq!(sidecar.session().await.pid().await, another);
    eventually_async("the old session goes on there too", async || {
        let answer = old.call("pid", json!({})).await;
        answer["error"]["data"]["reason"] != "child_exited" && text_of(&answer) == another.to_string()
    })
    .await;
}
