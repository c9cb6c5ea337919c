//! Daemons that nothing but their parent tells from a stranger's: their group, session and environment are their own.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sidecar::{Sidecar, eventually};
use crate::support::{NO_SESSION, remains, vanished};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/daemons.py");

fn started(name: &str, before: &[&str]) -> Sidecar {
    Sidecar::around(name, before, &["--log-level", "debug", "--", "python3", FIXTURE])
}

/// Has this session's server start a daemon, and waits until the sidecar has adopted it and whoever starts next is
/// younger by the system's clock.
fn daemon(sidecar: &Sidecar, session: &str, method: &str, mark: &str) {
    let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"mark":"{mark}"}}}}"#);
    let answer = sidecar.ask(&format!("POST /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), &call);
    assert!(answer.contains("serverInfo"), "{answer}");
    eventually("it is the sidecar's", || adopted(sidecar, mark));
    let hundredths = || fs::read_to_string("/proc/uptime").unwrap();
    let then = hundredths();
    eventually("the clock ticks", || hundredths() != then);
}

fn adopted(sidecar: &Sidecar, mark: &str) -> bool {
    let parent = format!("PPid:\t{}\n", sidecar.process.id());
    let is_ours =
        |id: &u32| fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|status| status.contains(&parent));
    remains(NO_SESSION, mark).iter().any(is_ours)
}

/// Ends the session, and waits until nothing is left that was known to be its own.
fn delete(sidecar: &Sidecar, session: &str) {
    sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
    sidecar.logged("child exited");
}

fn terminate(sidecar: &mut Sidecar) {
    kill(Pid::from_raw(sidecar.process.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(sidecar.process.wait().unwrap().success());
}

#[test]
fn a_daemon_with_nothing_of_its_server_ends_with_the_session() {
    let sidecar = started("daemon-delete", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7101.1");
    delete(&sidecar, &session);
    assert_eq!(remains(NO_SESSION, "7101.1"), Vec::<u32>::new());
}

#[test]
fn a_daemon_lives_as_long_as_any_session_that_may_have_started_it() {
    let sidecar = started("daemon-two", &[]);
    let first = sidecar.initialize();
    daemon(&sidecar, &first, "daemon", "7102.1");
    let second = sidecar.initialize();
    daemon(&sidecar, &second, "daemon", "7102.2");
    let third = sidecar.initialize();
    delete(&sidecar, &third);
    assert!(adopted(&sidecar, "7102.1") && adopted(&sidecar, "7102.2"));
    // The first daemon is older than the other session: it cannot be its.
    delete(&sidecar, &first);
    assert_eq!(remains(NO_SESSION, "7102.1"), Vec::<u32>::new());
    assert!(adopted(&sidecar, "7102.2"));
    delete(&sidecar, &second);
    assert_eq!(remains(NO_SESSION, "7102.2"), Vec::<u32>::new());
}

#[test]
fn a_daemon_that_may_be_of_two_sessions_ends_with_the_later_one() {
    let sidecar = started("daemon-either", &[]);
    let (first, second) = (sidecar.initialize(), sidecar.initialize());
    daemon(&sidecar, &first, "daemon", "7103.1");
    delete(&sidecar, &first);
    delete(&sidecar, &second);
    assert_eq!(remains(NO_SESSION, "7103.1"), Vec::<u32>::new());
}

#[test]
fn a_daemon_with_nothing_of_its_server_ends_with_the_sidecar() {
    let mut sidecar = started("daemon-sigterm", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7104.1");
    terminate(&mut sidecar);
    assert_eq!(remains(NO_SESSION, "7104.1"), Vec::<u32>::new());
}

#[test]
fn a_daemon_with_nothing_of_its_server_ends_when_the_sidecar_is_killed() {
    let mut sidecar = started("daemon-sigkill", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7105.1");
    sidecar.logged("adopted a process");
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, "7105.1");
}

#[test]
fn what_is_left_and_forks_on_ends_with_the_sidecar() {
    let mut sidecar = started("daemon-chain", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "forks_on", "7106.1");
    terminate(&mut sidecar);
    // One look may come between two links.
    for _ in 0..20 {
        assert_eq!(remains(NO_SESSION, "7106.1"), Vec::<u32>::new());
    }
}

#[test]
fn what_was_there_before_the_sidecar_is_left_alone() {
    // Two helpers, one of which has left the session, and what the third leaves behind when it is told to.
    let helpers = "sleep 7107.1 & setsid sleep 7107.2 & (until [ -e \"$1\" ]; do sleep 0.02; done; sleep 7107.3 &) &";
    let entrypoint = format!("{{ {helpers} }} >/dev/null 2>&1; shift; exec \"$@\"");
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let mut sidecar = started("daemon-before", &["sh", "-c", &entrypoint, "sh", told.to_str().unwrap()]);
    fs::write(&told, "").unwrap();
    eventually("it has an orphan that is no server's", || adopted(&sidecar, "sleep\x007107.3"));
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7108.1");
    delete(&sidecar, &session);
    terminate(&mut sidecar);
    assert_eq!(remains(NO_SESSION, "7108.1"), Vec::<u32>::new());
    for helper in ["7107.1", "7107.2", "7107.3"] {
        let [id] = remains(NO_SESSION, &format!("sleep\0{helper}"))[..] else { panic!("{helper} has been ended") };
        kill(Pid::from_raw(id.cast_signed()), Signal::SIGKILL).unwrap();
    }
}
