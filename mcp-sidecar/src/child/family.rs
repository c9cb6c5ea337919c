//! Who belongs to a child: its group, its session, its descendants, and those who fled all three with its cookie.
//!
//! The leader is not reaped before the rest is gone: as long as it is a zombie, its id cannot be given to a stranger,
//! and signals to its group cannot hit one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpgrp};

use super::processes::{Identity, Look, Process};
use super::{ExitReason, orphans, reap, watchdog};

/// Dropped alive, as when the supervisor's runtime ends too early, it is killed at once.
#[derive(Debug)]
pub(super) struct Family {
    leader: Identity,
    cookie: String,
    /// Orphans that are not older than this may be another's.
    spared: AtomicU64,
    is_buried: AtomicBool,
}

impl Family {
    pub(super) fn new(leader: Identity, cookie: String) -> Self {
        reap::count();
        watchdog::guard_leader(leader);
        Self { leader, cookie, spared: AtomicU64::new(u64::MAX), is_buried: AtomicBool::new(false) }
    }

    pub(super) fn id(&self) -> u32 {
        self.leader.id
    }

    /// How the leader ended, if it has. Leaves it a zombie.
    pub(super) fn leader_end(&self) -> Option<ExitReason> {
        let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(pid(self.leader.id)), peek) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => None,
            Ok(WaitStatus::Exited(_, code)) => Some(ExitReason::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(ExitReason::Signal(signal as i32)),
            Ok(_) | Err(_) => Some(ExitReason::Unknown),
        }
    }

    /// It is to end, and orphans that can be no other family's are to end with it.
    pub(super) fn ends(&self) {
        reap::ends(self.id());
    }

    /// All that are alive, the leader included, and the orphans that can be no other family's.
    pub(super) fn living(&self, look: &Look) -> Vec<Process> {
        let mut living = self.own(look);
        living.extend(orphans::left_over(look, &self.spared));
        living
    }

    fn own(&self, look: &Look) -> Vec<Process> {
        look.living(&BTreeSet::from([self.leader]), Some(&self.cookie))
    }

    /// Who remains, as the log calls them.
    pub(super) fn remaining(&self, look: &Look) -> &'static str {
        if self.leader_end().is_none() || !self.own(look).is_empty() { "child" } else { "orphans" }
    }

    /// The same, until nobody is.
    pub(super) fn remains(&self, look: &Look) -> Option<Vec<Process>> {
        let living = self.living(look);
        (!living.is_empty() || self.leader_end().is_none()).then_some(living)
    }

    /// The leader's zombie is collected and its id is free for others.
    pub(super) fn bury(&self) {
        if !self.is_buried.swap(true, Ordering::Relaxed) {
            // The group's last moment: without /proc nobody has seen who else is in it.
            send(Signal::SIGKILL, Some(self.id()), &[]);
            watchdog::release(self.leader);
            reap::collect(self.id());
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if !*self.is_buried.get_mut() {
            self.ends();
            let look = Look::since(self.leader.started);
            send(Signal::SIGKILL, Some(self.id()), &self.living(&look));
            let dead = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            waitid(Id::Pid(pid(self.leader.id)), dead).ok();
            self.bury();
        }
        reap::uncount();
    }
}

/// To whole groups at once, which no fork escapes, where nobody else is in them. `leader` has not been collected, so
/// nobody else can have its id.
pub(super) fn send(signal: Signal, leader: Option<u32>, living: &[Process]) {
    let mut groups: BTreeSet<u32> = leader.into_iter().collect();
    for process in living {
        // Asked again: since the look it may have ended, and its id and its group's be somebody else's.
        match process.identity.process() {
            Some(now) if now.group == process.group && is_theirs(now.group) => drop(groups.insert(now.group)),
            Some(now) => drop(kill(pid(now.identity.id), signal)),
            None => {}
        }
    }
    for group in groups {
        // Nobody left to hear it is what we want.
        killpg(pid(group), signal).ok();
    }
}

/// Not our own. To kill(2) 0 is just that, and 1 everybody.
fn is_theirs(group: u32) -> bool {
    group > 1 && pid(group) != getpgrp()
}

pub(super) fn pid(id: u32) -> Pid {
    // Linux process ids end at 2^22.
    Pid::from_raw(id.cast_signed())
}
