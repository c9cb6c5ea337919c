//! Who belongs to a child: its group, its session, its descendants, and those who fled all three with its cookie.
//!
//! The leader is not reaped before the rest is gone: as long as it is a zombie, its id cannot be given to a stranger,
//! and signals to its group cannot hit one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::processes::{Look, Process};
use super::{ExitReason, reap, watchdog};

/// Dropped alive, as when the supervisor's runtime ends too early, it is killed at once.
#[derive(Debug)]
pub(super) struct Family {
    leader: u32,
    cookie: String,
    is_buried: AtomicBool,
}

impl Family {
    pub(super) fn new(leader: u32, cookie: String) -> Self {
        reap::count();
        Self { leader, cookie, is_buried: AtomicBool::new(false) }
    }

    pub(super) fn id(&self) -> u32 {
        self.leader
    }

    /// How the leader ended, if it has. Leaves it a zombie.
    pub(super) fn leader_end(&self) -> Option<ExitReason> {
        let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(pid(self.leader)), peek) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => None,
            Ok(WaitStatus::Exited(_, code)) => Some(ExitReason::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(ExitReason::Signal(signal as i32)),
            Ok(_) | Err(_) => Some(ExitReason::Unknown),
        }
    }

    /// All that are alive, the leader included.
    pub(super) fn living(&self, look: &Look) -> Vec<Process> {
        look.living(&BTreeSet::from([self.leader]), &self.cookie)
    }

    pub(super) fn signal(&self, signal: Signal, living: &[Process]) {
        send(signal, &BTreeSet::from([self.leader]), living);
    }

    /// The leader's zombie is collected and its id is free for others.
    pub(super) fn bury(&self) {
        if !self.is_buried.swap(true, Ordering::Relaxed) {
            // The group's last moment: without /proc nobody has seen who else is in it.
            self.signal(Signal::SIGKILL, &[]);
            watchdog::release(self.leader);
            reap::collect(self.leader);
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if !*self.is_buried.get_mut() {
            let look = Look::since(&BTreeSet::from([self.leader]));
            self.signal(Signal::SIGKILL, &self.living(&look));
            let dead = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            waitid(Id::Pid(pid(self.leader)), dead).ok();
            self.bury();
        }
        reap::uncount();
    }
}

/// To whole groups at once, which no fork escapes, then to those outside of them.
pub(super) fn send(signal: Signal, groups: &BTreeSet<u32>, living: &[Process]) {
    for group in groups {
        // Nobody left to hear it is what we want.
        killpg(pid(*group), signal).ok();
    }
    for outside in living.iter().filter(|process| !groups.contains(&process.group)) {
        kill(pid(outside.id), signal).ok();
    }
}

pub(super) fn pid(id: u32) -> Pid {
    // Linux process ids end at 2^22.
    Pid::from_raw(id.cast_signed())
}
