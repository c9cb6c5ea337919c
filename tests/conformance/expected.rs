//! `expected-failures.yaml`: for each run, the scenarios that fail in it, one `- scenario  # reason` a line. Judged here
//! and not by the suite, which would leave out the scenarios that it does not score.

use crate::runs::Run;
use crate::suite::{Outcome, Results, scenarios};

const FILE: &str = include_str!("expected-failures.yaml");

#[derive(Debug)]
pub(crate) struct Entry {
    run: &'static str,
    scenario: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) fn entries() -> Vec<Entry> {
    let (mut run, mut of_run) = ("", "");
    let mut entries = Vec::new();
    for line in FILE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (what, reason) = line.split_once('#').map_or((line, ""), |(what, reason)| (what, reason.trim()));
        match what.strip_prefix("  - ") {
            None => (run, of_run) = (what.trim().trim_end_matches(':'), reason),
            Some(scenario) => {
                let reason = if reason.is_empty() { of_run } else { reason };
                entries.push(Entry { run, scenario: scenario.trim(), reason });
            }
        }
    }
    entries
}

/// Why `scenario` is expected to fail in `run`.
pub(crate) fn reason(entries: &[Entry], run: &Run, scenario: &str) -> Option<&'static str> {
    entries.iter().find(|entry| entry.run == run.name() && entry.scenario == scenario).map(|entry| entry.reason)
}

/// Everything in which the results differ from the list, either way.
pub(crate) fn surprises(entries: &[Entry], runs: &[(Run, Results)]) -> Vec<String> {
    let mut surprises = unknown(entries, runs);
    for (run, results) in runs {
        for scenario in scenarios(run.requirements()) {
            let what = match (results.outcome(&scenario), reason(entries, run, &scenario)) {
                (Outcome::Passed, None) | (Outcome::Failed(_), Some(_)) => continue,
                (Outcome::Passed, Some(_)) => "passes, but is in expected-failures.yaml".to_owned(),
                (Outcome::Failed(why), None) => format!("failed: {why}"),
                (Outcome::NotRun, _) => "was not run".to_owned(),
            };
            surprises.push(format!("{}: {scenario} {what} ({})", run.name(), results.log.display()));
        }
    }
    surprises
}

/// Lines about nothing that is run.
fn unknown(entries: &[Entry], runs: &[(Run, Results)]) -> Vec<String> {
    let known = |entry: &&Entry| {
        let of_run = |(run, _): &&(Run, Results)| run.name() == entry.run;
        runs.iter()
            .find(of_run)
            .is_some_and(|(run, _)| scenarios(run.requirements()).iter().any(|name| name == entry.scenario))
    };
    entries.iter().filter(|entry| !known(entry)).map(|entry| format!("nothing is known of {entry:?}")).collect()
}
