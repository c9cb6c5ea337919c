//! How many descriptors a process may have. The soft limit is 1024 nearly everywhere, since select(2) can watch no more;
//! who needs more raises it (getrlimit(2)). The sidecar needs three for each child. Children start with what was set
//! for us: they may be programs that use select.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// Soft and hard, as they were.
static INHERITED: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();

/// Raises the soft limit of this process to the hard one.
///
/// # Errors
/// What the system says; the limit is then what it was.
pub fn raise() -> std::io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    INHERITED.get_or_init(|| (soft, hard));
    Ok(())
}

/// Between fork and exec, where only this one system call may be made: `before` is [`inherited`].
pub(super) fn lower(before: Option<(rlim_t, rlim_t)>) -> nix::Result<()> {
    before.map_or(Ok(()), |(soft, hard)| setrlimit(Resource::RLIMIT_NOFILE, soft, hard))
}

pub(super) fn inherited() -> Option<(rlim_t, rlim_t)> {
    INHERITED.get().copied()
}
