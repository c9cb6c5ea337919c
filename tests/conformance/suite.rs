//! `@modelcontextprotocol/conformance` as a command: how it is called and what it leaves behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_tests::harness::{artifacts, tool};
use serde::Deserialize;

use crate::served::{Served, node};

pub(crate) const PACKAGE: &str = "npm/node_modules/@modelcontextprotocol/conformance";

pub(crate) struct Suite {
    revision: &'static str,
}

/// What one run of the suite said about one server.
pub(crate) struct Run {
    /// Its exit code: no failure outside the baseline, and nothing in the baseline that passes.
    pub(crate) accepted: bool,
    /// All that it printed.
    pub(crate) log: PathBuf,
    outcomes: BTreeMap<String, Outcome>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    NotRun,
}

/// One entry of a scenario's `checks.json`; the suite counts a warning as a failure (evaluateBaseline).
#[derive(Deserialize)]
struct Check {
    status: String,
}

impl Suite {
    pub(crate) fn new(revision: &'static str) -> Self {
        Self { revision }
    }

    /// The scenarios that the revision requires of a server: section `server` of the frozen list in the package.
    pub(crate) fn required(&self) -> Vec<String> {
        let path = tool(&format!("{PACKAGE}/requirements/{}.yaml", self.revision));
        let text = fs::read_to_string(path).expect("the suite knows this revision");
        let section = text.lines().skip_while(|line| *line != "server:").skip(1);
        section.map_while(|line| line.strip_prefix("  - ")).map(str::to_owned).collect()
    }

    pub(crate) fn run(&self, name: &str, server: &Served, baseline: Option<&Path>) -> Run {
        let kept = format!("conformance/{}/{name}", self.revision);
        fs::remove_dir_all(artifacts(&kept)).expect("artifacts is writable");
        let folder = artifacts(&kept);
        let mut command = node();
        command.arg(tool(&format!("{PACKAGE}/dist/index.js"))).args(["server", "--url", &server.url]);
        command.args(["--requirements", self.revision, "--output-dir"]).arg(&folder);
        if let Some(path) = baseline {
            command.arg("--expected-failures").arg(path);
        }
        let output = command.output().expect("node runs");
        let log = folder.join("suite.log");
        fs::write(&log, [output.stdout, output.stderr].concat()).expect("artifacts is writable");
        Run { accepted: output.status.success(), log, outcomes: outcomes(&folder) }
    }
}

impl Run {
    pub(crate) fn outcome(&self, scenario: &str) -> Outcome {
        self.outcomes.get(scenario).copied().unwrap_or(Outcome::NotRun)
    }

    pub(crate) fn passed(&self, scenarios: &[String]) -> usize {
        scenarios.iter().filter(|name| self.outcome(name) == Outcome::Passed).count()
    }

    pub(crate) fn scenarios(&self) -> impl Iterator<Item = &String> {
        self.outcomes.keys()
    }
}

impl Outcome {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotRun => "not run",
        }
    }

    fn of(checks: &[Check]) -> Self {
        if checks.iter().any(|check| matches!(check.status.as_str(), "FAILURE" | "WARNING")) {
            Self::Failed
        } else {
            Self::Passed
        }
    }
}

/// Every scenario has its folder, `server-<scenario>-<time>`.
fn outcomes(folder: &Path) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("just created") {
        let path = entry.expect("readable").path();
        let Ok(json) = fs::read(path.join("checks.json")) else { continue };
        let checks: Vec<Check> = serde_json::from_slice(&json).expect("checks.json is a list of checks");
        let folder = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        outcomes.insert(scenario(&folder).to_owned(), Outcome::of(&checks));
    }
    outcomes
}

fn scenario(folder: &str) -> &str {
    let time = "-2026-01-01T00-00-00-000Z".len();
    folder.strip_prefix("server-").and_then(|rest| rest.get(..rest.len() - time)).unwrap_or(folder)
}
