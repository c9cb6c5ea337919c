//! Fork and exec: own session, own pipes, nothing inherited but the environment.
//!
//! A new session (setsid) gives the child its own process group, takes the terminal away and marks all that it
//! starts, in whatever groups, as its family.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{self, Stdio};

use nix::libc;
use tokio::net::unix::pipe;

use super::family::Family;
use super::{Command, descriptors, reap, watchdog};

/// A process that has just been started, and our ends of its pipes.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) family: Family,
    pub(super) stdin: pipe::Sender,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
}

/// Must be called inside the runtime that will serve the pipes.
pub(super) fn spawn(cmd: &Command) -> io::Result<Spawned> {
    let cookie = watchdog::next_cookie()?;
    let mut command = process::Command::new(&cmd.program);
    command.args(&cmd.args).envs(cmd.env.iter().map(|(name, value)| (name, value)));
    command.env(watchdog::COOKIE, &cookie);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    detach(&mut command, &[]);
    watchdog::watch();
    // Registered before anybody can reap it: the lock is held across the fork.
    let (mut child, leader) = reap::spawn_leader(&mut command)?;
    let family = Family::new(leader, cookie);
    Ok(Spawned {
        stdin: pipe::Sender::from_owned_fd(taken(child.stdin.take())?)?,
        stdout: pipe::Receiver::from_owned_fd(taken(child.stdout.take())?)?,
        stderr: pipe::Receiver::from_owned_fd(taken(child.stderr.take())?)?,
        family,
    })
}

fn taken<P: Into<OwnedFd>>(end: Option<P>) -> io::Result<OwnedFd> {
    end.map(Into::into).ok_or_else(|| io::Error::other("the child was started without this pipe"))
}

/// Makes the process leader of its own session with default signals (but `ignored` ones) and no inherited descriptors.
#[expect(unsafe_code, reason = "pre_exec is the only way to act between fork and exec")]
pub(super) fn detach(command: &mut process::Command, ignored: &'static [libc::c_int]) {
    let limits = descriptors::inherited();
    // SAFETY: runs in the forked process before exec; only async-signal-safe system calls, no allocation, no locks.
    unsafe {
        command.pre_exec(move || {
            nix::unistd::setsid()?;
            descriptors::lower(limits)?;
            for signal in 1..=libc::SIGRTMAX() {
                libc::signal(signal, libc::SIG_DFL);
            }
            for signal in ignored {
                libc::signal(*signal, libc::SIG_IGN);
            }
            // Ours are close-on-exec already; these are what the sidecar itself was handed. An old kernel may refuse.
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            Ok(())
        });
    }
}
