//! Processes whose parent ended before them become the sidecar's, which must collect each of them when it ends.

use std::thread;

use crate::sidecar::{Sidecar, zombies_of};
use crate::support::eventually;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/orphans.py");
const AT_ONCE: usize = 100;

fn started(name: &str, options: &[&str]) -> Sidecar {
    Sidecar::around(name, &[], &[options, &["--", "python3", FIXTURE]].concat())
}

fn post(session: &str) -> String {
    format!("POST /mcp HTTP/1.1\r\nMcp-Session-Id: {session}")
}

/// All at once, in this session; all of them were the sidecar's when they ended.
fn orphan(sidecar: &Sidecar, session: &str) {
    let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"orphans","params":{{"count":{AT_ONCE}}}}}"#);
    let answer = sidecar.ask(&post(session), &call);
    assert!(answer.contains(&format!("{{\"adopted\": {AT_ONCE}}}")), "{answer}");
}

#[test]
fn orphans_that_end_at_once_are_all_collected_while_sessions_come_and_go() {
    let sidecar = started("orphans", &[]);
    let staying = sidecar.initialize();
    let come_and_go = || {
        for _ in 0..3 {
            let session = sidecar.initialize();
            orphan(&sidecar, &session);
            sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
        }
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(come_and_go);
        }
        orphan(&sidecar, &staying);
    });
    eventually("every one is collected", || zombies_of(sidecar.process.id()).is_empty());
    orphan(&sidecar, &staying);
    eventually("so are those that nothing else follows", || zombies_of(sidecar.process.id()).is_empty());
}

#[test]
fn orphans_are_collected_behind_a_process_that_must_not_be_yet() {
    // For so long the first process of a family stays a zombie, since one of the family will not end.
    let sidecar = started("behind", &["--stop-timeout", "600"]);
    let (going, staying) = (sidecar.initialize(), sidecar.initialize());
    let _unanswered = sidecar.send(&post(&going), r#"{"jsonrpc":"2.0","id":1,"method":"leave"}"#);
    eventually("it has ended", || zombies_of(sidecar.process.id()).len() == 1);
    let first = zombies_of(sidecar.process.id());
    for _ in 0..3 {
        orphan(&sidecar, &staying);
        eventually("it alone is left", || zombies_of(sidecar.process.id()) == first);
    }
}
