//! `@modelcontextprotocol/conformance` as a command: how it is called and what it leaves behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_tests::harness::{artifacts, tool};
use serde::Deserialize;

use crate::front::Front;
use crate::runs::Run;
use crate::stands::node;

pub(crate) const PACKAGE: &str = "npm/node_modules/@modelcontextprotocol/conformance";

/// What one run of the suite said about one server.
#[derive(Debug)]
pub(crate) struct Results {
    /// All that it printed.
    pub(crate) log: PathBuf,
    outcomes: BTreeMap<String, Outcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// With what the first check that failed said.
    Failed(String),
    /// Or it found nothing to ask.
    NotRun,
}

/// One entry of a scenario's `checks.json`; the suite counts a warning as a failure (evaluateBaseline).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    id: String,
    status: String,
    #[serde(default)]
    error_message: Option<String>,
}

/// The scenarios that are asked of a server: section `server` of the frozen list in the package, and those beside it
/// that are not of an extension (they run too, but the suite does not score them).
pub(crate) fn scenarios(requirements: &str) -> Vec<String> {
    let path = tool(&format!("{PACKAGE}/requirements/{requirements}.yaml"));
    let text = fs::read_to_string(path).expect("the suite knows this revision");
    let section = text.lines().skip_while(|line| *line != "server:").skip(1);
    let required = section.map_while(|line| line.strip_prefix("  - ")).map(str::to_owned);
    required.chain(not_scored(&text)).collect()
}

/// Entries of three lines each: `- scenario: …`, `leg: …`, `reason: …`.
fn not_scored(text: &str) -> Vec<String> {
    let entries = text.split("  - scenario: ").skip(1);
    let of_servers = entries.filter(|entry| entry.contains("leg: server") && !entry.contains("reason: extension"));
    of_servers.filter_map(|entry| entry.lines().next()).map(str::to_owned).collect()
}

pub(crate) fn run(run: &Run, front: &Front) -> Results {
    let kept = format!("conformance/{}", run.name().replace(' ', "/"));
    fs::remove_dir_all(artifacts(&kept)).expect("artifacts is writable");
    let folder = artifacts(&kept);
    let mut command = node();
    command.arg(tool(&format!("{PACKAGE}/dist/index.js"))).args(["server", "--url", &front.url]);
    command.args(["--requirements", run.requirements(), "--output-dir"]).arg(&folder);
    let output = command.output().expect("node runs");
    let log = folder.join("suite.log");
    fs::write(&log, [output.stdout, output.stderr].concat()).expect("artifacts is writable");
    Results { log, outcomes: outcomes(&folder) }
}

impl Results {
    pub(crate) fn outcome(&self, scenario: &str) -> Outcome {
        self.outcomes.get(scenario).cloned().unwrap_or(Outcome::NotRun)
    }
}

impl Outcome {
    fn of(checks: &[Check]) -> Self {
        let failed = checks.iter().find(|check| matches!(check.status.as_str(), "FAILURE" | "WARNING"));
        // That what was said fits the schema is checked in every scenario, also in one that found nothing to ask.
        let passed = checks.iter().any(|check| check.status == "SUCCESS" && check.id != "wire-schema-valid");
        match failed {
            Some(check) => {
                Self::Failed(format!("{}: {}", check.id, check.error_message.as_deref().unwrap_or_default()))
            }
            None if passed => Self::Passed,
            None => Self::NotRun,
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
