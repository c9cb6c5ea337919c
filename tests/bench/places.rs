//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A binary of the workspace, built with the same profile as this one.
pub(crate) use gateway_tests::harness::binary as built;
use gateway_tests::harness::{repository, tool};

/// A program of the Python originals, or the Python they run in.
pub(crate) fn original(name: &str) -> PathBuf {
    tool(&format!("originals/bin/{name}"))
}

/// The sidecar that images have, which scripts/bench builds; while developing, the one beside this program.
pub(crate) fn sidecar() -> PathBuf {
    if cfg!(debug_assertions) { built("mcp-sidecar") } else { repository().join("target/static/mcp-sidecar") }
}

/// With nothing of this process's environment but the search path.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}
