//! What remains to be done when the sidecar is killed with SIGKILL: a tiny process that outlives it and ends its
//! children.
//!
//! It is the sidecar's own executable, started with a hidden first argument and the reading end of a pipe. Children
//! are announced on the pipe; its end of file means that the sidecar is dead, however it died. The watchdog then
//! ends all groups still announced and whoever carries the sidecar's cookie in the environment, and exits.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::process::{self, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use log::warn;
use nix::libc;
use nix::sys::signal::Signal;

use super::processes::Look;
use super::{family, reap, spawn};

/// Set in each child: `<sidecar>.<number>.`. Inherited by all that it starts.
pub const COOKIE: &str = "MCP_SIDECAR_COOKIE";
/// The hidden first argument.
const ARGUMENT: &str = "--watchdog-of-the-sidecar";
/// Children of a dead sidecar have seen the end of their input already; this is how long SIGTERM may take.
const GRACE: Duration = Duration::from_secs(2);
const AFTER_KILL: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(25);
/// A watchdog leaves with its pipe, not with the signals that end the sidecar.
const IGNORED: &[libc::c_int] = &[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2];

static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();
static WATCHDOG: Mutex<Option<Watchdog>> = Mutex::new(None);
static SIDECAR: OnceLock<String> = OnceLock::new();
static CHILDREN: AtomicU64 = AtomicU64::new(0);

/// The running watchdog and what it has been told.
#[derive(Debug)]
struct Watchdog {
    process: process::Child,
    guarded: BTreeSet<u32>,
}

/// To be called first in `main`, with the program's arguments: runs the watchdog if this process is one, else lets
/// the first child start one.
#[must_use]
pub fn main_if_requested(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    if arguments.into_iter().nth(1).is_some_and(|first| first == ARGUMENT) {
        return Some(run());
    }
    arm([ARGUMENT.into()]);
    None
}

/// Says how this executable is started so that it calls [`run`]. Without it children are not guarded.
pub fn arm(arguments: impl IntoIterator<Item = OsString>) {
    ARGUMENTS.get_or_init(|| arguments.into_iter().collect());
}

/// The watchdog's whole life.
#[must_use]
pub fn run() -> ExitCode {
    let mut cookie = None;
    let mut guarded = BTreeSet::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match (line.get(..1), line.get(1..)) {
            (Some("="), Some(sidecar)) => cookie = Some(sidecar.to_owned()),
            (Some("+"), Some(id)) => guarded.extend(id.parse::<u32>()),
            (Some("-"), Some(id)) => guarded.retain(|guarded| Ok(*guarded) != id.parse::<u32>()),
            _ => {}
        }
    }
    // No cookie: nothing was ever said, and an empty one would match everybody's.
    if let Some(cookie) = cookie
        && !(is_over(Signal::SIGTERM, GRACE, &guarded, &cookie)
            || is_over(Signal::SIGKILL, AFTER_KILL, &guarded, &cookie))
    {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn is_over(signal: Signal, patience: Duration, guarded: &BTreeSet<u32>, cookie: &str) -> bool {
    let deadline = Instant::now() + patience;
    let mut is_first = true;
    loop {
        let living = Look::since(guarded).living(guarded, cookie);
        if living.is_empty() {
            return true;
        }
        if is_first || signal == Signal::SIGKILL {
            family::send(signal, guarded, &living);
            is_first = false;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(LOOK);
    }
}

/// A cookie for the next child, unlike any other anywhere.
pub(super) fn next_cookie() -> io::Result<String> {
    Ok(format!("{}{}.", sidecar()?, CHILDREN.fetch_add(1, Ordering::Relaxed)))
}

/// The part of the cookie that all our children share.
fn sidecar() -> io::Result<&'static str> {
    if let Some(sidecar) = SIDECAR.get() {
        return Ok(sidecar);
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut sidecar = String::with_capacity(33);
    for byte in random {
        write!(sidecar, "{byte:02x}").map_err(io::Error::other)?;
    }
    sidecar.push('.');
    Ok(SIDECAR.get_or_init(|| sidecar))
}

/// Starts the watchdog with the first child, before it, and again should it have died.
pub(super) fn watch() {
    let Some(arguments) = ARGUMENTS.get() else { return };
    let mut watchdog = lock();
    if watchdog.as_mut().is_some_and(|running| running.say("\n").is_ok()) {
        return;
    }
    let guarded = watchdog.take().map(Watchdog::bury).unwrap_or_default();
    match Watchdog::start(arguments, guarded) {
        Ok(started) => *watchdog = Some(started),
        Err(fault) => warn!(error:% = fault; "no watchdog: children would survive a SIGKILL of this process"),
    }
}

/// Announces a group.
pub(super) fn guard(id: u32) {
    let told = lock().as_mut().is_none_or(|running| {
        running.guarded.insert(id);
        running.say(&format!("+{id}\n")).is_ok()
    });
    if !told {
        // Its successor is told of all.
        watch();
    }
}

/// The group is no more, and its id may soon be somebody else's.
pub(super) fn release(id: u32) {
    if let Some(running) = lock().as_mut() {
        running.guarded.remove(&id);
        // A dead watchdog forgets too.
        running.say(&format!("-{id}\n")).ok();
    }
}

fn lock() -> MutexGuard<'static, Option<Watchdog>> {
    WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchdog {
    fn start(arguments: &[OsString], guarded: BTreeSet<u32>) -> io::Result<Self> {
        let mut command = process::Command::new("/proc/self/exe");
        command.args(arguments).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        spawn::detach(&mut command, IGNORED);
        let mut watchdog = Self { process: reap::spawn_registered(&mut command)?, guarded };
        let mut said = format!("={}\n", sidecar()?);
        for id in &watchdog.guarded {
            said.push_str(&format!("+{id}\n"));
        }
        watchdog.say(&said)?;
        Ok(watchdog)
    }

    fn say(&mut self, lines: &str) -> io::Result<()> {
        match &mut self.process.stdin {
            Some(pipe) => pipe.write_all(lines.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// It has died before its time; others will do its work.
    fn bury(self) -> BTreeSet<u32> {
        reap::collect(self.process.id());
        self.guarded
    }
}
