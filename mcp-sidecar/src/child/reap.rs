//! Exit statuses: those of our children, which only their keepers may collect, and those of orphans, which PID 1
//! inherits and must collect lest the process table fills.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::process;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use super::family::pid;
use super::processes::{Identity, Look, Process};
use super::{orphans, watchdog};

/// How long a child of ours that has ended may hide orphans from us.
const COME_BACK: Duration = Duration::from_millis(50);

/// Held while forking, so that a child that dies at once is not taken for an orphan.
static OWN: Mutex<Own> = Mutex::new(Own { ids: BTreeSet::new(), lasting: BTreeMap::new() });
/// How many there are, for those who wait for none.
static COUNT: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

struct Own {
    /// Children that somebody here will wait for.
    ids: BTreeSet<u32>,
    /// When they started, of those that lead a family which nobody has begun to end.
    lasting: BTreeMap<u32, u64>,
}

fn own() -> MutexGuard<'static, Own> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn spawn_registered(command: &mut process::Command) -> io::Result<process::Child> {
    spawn(command, &mut own())
}

/// The same for one that will lead a family.
pub(super) fn spawn_leader(command: &mut process::Command) -> io::Result<(process::Child, Identity)> {
    let mut own = own();
    let child = spawn(command, &mut own)?;
    let id = child.id();
    // Who started nobody knows when may have been there before everybody.
    let leader = Process::read(id).map_or(Identity { id, started: 0 }, |process| process.identity);
    own.lasting.insert(id, leader.started);
    Ok((child, leader))
}

fn spawn(command: &mut process::Command, own: &mut Own) -> io::Result<process::Child> {
    let child = command.spawn()?;
    own.ids.insert(child.id());
    Ok(child)
}

/// The family of this leader is being ended.
pub(super) fn ends(leader: u32) {
    own().lasting.remove(&leader);
}

/// When the oldest family started that nobody has begun to end.
pub(super) fn oldest() -> u64 {
    own().lasting.values().copied().min().unwrap_or(u64::MAX)
}

/// Without those that somebody here will wait for.
pub(super) fn not_own(mut children: Vec<Process>) -> Vec<Process> {
    let own = own();
    children.retain(|child| !own.ids.contains(&child.identity.id));
    children
}

/// Counts a child of ours as one to wait for at the end.
pub(super) fn count() {
    COUNT.send_modify(|count| *count += 1);
}

/// Collects a child of ours that has ended.
pub(super) fn collect(id: u32) {
    let mut own = own();
    waitpid(pid(id), Some(WaitPidFlag::WNOHANG)).ok();
    own.ids.remove(&id);
}

/// One that was counted is gone, and its end has been told.
pub(super) fn uncount() {
    COUNT.send_modify(|count| *count -= 1);
}

/// Waits until no child is left, and ends what they left behind: the last thing to do before the supervisor's runtime
/// ends, since dropped children are stopped in its background.
pub async fn none_left() {
    // The sender is static: it cannot be gone.
    COUNT.subscribe().wait_for(|count| *count == 0).await.ok();
    orphans::end().await;
}

/// Makes this process the parent of orphaned descendants and collects them when they end. As PID 1 it is that
/// anyway, and forwards the signals that mean nothing to itself.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn adopt_orphans(supervisor: &Handle) -> io::Result<()> {
    let _reactor = supervisor.enter();
    // Before Linux 3.4 there is none: then only PID 1 has orphans.
    prctl::set_child_subreaper(true).ok();
    orphans::begin();
    supervisor.spawn(orphans::announce());
    let mut exits = signal(SignalKind::child())?;
    supervisor.spawn(async move {
        while exits.recv().await.is_some() {
            orphans::stir();
            loop {
                watchdog::replace().await;
                if !collect_orphans() {
                    break;
                }
                collect_hidden(&Look::shared().await.zombies_of(process::id()));
                sleep(COME_BACK).await;
            }
        }
    });
    if process::id() == 1 {
        for forwarded in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
            forward(forwarded, supervisor)?;
        }
    }
    Ok(())
}

/// Collects until nobody is there but children of ours, for whom it says to come back: they may hide an orphan, and
/// nobody announces their collection.
fn collect_orphans() -> bool {
    let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    loop {
        let own = own();
        match waitid(Id::All, peek).ok().and_then(|status| status.pid()) {
            None => return false,
            Some(ended) if own.ids.contains(&ended.as_raw().cast_unsigned()) => return true,
            Some(orphan) => waitpid(orphan, Some(WaitPidFlag::WNOHANG)).ok(),
        };
    }
}

/// Those behind a child of ours: the system tells of one ended child at a time, always the same until it is collected,
/// and on a busy sidecar one of ours is always there.
fn collect_hidden(zombies: &[u32]) {
    let own = own();
    for &orphan in zombies.iter().filter(|id| !own.ids.contains(id)) {
        waitpid(pid(orphan), Some(WaitPidFlag::WNOHANG)).ok();
    }
}

fn forward(forwarded: Signal, supervisor: &Handle) -> io::Result<()> {
    let mut arrivals = signal(SignalKind::from_raw(forwarded as i32))?;
    supervisor.spawn(async move {
        while arrivals.recv().await.is_some() {
            for &leader in &own().ids {
                killpg(pid(leader), forwarded).ok();
            }
        }
    });
    Ok(())
}
