//! Those whose parent ended before them. The system makes them children of the sidecar, which is their subreaper or
//! PID 1; a daemon that has left its group and session and whose environment is empty or hidden has nothing else by
//! which to know it.
//!
//! Whose it is, its age tells: it is none of a family's that began after it did. So it lives as long as a family that
//! began before it, and ends with the last of them.
//!
//! Its descendants end with it, and nobody else of its group and session: these may be those of a stranger who left it
//! behind. Whoever else of them is a server's is an orphan too, or descends from one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use log::{debug, error};
use nix::sys::signal::Signal;
use nix::unistd::getsid;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::processes::{Identity, Look, Process, listed_children};
use super::stop::{AFTER_KILL, is_gone_after};
use super::{reap, watchdog};

/// For what outlived the last family's own end.
const GRACE: Duration = Duration::from_secs(2);
/// Nobody tells of a new orphan either. Soon after a child was heard of we look for some, then ever more seldom, and
/// after a minute of silence no more.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LAST_LOOK: Duration = Duration::from_secs(40);

/// Empty unless orphans are adopted.
static HOME: OnceLock<Home> = OnceLock::new();
static IS_STIRRED: AtomicBool = AtomicBool::new(false);
static STIRRED: Notify = Notify::const_new();

/// Who is no orphan of a server's though a child of ours.
#[derive(Debug)]
struct Home {
    /// Those who were there before us: an entrypoint's, if it became us by execve(2).
    helpers: BTreeSet<Identity>,
    strange: Mutex<Strange>,
}

#[derive(Debug)]
struct Strange {
    /// Our own session and the helpers': no server is in one, nor what it starts.
    sessions: BTreeSet<u32>,
    /// Those that we cannot end.
    given_up: BTreeSet<Identity>,
}

impl Home {
    fn strange(&self) -> MutexGuard<'_, Strange> {
        self.strange.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From now on children of ours that we have not started are orphans, but for those that are there now.
pub(super) fn begin() {
    // A /proc of other processes than ours would have us end theirs.
    let is_ours = fs::read_link("/proc/self").is_ok_and(|me| me == Path::new(&process::id().to_string()));
    if let Ok(session) = getsid(None)
        && is_ours
    {
        let there: Vec<Process> = Look::since(u64::MAX).children_of_ours().collect();
        let helpers = there.iter().map(|helper| helper.identity).collect();
        let sessions = there.iter().map(|helper| helper.session).chain([session.as_raw().cast_unsigned()]).collect();
        let strange = Mutex::new(Strange { sessions, given_up: BTreeSet::new() });
        HOME.get_or_init(|| Home { helpers, strange });
    }
}

/// The orphans among children of ours that were seen a moment ago.
pub(super) fn among(children: impl IntoIterator<Item = Process>) -> Vec<Process> {
    let Some(home) = HOME.get() else { return Vec::new() };
    let mut orphans = reap::not_own(children.into_iter().collect());
    let mut strange = home.strange();
    // Asked each time: a helper may begin a session at any moment.
    let helpers = orphans.iter().filter(|process| home.helpers.contains(&process.identity));
    strange.sessions.extend(helpers.map(|helper| helper.session));
    orphans.retain(|process| {
        let is_strange = strange.sessions.contains(&process.session) || strange.given_up.contains(&process.identity);
        !is_strange && process.identity.may_be_ended()
    });
    orphans
}

/// What is left of families that have ended. `spared` begins as the end of time and becomes the age of the oldest
/// family that was not ended before this was first asked: all that is not older may be its.
pub(super) fn left_over(look: &Look, spared: &AtomicU64) -> Vec<Process> {
    // As it is by now: one that forks on may be gone before a look is over. Those that wait to be collected have come
    // too, and may have left one behind who was in neither look.
    let now = among(listed_children().unwrap_or_default());
    // Asked after both looks, so that it knows of all families whose orphans were seen.
    let oldest = reap::oldest();
    let spared = spared.fetch_min(oldest, Ordering::Relaxed).min(oldest);
    let is_left = |process: &&Process| process.identity.started < spared;
    let roots = look.orphans().iter().chain(&now).filter(is_left);
    let mut left = look.descent(&roots.map(|process| process.identity).collect());
    left.extend(now.iter().filter(is_left));
    look.parted(left)
}

/// Another user's, or stuck in the kernel: nobody is to wait for them again.
pub(super) fn give_up(living: &[Process]) {
    if let Some(home) = HOME.get() {
        let given_up = &mut home.strange().given_up;
        given_up.retain(|stranger| stranger.process().is_some());
        given_up.extend(living.iter().map(|process| process.identity));
    }
}

/// When no family is left: whoever came to us since, or forked faster than the last one's end could see.
pub(super) async fn end() {
    let spared = AtomicU64::new(u64::MAX);
    let remains = |look: &Look| Some(left_over(look, &spared)).filter(|left| !left.is_empty());
    if !is_gone_after(Signal::SIGTERM, GRACE, None, remains).await
        && !is_gone_after(Signal::SIGKILL, AFTER_KILL, None, remains).await
    {
        error!("orphans outlived SIGKILL");
    }
}

/// Something has happened among the children: one has spoken or ended.
pub(super) fn stir() {
    // Mostly it is known already, and then nothing is written that other threads read.
    if !IS_STIRRED.load(Ordering::Relaxed) && !IS_STIRRED.swap(true, Ordering::Relaxed) {
        STIRRED.notify_one();
    }
}

/// Tells the watchdog of new orphans, since they are somebody else's the moment we are killed.
pub(super) async fn announce() {
    let mut told = BTreeSet::new();
    let mut pause = FIRST_LOOK;
    loop {
        if pause > LAST_LOOK {
            STIRRED.notified().await;
            pause = FIRST_LOOK;
        }
        sleep(pause).await;
        pause = if IS_STIRRED.swap(false, Ordering::Relaxed) { FIRST_LOOK } else { pause * 2 };
        let there = match listed_children() {
            Some(children) => among(children),
            None => Look::shared().await.orphans().to_vec(),
        };
        let there: BTreeSet<Identity> =
            there.iter().filter(|process| !process.is_zombie).map(|process| process.identity).collect();
        for &gone in told.difference(&there) {
            watchdog::release(gone);
        }
        for &new in there.difference(&told) {
            watchdog::guard_orphan(new);
            debug!(pid = new.id; "adopted a process whose parent has ended");
        }
        told = there;
    }
}
