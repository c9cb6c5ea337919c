//! One server behind one sidecar, with a folder, a repository and a page to work on.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use gateway_tests::harness::{Family, Process, binary, descendants, tool, within};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    catalogue::{Step, Wrapped, commands},
    page::Page,
};

/// Seconds without use after which a client that did not say goodbye is taken to be gone.
const IDLE: &str = "10";
/// That a stream's reader is gone is noticed at the second keep-alive comment, after 30 s; then come the idle time and a
/// stop with all its patience.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

pub(crate) struct Stage {
    sidecar: Process,
    family: Family,
    url: String,
    pub(crate) page: Page,
    pub(crate) workspace: PathBuf,
    _folder: TempDir,
}

impl Stage {
    pub(crate) fn set(wrapped: &Wrapped) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("workspace");
        make_repository(&workspace);
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--port", "0", "--timeout", IDLE, "--"]).args(command(wrapped, &workspace));
        run.current_dir(tool(wrapped.folder)).env_clear().envs(environment(wrapped, &folder));
        let family = Family::of(&mut run);
        let mut sidecar = Process::start(&format!("sidecar-{}", wrapped.name), &mut run);
        let url = format!("http://{}/mcp", sidecar.address());
        Self { sidecar, family, url, page: Page::serve(), workspace, _folder: folder }
    }

    pub(crate) fn plan(&self, steps: &[Step]) -> Value {
        let steps: Vec<_> = steps.iter().map(|step| &step.plan).collect();
        json!({ "url": self.url, "roots": [format!("file://{}", self.workspace.display())], "steps": steps })
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.workspace.join(name).to_string_lossy().into_owned()
    }

    /// Waits until nothing is below the sidecar but its watchdog, and nothing that it started is anywhere else.
    pub(crate) fn is_left_clean(&mut self) {
        let (sidecar, family) = (self.sidecar.pid(), &self.family);
        within(ENDS_WITHIN, "processes are left", || {
            let below = descendants(sidecar);
            let is_alone = below.len() == 1 && below[0].command.contains("--watchdog-of-the-sidecar");
            (is_alone && family.members().iter().all(|(pid, _)| *pid == sidecar)).then_some(())
        });
    }
}

/// As docs/servers.md shows it, without `mcp-sidecar`.
fn command(wrapped: &Wrapped, workspace: &std::path::Path) -> Vec<String> {
    let shown = &commands()[wrapped.name];
    let mut words = shown.split_whitespace();
    assert_eq!(words.next(), Some("mcp-sidecar"), "{shown}");
    let words = words.map(|word| if word == "/workspace" { workspace.to_str().unwrap() } else { word });
    words.chain(wrapped.only_here.iter().copied()).map(str::to_owned).collect()
}

fn environment(wrapped: &Wrapped, folder: &TempDir) -> BTreeMap<&'static str, String> {
    let home = folder.path().to_string_lossy().into_owned();
    let path = wrapped.path.iter().map(|part| match part.strip_prefix(".tools/") {
        Some(part) => tool(part).to_string_lossy().into_owned(),
        None => (*part).to_owned(),
    });
    BTreeMap::from([
        ("PATH", path.collect::<Vec<_>>().join(":")),
        ("HOME", home.clone()),
        ("TMUX_TMPDIR", home.clone()),
        ("MEMORY_FILE_PATH", format!("{home}/memory.jsonl")),
        // What is not installed is a failure, and no reason to install it.
        ("npm_config_offline", "true".to_owned()),
        ("NO_UPDATE_NOTIFIER", "1".to_owned()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ])
}

fn make_repository(folder: &std::path::Path) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("README"), "a file of the test\n").unwrap();
    let author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "The first one"]] {
        let mut git = Command::new("git");
        git.args(author).args(arguments).current_dir(folder).stdin(Stdio::null());
        assert!(git.status().unwrap().success(), "git {arguments:?}");
    }
}
