//! The machine has no more to give.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::sidecar::{INITIALIZE, Sidecar};
use crate::support::{NO_SESSION, eventually, remains};

#[test]
fn without_descriptors_a_session_is_refused_and_the_others_live() {
    let sidecar = Sidecar::start("descriptors", &["sh", "-c", "ulimit -n 48; exec \"$@\"", "sh"]);
    let first = sidecar.initialize();
    let refused =
        (0..20).map(|_| sidecar.ask("POST /mcp HTTP/1.1", INITIALIZE)).find(|answer| !answer.contains("\"tree\""));
    assert!(refused.is_some_and(|answer| answer.starts_with("HTTP/1.1 5")));
    let head = format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {first}");
    assert!(sidecar.ask(&head, "").starts_with("HTTP/1.1 20"));
    eventually("the ended session's descriptors come back", || {
        sidecar.ask("POST /mcp HTTP/1.1", INITIALIZE).contains("\"tree\"")
    });
}

#[test]
fn a_low_soft_limit_of_descriptors_is_raised_and_the_children_keep_theirs() {
    let sidecar = Sidecar::start("soft", &["sh", "-c", "ulimit -Sn 48; exec \"$@\"", "sh"]);
    for _ in 0..20 {
        sidecar.initialize();
    }
    let children = remains(NO_SESSION, &sidecar.mark).into_iter().filter(|id| *id != sidecar.process.id());
    let limits = children.filter_map(|id| std::fs::read_to_string(format!("/proc/{id}/limits")).ok());
    let soft = |limits: String| {
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.trim().split(' ').next().map(str::to_owned))
    };
    let soft: Vec<_> = limits.map(soft).collect();
    assert!(soft.len() > 20 && soft.iter().all(|soft| soft.as_deref() == Some("48")), "{soft:?}");
}

/// Another user than root, whom the system lets fork as often as it likes.
pub(crate) const NOT_ROOT: &[&str] =
    &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];

/// Sets the soft limit as the sidecar's own user, who may do so.
fn allow_processes(sidecar: &Sidecar, user: &[&str], most: &str) {
    let (pid, limit) = (sidecar.process.id().to_string(), format!("--nproc={most}:"));
    let words = [user, &["prlimit", "--pid", &pid, &limit]].concat();
    assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success());
}

#[test]
fn when_fork_fails_a_session_is_refused_and_the_others_live() {
    let user = if std::fs::metadata("/proc/self").unwrap().uid() == 0 { NOT_ROOT } else { &["env"] };
    let sidecar = Sidecar::start("fork", user);
    // Answered once all threads of the HTTP server run.
    assert!(sidecar.ask("GET /health HTTP/1.1", "").starts_with("HTTP/1.1 200"));
    let refused = || {
        allow_processes(&sidecar, user, "1");
        let refused = sidecar.ask("POST /mcp HTTP/1.1", INITIALIZE);
        assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after"), "{refused}");
        allow_processes(&sidecar, user, "1000");
    };
    // Not even a thread has been started for it before.
    refused();
    let session = sidecar.initialize();
    refused();
    let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
    let answer = sidecar.ask(&format!("POST /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), ping);
    assert!(answer.contains(r#""id":"p""#), "{answer}");
    sidecar.initialize();
}
