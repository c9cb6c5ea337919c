//! More of everything than anybody needs.

use std::fs;

use crate::support::{Sidecar, eventually};

/// Answers `initialize` and nothing else, and starts quickly.
const SCRIPT: &str =
    r#"read line; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}'; read end"#;

pub(super) const SHELL_SERVER: &[&str] = &["sh", "-c", SCRIPT];

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_abandoned_sessions_hold_no_more_processes_than_allowed() {
    let mark = format!("abandoned-{}", std::process::id());
    let sidecar = Sidecar::around(&["--max-sessions", "20"], &["sh", "-c", SCRIPT, &mark]).await;
    for _ in 0..20 {
        let opened = futures_util::future::join_all((0..50).map(|_| sidecar.initialize("2025-11-25", None))).await;
        assert!(opened.iter().any(|response| response.status() == 200));
        assert!(processes(&mark) <= 100, "{} processes", processes(&mark));
    }
    assert_eq!(sidecar.initialize("2025-11-25", None).await.status(), 200, "room is made for whoever comes");
    eventually("the evicted have ended", || processes(&mark) == 20).await;
    sidecar.stopped().await;
    assert_eq!(processes(&mark), 0);
}

pub(super) fn processes(mark: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    entries.filter(|line| fs::read_to_string(line).is_ok_and(|line| line.ends_with(&format!("{mark}\0")))).count()
}
