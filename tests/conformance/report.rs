//! The results as one table: for the terminal as they are, for docs/conformance.md as they are expected.

use std::fs;

use gateway_tests::harness::tool;
use serde_json::Value;

use crate::expected::{Entry, reason};
use crate::runs::{RUNS, Run};
use crate::suite::{Outcome, Results, scenarios};

const COLUMN: usize = 9;
const NAME: usize = 46;

pub(crate) fn for_terminal(runs: &[(Run, Results)]) -> String {
    let line = |name: &str, cell: &dyn Fn(&(Run, Results)) -> String| {
        let cells: String = runs.iter().map(|run| format!("{:<COLUMN$}", cell(run))).collect();
        format!("{name:<NAME$}{}\n", cells.trim_end())
    };
    let mut table = line("revision", &|(run, _)| run.revision[2..].to_owned())
        + &line("through", &|(run, _)| run.through.name().to_owned())
        + &line("fixture", &|(run, _)| run.child.name().to_owned());
    for scenario in rows() {
        table += &line(&scenario, &|(run, results)| shown(run, results, &scenario).to_owned());
    }
    table + &line("passed", &|(run, results)| passed(run, &|scenario| results.outcome(scenario) == Outcome::Passed))
}

fn shown(run: &Run, results: &Results, scenario: &str) -> &'static str {
    match results.outcome(scenario) {
        _ if !asked(run, scenario) => "·",
        Outcome::Passed => "ok",
        Outcome::Failed(_) => "FAILED",
        Outcome::NotRun => "not run",
    }
}

pub(crate) fn for_docs(entries: &[Entry]) -> String {
    let mut reasons: Vec<&str> = entries.iter().map(|entry| entry.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let line = |name: &str, cell: &dyn Fn(&Run) -> String| {
        format!("| {name} | {} |\n", RUNS.iter().map(cell).collect::<Vec<_>>().join(" | "))
    };
    let mut table = line("", &|run| run.name().replace(' ', "<br>")) + &line("---", &|_| "---".to_owned());
    table += &line("**passed**", &|run| {
        format!("**{}**", passed(run, &|scenario| reason(entries, run, scenario).is_none()))
    });
    for scenario in rows() {
        table += &line(&scenario, &|run| match reason(entries, run, &scenario) {
            _ if !asked(run, &scenario) => String::new(),
            None => "✓".to_owned(),
            Some(why) => format!("✗ {}", reasons.iter().take_while(|known| **known != why).count() + 1),
        });
    }
    let reasons = reasons.iter().enumerate().map(|(number, reason)| format!("{}. {reason}\n", number + 1));
    format!("{}\n{table}\nWhy:\n\n{}", versions(), reasons.collect::<String>())
}

/// Every scenario of any run, in the suite's order.
fn rows() -> Vec<String> {
    let mut rows = Vec::new();
    for scenario in RUNS.iter().flat_map(|run| scenarios(run.requirements())) {
        if !rows.contains(&scenario) {
            rows.push(scenario);
        }
    }
    rows
}

fn asked(run: &Run, scenario: &str) -> bool {
    scenarios(run.requirements()).iter().any(|known| known == scenario)
}

fn passed(run: &Run, passes: &dyn Fn(&str) -> bool) -> String {
    let asked = scenarios(run.requirements());
    format!("{}/{}", asked.iter().filter(|scenario| passes(scenario)).count(), asked.len())
}

/// Of everything that is not ours.
fn versions() -> String {
    let version = |package: &str| {
        let text = fs::read(tool(&format!("npm/node_modules/@modelcontextprotocol/{package}/package.json")));
        let package: Value = serde_json::from_slice(&text.expect("it is installed")).expect("JSON");
        package["version"].as_str().expect("a version").to_owned()
    };
    format!(
        "Suite `@modelcontextprotocol/conformance` {}; fixtures on `@modelcontextprotocol/sdk` {} (legacy) and \
         `@modelcontextprotocol/server` {} (modern, dual).\n",
        version("conformance"),
        version("sdk"),
        version("server"),
    )
}
