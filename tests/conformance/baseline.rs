//! `expected-failures.yaml`: the suite's own format, one `- scenario[:check]  # reason` a line. The suite judges it;
//! here only the reasons are read, which YAML forgets.

use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Entry {
    #[expect(dead_code, reason = "shown by Debug when the reason is missing")]
    pub(crate) scenario: String,
    pub(crate) reason: String,
}

pub(crate) fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/expected-failures.yaml"))
}

pub(crate) fn entries() -> Vec<Entry> {
    let text = std::fs::read_to_string(path()).expect("expected-failures.yaml");
    text.lines().filter_map(|line| line.trim_start().strip_prefix("- ")).map(entry).collect()
}

fn entry(line: &str) -> Entry {
    let (scenario, reason) = line.split_once('#').unwrap_or((line, ""));
    Entry { scenario: scenario.trim().to_owned(), reason: reason.trim().to_owned() }
}
