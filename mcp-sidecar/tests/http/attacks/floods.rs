//! More of everything than anybody needs.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Sidecar, eventually};

/// Answers `initialize` and nothing else, and starts quickly.
const SCRIPT: &str =
    r#"read line; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}'; read end"#;

pub(super) const SHELL_SERVER: &[&str] = &["sh", "-c", SCRIPT];

/// Ends neither with its input nor when it is asked to.
const STUBBORN: &str = r#"trap '' TERM; read line; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}'; kill -STOP $$"#;

/// While that happens, no more processes than that.
async fn never_more_than<T>(most: usize, mark: &str, what: impl Future<Output = T>) -> T {
    let counted = async {
        loop {
            let running = processes(mark);
            assert!(running <= most, "{running} processes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = what => done,
        () = counted => unreachable!("it has no end"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_abandoned_sessions_hold_no_more_processes_than_allowed() {
    let mark = format!("abandoned-{}", std::process::id());
    let sidecar = Sidecar::around(&["--max-sessions", "20"], &["sh", "-c", SCRIPT, &mark]).await;
    for _ in 0..20 {
        let opening = futures_util::future::join_all((0..50).map(|_| sidecar.initialize("2025-11-25", None)));
        let opened = never_more_than(20, &mark, opening).await;
        assert!(opened.iter().any(|response| response.status() == 200));
    }
    assert_eq!(sidecar.initialize("2025-11-25", None).await.status(), 200, "room is made for whoever comes");
    eventually("the evicted have ended", || processes(&mark) == 20).await;
    sidecar.stopped().await;
    assert_eq!(processes(&mark), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_do_not_end_when_told_keep_their_places_and_whoever_comes_waits_for_one() {
    let mark = format!("stubborn-{}", std::process::id());
    let sidecar = Sidecar::around(&["--max-sessions", "3", "--warm", "1"], &["sh", "-c", STUBBORN, &mark]).await;
    for _ in 0..3 {
        let opening = futures_util::future::join_all((0..3).map(|_| waits_for_a_place(&sidecar)));
        never_more_than(3, &mark, opening).await;
    }
    sidecar.stopped().await;
    assert_eq!(processes(&mark), 0);
}

/// Whoever is refused has waited as long as anybody may; on a busy machine servers take that long to end.
async fn waits_for_a_place(sidecar: &Sidecar) {
    for _ in 0..4 {
        let began = Instant::now();
        let status = sidecar.initialize("2025-11-25", None).await.status();
        if status == 200 {
            return;
        }
        assert!(status == 503 && began.elapsed() >= Duration::from_secs(15), "{status} after {:?}", began.elapsed());
    }
    panic!("no place in four times as long as anybody may wait: one that has ended still holds it");
}

pub(super) fn processes(mark: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    entries.filter(|line| fs::read_to_string(line).is_ok_and(|line| line.ends_with(&format!("{mark}\0")))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_for_a_child_that_does_not_read_are_refused_beyond_a_bound() {
    let sidecar = Sidecar::around(&["--max-body", "1000000"], &["sh", "-c", STUBBORN]).await;
    let session = sidecar.session().await;
    let note =
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/x","params":{{"padding":"{}"}}}}"#, "x".repeat(900_000));
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(session.post(note.clone()).await);
    }
    let taken = statuses.iter().take_while(|response| response.status() == 202).count();
    assert!((1..=2).contains(&taken), "{taken} were taken");
    assert!(statuses[taken..].iter().all(|response| response.status() == 429));
    assert_eq!(statuses[taken].headers()["retry-after"], "1");
    assert_eq!(sidecar.count(r#"mcp_limits_reached_total{limit="child_bytes"}"#).await, 10 - taken as u64);
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_are_taken_again_when_the_child_has_read_those_before() {
    let sidecar = Sidecar::with(&["--max-body", "1000000"]).await;
    let session = sidecar.session().await;
    let padding = "x".repeat(900_000);
    for _ in 0..10 {
        let answer = session.call("echo", serde_json::json!({ "text": "read", "padding": padding })).await;
        assert_eq!(crate::support::text_of(&answer), "read");
    }
}
