//! Where the programs under test are.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub(crate) fn root() -> &'static Path {
    Path::new(ROOT)
}

/// A program of the Python originals, or the Python they run in.
pub(crate) fn original(name: &str) -> io::Result<PathBuf> {
    existing(root().join(".tools/originals/bin").join(name), "scripts/setup test")
}

/// A binary of the workspace, built with the same profile as this one.
pub(crate) fn built(name: &str) -> io::Result<PathBuf> {
    existing(std::env::current_exe()?.with_file_name(name), "cargo build --release --workspace --bins")
}

/// With nothing of this process's environment but the search path.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

fn existing(path: PathBuf, made_by: &str) -> io::Result<PathBuf> {
    if path.exists() { Ok(path) } else { Err(io::Error::other(format!("{} is missing: {made_by}", path.display()))) }
}
