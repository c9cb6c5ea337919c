//! Who belongs to a child: its group, its session, its descendants, and those who fled all three with its cookie.
//!
//! The leader is not reaped before the rest is gone: as long as it is a zombie, its id cannot be given to a stranger,
//! and signals to its group cannot hit one.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::{ExitReason, reap, watchdog};

/// One line of /proc, as far as kinship goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    id: u32,
    is_zombie: bool,
    parent: u32,
    group: u32,
    session: u32,
    /// Clock ticks since boot.
    started: u64,
}

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

    /// All that are alive, the leader included. Reads /proc: not for an async worker.
    pub(super) fn living(&self) -> Vec<Process> {
        living(&BTreeSet::from([self.leader]), &self.cookie)
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
            self.signal(Signal::SIGKILL, &self.living());
            let dead = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            waitid(Id::Pid(pid(self.leader)), dead).ok();
            self.bury();
        }
        reap::uncount();
    }
}

/// The living among `leaders`' groups, sessions and descendants, and all whose cookie starts with `cookie`.
pub(super) fn living(leaders: &BTreeSet<u32>, cookie: &str) -> Vec<Process> {
    let mut all = processes();
    let mut kin: BTreeSet<u32> = leaders.clone();
    let since = eldest(leaders, &all);
    let is_kin = |process: &&Process| {
        leaders.contains(&process.group)
            || leaders.contains(&process.session)
            || (process.started >= since && carries(process.id, cookie))
    };
    kin.extend(all.iter().filter(is_kin).map(|process| process.id));
    loop {
        let known = kin.len();
        let children = all.iter().filter(|process| kin.contains(&process.parent)).map(|process| process.id);
        kin.extend(children.collect::<Vec<_>>());
        if kin.len() == known {
            break;
        }
    }
    all.retain(|process| !process.is_zombie && kin.contains(&process.id));
    all
}

/// When the first of the leaders started: whoever is older has no cookie of theirs, and looking is what costs.
/// The beginning of time if one of them cannot be asked any more.
fn eldest(leaders: &BTreeSet<u32>, all: &[Process]) -> u64 {
    let starts = leaders.iter().map(|id| all.iter().find(|process| process.id == *id).map(|leader| leader.started));
    starts.collect::<Option<Vec<_>>>().and_then(|starts| starts.into_iter().min()).unwrap_or(0)
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

/// Everything in /proc; nothing where there is no /proc.
fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| Process::parse(id, &fs::read(format!("/proc/{id}/stat")).ok()?)).collect()
}

pub(super) fn pid(id: u32) -> Pid {
    // Linux process ids end at 2^22.
    Pid::from_raw(id.cast_signed())
}

impl Process {
    /// proc_pid_stat(5): `id (name) state parent group session …`; the name may contain anything.
    fn parse(id: u32, stat: &[u8]) -> Option<Self> {
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let mut fields = stat[name_end + 1..].split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        let is_zombie = matches!(fields.next()?, b"Z" | b"X");
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let [parent, group, session] = [number()?, number()?, number()?];
        let started = std::str::from_utf8(fields.nth(15)?).ok()?.parse().ok()?;
        Some(Self { id, is_zombie, parent, group, session, started })
    }
}

fn carries(id: u32, cookie: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{id}/environ")) else { return false };
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable.strip_prefix(watchdog::COOKIE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        value.is_some_and(|value| value.starts_with(cookie.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_cannot_pretend_another_kinship() {
        let process = Process::parse(7, b"7 (a) S 1 1 (x)) Z 5 6 9 0 -1 0 0 0 0 0 0 0 0 0 0 20 0 1 444 0").unwrap();
        assert_eq!((process.parent, process.group, process.session, process.started), (5, 6, 9, 444));
    }

    #[test]
    fn we_are_in_our_own_list() {
        let own = std::process::id();
        let found = processes().into_iter().find(|process| process.id == own).unwrap();
        assert!(!found.is_zombie && found.started > 0);
        assert!(!carries(own, "no such cookie"));
    }
}
