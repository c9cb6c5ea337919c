//! The sidecar dies without a chance to clean up. This test binary plays the sidecar, started once more with the name
//! of an ignored test; the watchdog is a third copy of it.

use std::io::{BufRead, BufReader};
use std::process::{self, Stdio};

use mcp_sidecar::child::watchdog;

use crate::support::{LIMITS, NO_SESSION, command, line, remains, spawn, vanished};

/// Only set by the tests below: `--include-ignored` must not start any of this.
const ROLE: &str = "CHILD_FAULTS_ROLE";

#[expect(clippy::disallowed_methods, reason = "this process is configured by the test that starts it")]
fn plays(role: &str) -> bool {
    std::env::var(ROLE).is_ok_and(|played| played == role)
}

fn as_test(name: &str) -> [String; 4] {
    ["--exact", &format!("killed_sidecar::{name}"), "--ignored", "--nocapture"].map(str::to_owned)
}

#[test]
#[ignore = "the sidecar of the other tests"]
fn sidecar_process() {
    if !plays("sidecar") {
        return;
    }
    watchdog::arm(as_test("watchdog_process").map(Into::into));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tree = "trap '' TERM; sleep 9001 & (setsid sh -c 'trap \"\" TERM; sleep 9002; sleep 9003' &); \
                    setsid env -i sleep 900413 & echo up; while :; do sleep 9005; done";
        let mut children = Vec::new();
        for _ in 0..3 {
            let (child, mut events) = spawn(&command("sh", &["-c", tree]), &LIMITS).unwrap();
            assert_eq!(line(&mut events).await, "up");
            println!("leader {}", child.id());
            children.push((child, events));
        }
        println!("ready");
        std::future::pending::<()>().await;
    });
}

#[test]
#[ignore = "the watchdog of the other tests"]
fn watchdog_process() {
    // The real one has an empty environment, and its whole process is this.
    if remains_of_a_pipe() {
        assert_eq!(watchdog::run(), process::ExitCode::SUCCESS);
    }
}

/// A watchdog is started by the sidecar with a pipe for its input and without any environment.
fn remains_of_a_pipe() -> bool {
    let input = std::fs::read_link("/proc/self/fd/0").unwrap();
    input.to_string_lossy().starts_with("pipe:") && std::fs::read("/proc/self/environ").unwrap().is_empty()
}

struct Sidecar {
    process: process::Child,
    leaders: Vec<u32>,
}

fn started() -> Sidecar {
    let mut command = process::Command::new(std::env::current_exe().unwrap());
    command.args(as_test("sidecar_process")).env(ROLE, "sidecar").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let leaders =
        lines.take_while(|line| line != "ready").filter_map(|line| line.split_once("leader ")?.1.parse().ok());
    let leaders: Vec<u32> = leaders.collect();
    assert_eq!(leaders.len(), 3);
    Sidecar { process, leaders }
}

#[test]
fn a_sidecar_killed_with_sigkill_leaves_no_child_or_grandchild() {
    let mut sidecar = started();
    let role = format!("{ROLE}=sidecar");
    assert!(remains(NO_SESSION, &role).len() > 9, "children, grandchildren and daemons carry the environment");
    sidecar.process.kill().unwrap();
    sidecar.process.wait().unwrap();
    for leader in sidecar.leaders {
        vanished(leader, &role);
    }
    vanished(NO_SESSION, "900413");
    vanished(NO_SESSION, "watchdog_process");
}
