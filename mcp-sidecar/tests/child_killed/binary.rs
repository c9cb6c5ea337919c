//! The real program around trees like those that `npx` makes: whatever ends it or one of its sessions, nothing is left.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{NO_SESSION, remains, vanished};

/// npx → sh → server, with a helper beside it and a daemon that fled: the least that answers `initialize`.
const TREE: &str = r#"sleep 7001 & (setsid sleep 7002 >/dev/null 2>&1 &)
sh -c 'sleep 7003 & python3 -uc "
import json, sys
for line in sys.stdin:
    call = json.loads(line)
    if \"id\" in call:
        info = {\"protocolVersion\": \"2025-11-25\", \"capabilities\": {}, \"serverInfo\": {\"name\": \"tree\", \"version\": \"1\"}}
        print(json.dumps({\"jsonrpc\": \"2.0\", \"id\": call[\"id\"], \"result\": info}))
"; :'; :"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
/// Marks, in the environment, all that one test has started.
const MARK: &str = "CHILD_FAULTS_TREE";

struct Sidecar {
    process: Child,
    addr: String,
    mark: String,
}

impl Sidecar {
    fn start(name: &str, before: &[&str]) -> Self {
        let words = [before, &[env!("CARGO_BIN_EXE_mcp-sidecar"), "--port", "0", "--stop-timeout", "1"]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["--", "sh", "-c", TREE]).env(MARK, name).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let addr = log.find_map(|line| Some(line.split_once("addr=")?.1.split(' ').next()?.to_owned())).unwrap();
        std::thread::spawn(move || log.for_each(drop));
        Self { process, addr, mark: format!("{MARK}={name}") }
    }

    fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        let length = body.len();
        let common = "Host: localhost\r\nConnection: close\r\nAccept: application/json, text/event-stream";
        write!(
            stream,
            "{head}\r\n{common}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Opens a session and gives its id.
    fn initialize(&self) -> String {
        let answer = self.ask("POST /mcp HTTP/1.1", INITIALIZE);
        assert!(answer.contains("\"tree\""), "{answer}");
        let head = answer.to_ascii_lowercase();
        head.split_once("mcp-session-id: ").unwrap().1.lines().next().unwrap().to_owned()
    }

    fn tree(&self) -> usize {
        // The sidecar itself carries the mark as well.
        remains(NO_SESSION, &self.mark).iter().filter(|id| **id != self.process.id()).count()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn sigkill_of_the_sidecar_ends_every_tree() {
    let mut sidecar = Sidecar::start("sigkill", &[]);
    sidecar.initialize();
    sidecar.initialize();
    assert!(sidecar.tree() >= 12, "two trees of six");
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, &sidecar.mark);
}

#[test]
fn a_killed_watchdog_is_replaced_with_the_next_session_and_knows_the_older_ones() {
    let mut sidecar = Sidecar::start("watchdog", &[]);
    sidecar.initialize();
    let mut watchdogs = remains(NO_SESSION, "--watchdog-of-the-sidecar").into_iter();
    let own = watchdogs.find(|id| parent_of(&format!("/proc/{id}/status")) == Some(sidecar.process.id())).unwrap();
    kill(Pid::from_raw(own.cast_signed()), Signal::SIGKILL).unwrap();
    // A zombie has no command line.
    while remains(NO_SESSION, "--watchdog-of-the-sidecar").contains(&own) {
        std::thread::sleep(Duration::from_millis(5));
    }
    sidecar.initialize();
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    vanished(NO_SESSION, &sidecar.mark);
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
    let both = sidecar.tree();
    let answer = sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {first}"), "");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while sidecar.tree() != both / 2 {
        assert!(Instant::now() < deadline, "{} of {both} are left", sidecar.tree());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn without_descriptors_a_session_is_refused_and_the_others_live() {
    let sidecar = Sidecar::start("descriptors", &["sh", "-c", "ulimit -n 48; exec \"$@\"", "sh"]);
    let first = sidecar.initialize();
    let refused =
        (0..20).map(|_| sidecar.ask("POST /mcp HTTP/1.1", INITIALIZE)).find(|answer| !answer.contains("\"tree\""));
    assert!(refused.is_some_and(|answer| answer.starts_with("HTTP/1.1 5")));
    let head = format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {first}");
    assert!(sidecar.ask(&head, "").starts_with("HTTP/1.1 20"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !sidecar.ask("POST /mcp HTTP/1.1", INITIALIZE).contains("\"tree\"") {
        assert!(Instant::now() < deadline, "the ended session's descriptors do not come back");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn as_pid_1_the_sidecar_collects_orphans_and_obeys_sigterm() {
    let namespace = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];
    if !Command::new(namespace[0]).args(&namespace[1..]).arg("true").status().is_ok_and(|status| status.success()) {
        println!("not tried: this machine allows no process namespace");
        return;
    }
    let mut sidecar = Sidecar::start("pid1", &namespace);
    let session = sidecar.initialize();
    let unshare = sidecar.process.id();
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
    let init: i32 = children.trim().parse().unwrap();
    sidecar.ask(&format!("DELETE /mcp HTTP/1.1\r\nMcp-Session-Id: {session}"), "");
    let deadline = Instant::now() + Duration::from_secs(20);
    // The sidecar is left, inside unshare.
    while sidecar.tree() != 1 || zombies_of(init) > 0 {
        assert!(Instant::now() < deadline, "{} are left, {} zombies", sidecar.tree() - 1, zombies_of(init));
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(Pid::from_raw(init), Signal::SIGTERM).unwrap();
    assert!(sidecar.process.wait().unwrap().success());
}

fn zombies_of(parent: i32) -> usize {
    let is_zombie = |status: String| status.contains(&format!("\nPPid:\t{parent}\n")) && status.contains("\nState:\tZ");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok())
        .filter(|s| is_zombie(s.clone()))
        .count()
}
