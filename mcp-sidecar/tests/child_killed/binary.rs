//! Whatever ends the program or one of its sessions, nothing is left.

use std::fs;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sidecar::{Sidecar, zombies_of};
use crate::support::{NO_SESSION, eventually, remains, vanished};

#[test]
fn sigkill_of_the_sidecar_ends_every_tree() {
    let mut sidecar = Sidecar::start("sigkill", &[]);
    sidecar.initialize();
    sidecar.initialize();
    sidecar.grows_to(12);
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, &sidecar.mark);
}

#[test]
fn a_killed_watchdog_is_replaced_at_once_and_the_new_one_knows_the_older_sessions() {
    let mut sidecar = Sidecar::start("watchdog", &[]);
    sidecar.initialize();
    // Nobody starts a session meanwhile.
    for _ in 0..2 {
        eventually("one watches", || watchdogs(&sidecar).len() == 1);
        let killed = watchdogs(&sidecar)[0];
        kill(Pid::from_raw(killed.cast_signed()), Signal::SIGKILL).unwrap();
        eventually("another watches", || watchdogs(&sidecar).iter().any(|id| *id != killed));
    }
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, &sidecar.mark);
}

/// A zombie has no command line.
fn watchdogs(sidecar: &Sidecar) -> Vec<u32> {
    let mut watchdogs = remains(NO_SESSION, "--watchdog-of-the-sidecar");
    watchdogs.retain(|id| parent_of(&format!("/proc/{id}/status")) == Some(sidecar.process.id()));
    watchdogs
}

fn parent_of(status: &str) -> Option<u32> {
    fs::read_to_string(status).ok()?.split_once("PPid:\t")?.1.lines().next()?.parse().ok()
}

#[test]
fn sigterm_to_the_sidecar_ends_every_tree_before_it_exits() {
    let mut sidecar = Sidecar::start("sigterm", &[]);
    sidecar.initialize();
    kill(Pid::from_raw(sidecar.process.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(sidecar.process.wait().unwrap().success());
    assert_eq!(remains(NO_SESSION, &sidecar.mark), Vec::<u32>::new());
}

#[test]
fn delete_of_a_session_ends_its_tree_and_no_other() {
    let sidecar = Sidecar::start("delete", &[]);
    let (first, _second) = (sidecar.initialize(), sidecar.initialize());
    sidecar.grows_to(12);
    let answer = sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {first}"), "");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    eventually("half of them are left", || sidecar.tree() == 6);
}

#[test]
fn the_idle_timeout_ends_a_tree() {
    let sidecar = Sidecar::with("idle", &[], &["--timeout", "1"]);
    sidecar.initialize();
    eventually("nothing is left", || sidecar.tree() == 0);
}

#[test]
fn a_call_that_is_given_up_leaves_the_tree_and_delete_ends_it() {
    let sidecar = Sidecar::with("call", &[], &["--call-timeout", "5"]);
    let session = sidecar.initialize();
    sidecar.grows_to(6);
    let given_up = sidecar.ask(
        &format!("POST /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"),
        r#"{"jsonrpc":"2.0","id":"hang","method":"hang"}"#,
    );
    assert!(given_up.contains("call_timeout"), "{given_up}");
    assert_eq!(sidecar.tree(), 6);
    sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
    eventually("nothing is left", || sidecar.tree() == 0);
}

/// A sidecar that is PID 1 of a process namespace, and its id outside.
fn as_pid_1(name: &str) -> (Sidecar, Pid) {
    let as_root = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let as_anybody = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let permitted = |namespace: &&[&str]| {
        let tried = Command::new(namespace[0]).args(&namespace[1..]).arg("true").status();
        tried.is_ok_and(|status| status.success())
    };
    let namespace = [&as_anybody[..], &as_root[..]].into_iter().find(permitted);
    let namespace = namespace.expect("this machine allows no process namespace, which this test is about");
    let sidecar = Sidecar::start(name, namespace);
    let unshare = sidecar.process.id();
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
    (sidecar, Pid::from_raw(children.trim().parse().unwrap()))
}

#[test]
fn as_pid_1_the_sidecar_collects_orphans_and_obeys_sigterm() {
    let (mut sidecar, init) = as_pid_1("pid1");
    let session = sidecar.initialize();
    sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
    // The sidecar is left, inside unshare.
    eventually("no process and no zombie is left", || sidecar.tree() == 1 && no_zombie_of(init));
    kill(init, Signal::SIGTERM).unwrap();
    assert!(sidecar.process.wait().unwrap().success());
}

#[test]
fn as_pid_1_the_sidecar_passes_on_signals_that_mean_nothing_to_itself() {
    for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
        let (sidecar, init) = as_pid_1(&format!("pid1-{signal}"));
        sidecar.initialize();
        assert!(sidecar.tree() > 1);
        kill(init, signal).unwrap();
        // By default they end a process; the sidecar itself lives on.
        eventually("the children got it", || sidecar.tree() == 1 && no_zombie_of(init));
        sidecar.initialize();
    }
}

fn no_zombie_of(parent: Pid) -> bool {
    zombies_of(parent.as_raw().cast_unsigned()).is_empty()
}
