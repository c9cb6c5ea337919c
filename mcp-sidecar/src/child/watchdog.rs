//! What remains to be done when the sidecar is killed with SIGKILL: a tiny process that outlives it and ends its
//! children.
//!
//! It is the sidecar's own executable, started with a hidden first argument and the reading end of a pipe. Children and
//! adopted orphans are announced on the pipe; its end of file means that the sidecar is dead, however it died. The
//! watchdog then ends all that were announced, what descends from them, who else is in a child's group and session, and
//! whoever carries the sidecar's cookie in the environment, and exits. Left out: whose parent died with the sidecar or a
//! moment before, and who has nothing of its family. Nobody was told of it, and the system has made it somebody else's.

use std::collections::{BTreeMap, BTreeSet};
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
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use tokio::task::spawn_blocking;

use super::processes::{Identity, Look};
use super::{family, reap, spawn};

/// Set in each child: `<sidecar>.<number>.`. Inherited by all that it starts.
pub const COOKIE: &str = "MCP_SIDECAR_COOKIE";
/// The hidden first argument.
const ARGUMENT: &str = "--watchdog-of-the-sidecar";
/// How a line to the watchdog begins, before a number: the leader of a family, an orphan, or one that is no more.
const LEADER: char = '+';
const ORPHAN: char = '*';
const GONE: char = '-';
/// Children of a dead sidecar have seen the end of their input already; this is how long SIGTERM may take.
const GRACE: Duration = Duration::from_secs(2);
const AFTER_KILL: Duration = Duration::from_secs(10);
/// One that dies at once is not started all the time.
const NEXT_TRY: Duration = Duration::from_secs(1);
/// One page; a user who has many pipes gets no larger ones.
const SMALLEST_PIPE: usize = 4096;
const LOOK: Duration = Duration::from_millis(25);
/// A watchdog leaves with its pipe, not with the signals that end the sidecar.
const IGNORED: &[libc::c_int] = &[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2];

static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();
static WATCH: Mutex<Watch> = Mutex::new(Watch { watchdog: None, guarded: BTreeMap::new(), begun: None });
static SIDECAR: OnceLock<String> = OnceLock::new();
static CHILDREN: AtomicU64 = AtomicU64::new(0);

/// What each watchdog is told, and the one that runs.
#[derive(Debug)]
struct Watch {
    watchdog: Option<Watchdog>,
    /// As what each was announced.
    guarded: BTreeMap<Identity, char>,
    /// When the last one was started, or should have been.
    begun: Option<Instant>,
}

#[derive(Debug)]
struct Watchdog {
    id: u32,
    pipe: io::PipeWriter,
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
    let mut guarded = Guarded::default();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let mut rest = line.chars();
        match (rest.next(), Identity::parse(rest.as_str())) {
            (Some('='), _) => cookie = Some(rest.as_str().to_owned()),
            (Some(LEADER), Some(new)) => drop(guarded.leaders.insert(new)),
            (Some(ORPHAN), Some(new)) => drop(guarded.orphans.insert(new)),
            (Some(GONE), Some(gone)) => guarded.forget(gone),
            _ => {}
        }
    }
    // No cookie: nothing was ever said, and an empty one would match everybody's.
    if let Some(cookie) = cookie
        && !(guarded.are_gone_after(Signal::SIGTERM, GRACE, &cookie)
            || guarded.are_gone_after(Signal::SIGKILL, AFTER_KILL, &cookie))
    {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What a watchdog was told.
#[derive(Debug, Default)]
struct Guarded {
    leaders: BTreeSet<Identity>,
    orphans: BTreeSet<Identity>,
}

impl Guarded {
    fn forget(&mut self, gone: Identity) {
        self.leaders.remove(&gone);
        self.orphans.remove(&gone);
    }

    fn are_gone_after(&mut self, signal: Signal, patience: Duration, cookie: &str) -> bool {
        let deadline = Instant::now() + patience;
        let mut is_first = true;
        // Nobody carries a cookie of the sidecar's who is older than all that it started.
        let since = self.leaders.iter().chain(&self.orphans).map(|guarded| guarded.started).min().unwrap_or(0);
        loop {
            let look = Look::since(since);
            let mut living = look.living(&self.leaders, Some(cookie));
            let left = look.parted(look.descent(&self.orphans));
            // Who outlives its parent is nobody's descendant any more.
            self.orphans.extend(left.iter().map(|process| process.identity));
            living.extend(left);
            if living.is_empty() {
                return true;
            }
            if is_first || signal == Signal::SIGKILL {
                family::send(signal, None, &living);
                is_first = false;
            }
            if Instant::now() >= deadline {
                return false;
            }
            sleep(LOOK);
        }
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
    let mut watch = lock();
    if watch.say("\n").is_ok() {
        return;
    }
    if let Some(dead) = watch.watchdog.take() {
        reap::collect(dead.id);
    }
    if let Err(fault) = watch.start(arguments) {
        warn!(error:% = fault; "no watchdog: children would survive a SIGKILL of this process");
    }
}

/// The same when there was one and it has died, which a child's exit may be about.
pub(super) async fn replace() {
    let is_due = lock().is_to_be_replaced();
    if is_due {
        spawn_blocking(watch).await.ok();
    }
}

/// Its group and session are to end with it.
pub(super) fn guard_leader(new: Identity) {
    guard(LEADER, new);
}

/// Its descendants are to end with it.
pub(super) fn guard_orphan(new: Identity) {
    guard(ORPHAN, new);
}

fn guard(sign: char, new: Identity) {
    let mut watch = lock();
    watch.guarded.insert(new, sign);
    let told = watch.watchdog.is_none() || watch.say(&format!("{sign}{new}\n")).is_ok();
    drop(watch);
    if !told {
        // Its successor is told of all.
        self::watch();
    }
}

/// It is no more, and its id may soon be somebody else's.
pub(super) fn release(gone: Identity) {
    let mut watch = lock();
    watch.guarded.remove(&gone);
    // A dead watchdog forgets too.
    watch.say(&format!("{GONE}{gone}\n")).ok();
}

fn lock() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    fn is_to_be_replaced(&self) -> bool {
        let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let lives = |id: u32| matches!(waitid(Id::Pid(family::pid(id)), peek), Ok(WaitStatus::StillAlive));
        self.begun.is_some_and(|begun| begun.elapsed() >= NEXT_TRY)
            && !self.watchdog.as_ref().is_some_and(|watchdog| lives(watchdog.id))
    }

    fn start(&mut self, arguments: &[OsString]) -> io::Result<()> {
        self.begun = Some(Instant::now());
        let mut said = format!("={}\n", sidecar()?);
        for (guarded, sign) in &self.guarded {
            said.push_str(&format!("{sign}{guarded}\n"));
        }
        let (input, mut pipe) = io::pipe()?;
        // Before it is there, as far as any pipe holds it: then no kill of ours comes too early.
        let (before, after) = said.split_at(said.len().min(SMALLEST_PIPE));
        pipe.write_all(before.as_bytes())?;
        let mut command = process::Command::new("/proc/self/exe");
        command.args(arguments).env_clear();
        command.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
        spawn::detach(&mut command, IGNORED);
        let id = reap::spawn_registered(&mut command)?.id();
        // With it goes our copy of the end that is read.
        drop(command);
        self.watchdog = Some(Watchdog { id, pipe });
        self.say(after)
    }

    fn say(&mut self, lines: &str) -> io::Result<()> {
        match &mut self.watchdog {
            Some(watchdog) => watchdog.pipe.write_all(lines.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
