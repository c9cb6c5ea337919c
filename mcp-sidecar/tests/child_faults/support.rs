//! Real children for the tests of `child`, and a look at /proc for what they leave behind.

use std::fs;
use std::future::Future;
use std::io;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcp_sidecar::child::{self, Child, Command, ExitReason, FromChild, Limits, reap};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

pub(crate) const LIMITS: Limits =
    Limits { max_line: 1024 * 1024, stdin_queue: 64, stdout_queue: 64, stop_grace: Duration::from_millis(300) };

/// For children that obey, on a machine so busy that obeying takes a while.
pub(crate) const PATIENT: Limits = Limits { stop_grace: Duration::from_secs(10), ..LIMITS };

/// As in the sidecar: a runtime of its own that outlives the sessions, here the tests, and collects orphans.
static SUPERVISOR: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    reap::adopt_orphans(runtime.handle()).unwrap();
    runtime
});

/// Long enough for a loaded machine; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn command(program: &str, args: &[&str]) -> Command {
    Command { program: program.into(), args: args.iter().map(Into::into).collect(), env: Vec::new() }
}

pub(crate) fn shell(script: &str) -> (Child, Receiver<FromChild>) {
    shell_within(script, &LIMITS)
}

pub(crate) fn shell_within(script: &str, limits: &Limits) -> (Child, Receiver<FromChild>) {
    spawn(&command("sh", &["-c", script]), limits).unwrap()
}

pub(crate) fn spawn(command: &Command, limits: &Limits) -> io::Result<(Child, Receiver<FromChild>)> {
    child::spawn(command, limits, "test", SUPERVISOR.handle())
}

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("this takes too long")
}

pub(crate) async fn next(events: &mut Receiver<FromChild>) -> Option<FromChild> {
    soon(events.recv()).await
}

pub(crate) async fn line(events: &mut Receiver<FromChild>) -> String {
    match next(events).await {
        Some(FromChild::Line(line)) => String::from_utf8(line.to_vec()).unwrap(),
        other => panic!("not a line: {other:?}"),
    }
}

/// The lines until the end, and the end, which must be the only one.
pub(crate) async fn rest(events: &mut Receiver<FromChild>) -> (Vec<Bytes>, ExitReason) {
    let mut lines = Vec::new();
    loop {
        match next(events).await.expect("an exit before the channel closes") {
            FromChild::Line(line) => lines.push(line),
            FromChild::Oversized(line) => panic!("oversized: {line:?}"),
            FromChild::Exited(reason) => {
                assert_eq!(next(events).await, None, "nothing comes after the exit");
                return (lines, reason);
            }
        }
    }
}

/// For those who look for a mark only; kernel threads are in session 0.
pub(crate) const NO_SESSION: u32 = u32::MAX;

/// Process ids, zombies included, whose environment or command line contains `mark` or whose session is `session`.
pub(crate) fn remains(session: u32, mark: &str) -> Vec<u32> {
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| is_in_session(*id, session) || (!mark.is_empty() && is_marked(*id, mark))).collect()
}

fn is_in_session(id: u32, session: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(3) == Some(&session.to_string())
}

fn is_marked(id: u32, mark: &str) -> bool {
    let read = |file| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    id != std::process::id()
        && (String::from_utf8_lossy(&read("environ")).contains(mark)
            || String::from_utf8_lossy(&read("cmdline")).contains(mark))
}

/// Waits, without async, until nothing of this session and mark is left.
pub(crate) fn vanished(session: u32, mark: &str) {
    eventually(&format!("nothing is left of {session} {mark}"), || remains(session, mark).is_empty());
}

/// Waits, without async, until the condition holds; for what nobody announces.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
