//! Daemons that nothing but their parent tells from a stranger's: their group, session and environment are their own.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::exhausted::NOT_ROOT;
use crate::sidecar::Sidecar;
use crate::support::{NO_SESSION, eventually, remains, vanished};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/daemons.py");

fn started(name: &str, before: &[&str]) -> Sidecar {
    // Whoever obeys does so in time, on a busy machine too.
    let options = ["--log-level", "debug", "--stop-timeout", "10", "--", "python3", FIXTURE];
    Sidecar::around(name, before, &options)
}

/// Told from those of other runs of these tests.
fn own(mark: &str) -> String {
    mark.replacen('.', &format!("{:07}.", std::process::id()), 1)
}

fn left(mark: &str) -> Vec<u32> {
    remains(NO_SESSION, &own(mark))
}

/// Has this session's server start a daemon, and waits until the sidecar has adopted it and whoever starts next is
/// younger by the system's clock.
fn daemon(sidecar: &Sidecar, session: &str, method: &str, mark: &str) {
    let params = format!(r#"{{"mark":"{}"}}"#, own(mark));
    let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
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
    left(mark).iter().any(is_ours)
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
    assert_eq!(left("7101.1"), Vec::<u32>::new());
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
    assert_eq!(left("7102.1"), Vec::<u32>::new());
    assert!(adopted(&sidecar, "7102.2"));
    delete(&sidecar, &second);
    assert_eq!(left("7102.2"), Vec::<u32>::new());
}

#[test]
fn a_daemon_that_may_be_of_two_sessions_ends_with_the_later_one() {
    let sidecar = started("daemon-either", &[]);
    let (first, second) = (sidecar.initialize(), sidecar.initialize());
    daemon(&sidecar, &first, "daemon", "7103.1");
    delete(&sidecar, &first);
    delete(&sidecar, &second);
    assert_eq!(left("7103.1"), Vec::<u32>::new());
}

#[test]
fn a_daemon_with_nothing_of_its_server_ends_with_the_sidecar() {
    let mut sidecar = started("daemon-sigterm", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7104.1");
    terminate(&mut sidecar);
    assert_eq!(left("7104.1"), Vec::<u32>::new());
}

#[test]
fn a_daemon_with_nothing_of_its_server_ends_when_the_sidecar_is_killed() {
    let mut sidecar = started("daemon-sigkill", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7105.1");
    sidecar.logged("adopted a process");
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, &own("7105.1"));
}

#[test]
fn what_is_left_and_forks_on_ends_with_the_sidecar() {
    let mut sidecar = started("daemon-chain", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "forks_on", "7106.1");
    terminate(&mut sidecar);
    // One look may come between two links.
    for _ in 0..20 {
        assert_eq!(left("7106.1"), Vec::<u32>::new());
    }
}

#[test]
fn the_log_does_not_blame_a_server_for_what_others_may_have_left() {
    let sidecar = started("daemon-stubborn", &[]);
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "stubborn", "7113.1");
    eventually("it is deaf", || adopted(&sidecar, "sleep\x007113.1"));
    sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
    let log = sidecar.logged("child exited");
    let blamed: Vec<_> = ["child", "orphans"]
        .into_iter()
        .filter(|who| log.iter().any(|line| line.contains(&format!("{who} ignored SIGTERM"))))
        .collect();
    assert_eq!(blamed, ["orphans"], "{log:?}");
    assert_eq!(left("7113.1"), Vec::<u32>::new());
}

/// Helpers of an entrypoint that becomes a sidecar: one; one that has left the session; one that leaves an orphan when it
/// is told to; one that has left the session and then does the same; and one that began in a session of its own what does
/// the same. `LEFT` is what the last leaves: no other than a server's daemon, by what can be known of it.
const HELPERS: &str = r#"
told() { until [ -e "$TOLD" ]; do sleep 0.02; done; }
leaves='until [ -e "$TOLD" ]; do sleep 0.02; done; (sleep "$1" &); exec sleep "$2"'
{
    sleep 7107.1 &
    setsid sleep 7107.2 &
    (told; sleep 7107.3 &) &
    setsid sh -c "$leaves" sh 7107.4 7107.5 &
    (setsid sh -c "$leaves" sh 7107.7 7107.6 & wait) &
} >/dev/null 2>&1
exec "$@""#;
const OTHERS: [&str; 6] = ["7107.1", "7107.2", "7107.3", "7107.4", "7107.5", "7107.6"];
const LEFT: &str = "7107.7";

/// `test` instead of `7107.`: tests that run at once tell their helpers apart.
fn with_helpers(name: &str, test: &str) -> Sidecar {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let script = HELPERS.replace("7107.", &own(test));
    let told_to = format!("TOLD={}", told.display());
    let sidecar = started(name, &["env", &told_to, "sh", "-c", &script, "sh"]);
    fs::write(&told, "").unwrap();
    for orphan in ["7107.3", "7107.4", LEFT] {
        eventually("it has an orphan", || adopted(&sidecar, &named(orphan, test)));
    }
    for helper in OTHERS {
        eventually("its helpers sleep", || !left(&named(helper, test)).is_empty());
    }
    sidecar
}

/// The command line.
fn named(helper: &str, test: &str) -> String {
    format!("sleep\0{}", helper.replace("7107.", test))
}

fn others_are_there(test: &str) {
    for helper in OTHERS {
        let [id] = left(&named(helper, test))[..] else { panic!("{helper} has been ended") };
        kill(Pid::from_raw(id.cast_signed()), Signal::SIGKILL).unwrap();
    }
}

#[test]
fn what_was_there_before_the_sidecar_is_left_alone() {
    let mut sidecar = with_helpers("daemon-before", "7107.");
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7108.1");
    delete(&sidecar, &session);
    terminate(&mut sidecar);
    for daemon in ["7108.1", &named(LEFT, "7107.")] {
        assert_eq!(left(daemon), Vec::<u32>::new());
    }
    others_are_there("7107.");
}

#[test]
fn what_was_there_before_the_sidecar_is_left_alone_when_it_is_killed() {
    let mut sidecar = with_helpers("daemon-before-sigkill", "7109.");
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7110.1");
    for _ in [LEFT, "7110.1"] {
        sidecar.logged("adopted a process");
    }
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, &own(&named(LEFT, "7109.")));
    vanished(NO_SESSION, &own("7110.1"));
    others_are_there("7109.");
}

/// Only root can be two users: the others have no orphan of another.
#[test]
fn nobody_waits_for_an_orphan_that_the_sidecar_may_not_signal() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let helper = r#"(until [ -e "$TOLD" ]; do sleep 0.02; done; setsid sleep 7111.1 >/dev/null 2>&1 &) & exec "$@""#;
    let helper = &helper.replace("7111.1", &own("7111.1"));
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let told_to = format!("TOLD={}", told.display());
    let before = [&["env", &told_to, "sh", "-c", helper, "sh"], NOT_ROOT].concat();
    let mut sidecar = started("daemon-other-user", &before);
    fs::write(&told, "").unwrap();
    eventually("it has an orphan", || adopted(&sidecar, "sleep\x007111.1"));
    let session = sidecar.initialize();
    daemon(&sidecar, &session, "daemon", "7112.1");
    sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
    let log = sidecar.logged("child exited");
    assert!(!log.iter().any(|line| line.contains("ignored SIGTERM")), "{log:?}");
    terminate(&mut sidecar);
    assert_eq!(left("7112.1"), Vec::<u32>::new());
    let [id] = left("sleep\x007111.1")[..] else { panic!("it has been ended") };
    kill(Pid::from_raw(id.cast_signed()), Signal::SIGKILL).unwrap();
}
