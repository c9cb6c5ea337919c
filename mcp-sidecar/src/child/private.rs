//! What this process knows and its children must not: its environment has the password of the Redis that replicas
//! share, its memory has everybody's messages. Children run as the same user, who may look at all of that
//! (/proc/PID/environ, /proc/PID/mem, ptrace(2)) unless a process says no.

use nix::sys::prctl;

/// To be called first in `main`. The price: no core dumps, and debuggers need root. Children are not affected, since
/// each program begins anew with execve(2); root with all its capabilities is not stopped.
///
/// # Errors
/// What the system says.
pub fn keep_private() -> std::io::Result<()> {
    Ok(prctl::set_dumpable(false)?)
}
