//! Where the binaries, the tools and the results are.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

/// A binary of this workspace, from the same profile as the running test.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    // target/debug/deps/e2e-… → target/debug; a binary of the package is there already.
    let mut folder = test.parent().expect("an executable lies in a folder");
    if folder.ends_with("deps") {
        folder = folder.parent().expect("deps lies in the profile's folder");
    }
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --workspace --bins` first", path.display());
    path
}

/// Something below `.tools`.
pub fn tool(path: &str) -> PathBuf {
    let path = repository().join(".tools").join(path);
    assert!(path.exists(), "{} is missing: run scripts/setup first", path.display());
    path
}

/// `artifacts/{folder}`, made when it is missing: what a person may want to look at after a run.
pub fn artifacts(folder: &str) -> PathBuf {
    let path = repository().join("artifacts").join(folder);
    std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{} cannot be made: {error}", path.display()));
    path
}

pub(super) fn installed(name: &str) -> PathBuf {
    let path = PathBuf::from("/usr/bin").join(name);
    assert!(path.exists(), "{name} is missing: run scripts/setup test first");
    path
}
