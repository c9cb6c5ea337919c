//! However a child is ended, and whatever it has started: nothing is left.

use std::time::{Duration, Instant};

use crate::support::{
    LIMITS, NO_SESSION, PATIENT, eventually, line, remains, rest, shell, shell_within, soon, vanished,
};
use mcp_sidecar::child::{self, ExitReason, Limits};

#[tokio::test]
async fn a_child_that_obeys_the_end_of_its_input_is_not_signalled() {
    let (child, mut events) = shell_within("trap 'echo signalled; exit 9' TERM; cat; echo flushed; exit 3", &PATIENT);
    child.send("hello".into()).await.unwrap();
    assert_eq!(soon(child.stop()).await, ExitReason::Code(3));
    let (lines, reason) = rest(&mut events).await;
    assert_eq!(lines, ["hello", "flushed"]);
    assert_eq!(reason, ExitReason::Code(3));
}

#[tokio::test]
async fn a_child_that_ignores_the_end_of_its_input_gets_sigterm_after_the_grace() {
    let (child, mut events) = shell_within("trap 'exit 4' TERM; echo up; while :; do sleep 0.01; done", &PATIENT);
    assert_eq!(line(&mut events).await, "up");
    let asked = Instant::now();
    assert_eq!(soon(child.stop()).await, ExitReason::Code(4));
    assert!(asked.elapsed() >= PATIENT.stop_grace);
}

#[tokio::test]
async fn a_child_that_ignores_sigterm_is_killed_with_all_it_started() {
    let (child, mut events) = shell("trap '' TERM; sleep 1000 & sleep 1000 & echo up; while :; do sleep 1; done");
    assert_eq!(line(&mut events).await, "up");
    let id = child.id();
    assert_eq!(soon(child.stop()).await, ExitReason::Signal(9));
    vanished(id, "");
}

#[tokio::test]
async fn grandchildren_that_outlive_the_leader_are_ended_with_it() {
    let (child, mut events) = shell("sleep 1000 & sleep 1000 & exit 5");
    let id = child.id();
    assert_eq!(rest(&mut events).await.1, ExitReason::Code(5));
    vanished(id, "");
}

#[tokio::test]
async fn a_stopped_tree_of_shells_leaves_nothing() {
    let (child, mut events) = shell_within("sh -c 'sh -c \"sleep 1000 & echo up; sleep 1000\"; :'; :", &PATIENT);
    assert_eq!(line(&mut events).await, "up");
    let id = child.id();
    assert_eq!(soon(child.stop()).await, ExitReason::Signal(15));
    vanished(id, "");
}

#[tokio::test]
async fn a_daemon_that_left_group_and_session_is_found_by_its_cookie() {
    let mark = format!("987654{:07}", std::process::id());
    let (child, mut events) = shell(&format!("(setsid sh -c 'echo up; exec sleep {mark} >/dev/null 2>&1' &); cat"));
    assert_eq!(line(&mut events).await, "up");
    let id = child.id();
    eventually("the leader and the daemon", || remains(NO_SESSION, &mark).len() >= 2);
    soon(child.stop()).await;
    vanished(id, &mark);
}

#[tokio::test]
async fn a_dropped_child_is_ended_in_the_background() {
    let (child, mut events) = shell("trap '' TERM; sleep 1000 & echo up; while :; do sleep 1; done");
    assert_eq!(line(&mut events).await, "up");
    let id = child.id();
    drop(child);
    assert_eq!(rest(&mut events).await.1, ExitReason::Signal(9));
    vanished(id, "");
}

#[tokio::test]
async fn stopping_does_not_need_anybody_to_take_what_the_child_still_says() {
    let limits = Limits { stdout_queue: 1, ..LIMITS };
    let (child, events) = shell_within("while echo noise; do :; done; exit 0", &limits);
    tokio::time::sleep(Duration::from_millis(50)).await;
    soon(child.stop()).await;
    drop(events);
}

#[tokio::test]
async fn a_supervisor_can_wait_for_dropped_children() {
    let (child, events) = shell("echo up; cat");
    drop((child, events));
    // Those of the other tests are waited for as well.
    tokio::time::timeout(Duration::from_secs(120), child::reap::none_left()).await.expect("all have ended");
}
