//! A program that a test has started. Its output goes to a file, which is shown when the test fails.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use super::wait::within;

/// For what a program says.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a stop signal: ours may finish what is in flight for 30 s. A client calls a tool meanwhile.
const ENDS_WITHIN: Duration = Duration::from_secs(45);
/// Between SIGTERM and SIGKILL for those that nobody needs any longer.
const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// Of a failed test's programs, so much of each log is shown.
const SHOWN_BYTES: usize = 6000;

/// Ended with SIGTERM, then SIGKILL, when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl Process {
    pub fn start(name: &str, command: &mut Command) -> Self {
        Self::spawn(name, command.stdin(Stdio::null()))
    }

    /// With a pipe into its standard input.
    pub fn start_fed(name: &str, command: &mut Command) -> (Self, ChildStdin) {
        let mut process = Self::spawn(name, command.stdin(Stdio::piped()));
        let stdin = process.child.stdin.take().expect("piped");
        (process, stdin)
    }

    fn spawn(name: &str, command: &mut Command) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join(format!("{name}.log"));
        let out = File::create(&log).expect("a file in it");
        let err = out.try_clone().expect("a second handle of it");
        let child = command.stdout(out).stderr(err).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} cannot be started ({command:?}): {error}"));
        Self { name: name.to_owned(), child, log, _folder: folder }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id fits"))
    }

    /// Everything it has written so far, without terminal colours.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// From its line `listening addr=…`.
    pub fn address(&mut self) -> SocketAddr {
        self.within("say its address", |log| {
            let line = log.lines().find(|line| line.contains("listening") && line.contains("addr="))?;
            line.split("addr=").nth(1)?.split_whitespace().next()?.parse().ok()
        })
    }

    /// What `look` finds in the log; panics when the program ends before.
    pub fn within<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        let (name, log) = (self.name.clone(), self.log.clone());
        within(PATIENCE, &format!("{name} did not {what}"), || {
            // In this order: its last words count.
            let ended = self.child.try_wait().expect("a child can be asked");
            let found = look(&read(&log));
            assert!(
                found.is_some() || ended.is_none(),
                "{name} ended with {ended:?} and did not {what}: {}",
                read(&log)
            );
            found
        })
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap_or_else(|error| panic!("{} cannot be signalled: {error}", self.name));
    }

    /// SIGTERM, if it still runs.
    pub fn ask_to_end(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _gone_already = kill(self.pid(), Signal::SIGTERM);
        }
    }

    /// Waits until it has ended by itself or by a signal.
    pub fn ended(&mut self) -> ExitStatus {
        let name = self.name.clone();
        within(ENDS_WITHIN, &format!("{name} did not end"), || self.child.try_wait().expect("a child can be asked"))
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended()
    }
}

fn read(log: &Path) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + piece.split_once('m').map_or("", |(_colour, rest)| rest))
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.ask_to_end();
            let started = Instant::now();
            while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && started.elapsed() < STOPS_WITHIN {
                thread::sleep(Duration::from_millis(5));
            }
            let _gone_already = self.child.kill();
            let _reaped_already = self.child.wait();
        }
        if thread::panicking() {
            show(&self.name, &read(&self.log));
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
fn show(name: &str, log: &str) {
    let mut start = log.len().saturating_sub(SHOWN_BYTES);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    eprintln!("--- {name} wrote:\n{}", &log[start..]);
}
