//! The servers, and what is done with each: steps for a client, and what their answers must contain.

use std::collections::BTreeMap;

use gateway_tests::harness::repository;
use serde_json::{Value, json};

use crate::{
    page::TEXT,
    sdk::{Report, Sdk},
    stage::Stage,
};

pub(crate) struct Wrapped {
    pub(crate) name: &'static str,
    /// Below `.tools`: where it is started. npx looks there for what is installed.
    pub(crate) folder: &'static str,
    pub(crate) path: &'static [&'static str],
    /// Arguments beyond those that are shown, because the test is on one machine.
    pub(crate) only_here: &'static [&'static str],
    pub(crate) steps: fn(&Stage, Sdk) -> Vec<Step>,
    /// What it must have asked its client for.
    asks: &'static [&'static str],
    pub(crate) called: &'static str,
}

pub(crate) struct Step {
    pub(crate) plan: Value,
    answer: String,
}

impl Wrapped {
    /// Panics unless every answer is the one that was expected.
    pub(crate) fn judge(&self, sdk: Sdk, steps: &[Step], report: &Report) {
        let what = format!("{} with {sdk:?}", self.name);
        assert!(!report.tools.is_empty(), "{what} has no tools");
        assert_eq!(report.answers.len(), steps.len(), "{what}");
        for (step, answer) in steps.iter().zip(&report.answers) {
            assert!(answer.contains(&step.answer), "{what}: {} was answered with {answer}", step.plan);
        }
        for asked in self.asks {
            assert!(report.asked.iter().any(|one| one == asked), "{what} asked only for {:?}", report.asked);
        }
        if self.name == "everything" {
            assert_eq!(report.progress, [1.0, 2.0, 3.0, 4.0], "{what}");
        }
    }
}

fn tool(name: &str, arguments: Value, answer: impl Into<String>) -> Step {
    Step { plan: json!({ "tool": name, "arguments": arguments }), answer: answer.into() }
}

fn other(plan: Value, answer: &str) -> Step {
    Step { plan, answer: answer.to_owned() }
}

/// The command lines of docs/servers.md, by the names of their servers.
pub(crate) fn commands() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(repository().join("docs/servers.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (name, command) = (cells.next()?, cells.nth(1)?.strip_prefix('`')?);
        Some((name.to_owned(), command.split('`').next()?.to_owned()))
    });
    rows.collect()
}

const NODE: &[&str] = &[".tools/node/bin", "/usr/bin", "/bin"];
const PYTHON: &[&str] = &[".tools/servers/bin", ".tools/venv/bin", "/usr/local/bin", "/usr/bin", "/bin"];

pub(crate) fn all() -> Vec<Wrapped> {
    let base = Wrapped {
        name: "",
        folder: "npm-servers",
        path: NODE,
        only_here: &[],
        steps: everything,
        asks: &[],
        called: "",
    };
    vec![
        // The slowest first.
        Wrapped { name: "playwright", steps: playwright, called: "navigate, snapshot, evaluate, close", ..base },
        Wrapped {
            name: "everything",
            folder: "npm",
            asks: &["sampling", "elicitation", "roots"],
            called: "echo, progress, sampling, elicitation, roots, prompt, resource, subscription",
            ..base
        },
        Wrapped { name: "filesystem", steps: filesystem, asks: &["roots"], called: "write, read, list, roots", ..base },
        Wrapped { name: "memory", steps: memory, called: "create, open, read as resource", ..base },
        Wrapped { name: "sequential-thinking", steps: sequential_thinking, called: "one thought", ..base },
        Wrapped { name: "time", path: PYTHON, steps: time, called: "current time, convert", ..base },
        Wrapped {
            name: "fetch",
            // Without Node: with it, the server would install a package from npm.
            path: &[".tools/servers/bin"],
            only_here: &["--allow-private-ips"],
            steps: fetch,
            called: "a page, as tool and as prompt",
            ..base
        },
        Wrapped { name: "git", path: PYTHON, steps: git, called: "status, create branch, log", ..base },
        Wrapped {
            name: "tmux",
            path: &[".tools/servers-sdk1/bin", "/usr/bin", "/bin"],
            steps: tmux,
            called: "new session, run a command, read it, kill",
            ..base
        },
    ]
}

fn everything(_: &Stage, _: Sdk) -> Vec<Step> {
    let watched = "demo://resource/dynamic/text/1";
    vec![
        tool("echo", json!({ "message": "grüß Gott" }), "Echo: grüß Gott"),
        tool("trigger-long-running-operation", json!({ "duration": 0.4, "steps": 4 }), "Steps: 4"),
        tool("trigger-sampling-request", json!({ "prompt": "hello", "maxTokens": 10 }), "a sampled answer"),
        tool("trigger-elicitation-request", json!({}), "Ada Lovelace"),
        tool("get-roots-list", json!({}), "workspace"),
        other(json!({ "prompt": "args-prompt", "arguments": { "city": "Vienna", "state": "Vienna" } }), "Vienna"),
        other(json!({ "read": "demo://resource/static/document/architecture.md" }), "# Everything Server"),
        other(json!({ "subscribe": watched }), watched),
        tool("toggle-subscriber-updates", json!({}), "simulated"),
        other(json!({ "updated": watched }), watched),
    ]
}

fn filesystem(stage: &Stage, sdk: Sdk) -> Vec<Step> {
    let (name, text) = (format!("{sdk:?}.txt"), "grüß Gott\n");
    let path = stage.file(&name);
    vec![
        tool("write_file", json!({ "path": path, "content": text }), "Success"),
        tool("read_text_file", json!({ "path": path }), text),
        tool("list_directory", json!({ "path": stage.file("") }), name),
    ]
}

fn memory(_: &Stage, sdk: Sdk) -> Vec<Step> {
    let name = format!("{sdk:?}");
    let entity = json!({ "name": name, "entityType": "SDK", "observations": ["was here"] });
    vec![
        tool("create_entities", json!({ "entities": [entity] }), &name),
        tool("open_nodes", json!({ "names": [name] }), "was here"),
        other(json!({ "read": "memory://knowledge-graph" }), "was here"),
    ]
}

fn sequential_thinking(_: &Stage, _: Sdk) -> Vec<Step> {
    let thought =
        json!({ "thought": "a first one", "thoughtNumber": 1, "totalThoughts": 2, "nextThoughtNeeded": true });
    vec![tool("sequentialthinking", thought, "\"thoughtNumber\": 1")]
}

fn time(_: &Stage, _: Sdk) -> Vec<Step> {
    let noon = json!({ "source_timezone": "Etc/UTC", "time": "12:00", "target_timezone": "Asia/Kolkata" });
    vec![
        tool("get_current_time", json!({ "timezone": "Europe/Vienna" }), "Europe/Vienna"),
        tool("convert_time", noon, "17:30"),
    ]
}

fn fetch(stage: &Stage, _: Sdk) -> Vec<Step> {
    let url = json!({ "url": stage.page.url() });
    vec![tool("fetch", url.clone(), TEXT), other(json!({ "prompt": "fetch", "arguments": url }), TEXT)]
}

fn git(stage: &Stage, sdk: Sdk) -> Vec<Step> {
    let (repository, branch) = (stage.workspace.to_string_lossy(), format!("from-{sdk:?}"));
    vec![
        tool("git_status", json!({ "repo_path": repository }), "nothing to commit"),
        tool("git_create_branch", json!({ "repo_path": repository, "branch_name": branch }), &branch),
        tool("git_log", json!({ "repo_path": repository }), "The first one"),
    ]
}

fn playwright(stage: &Stage, _: Sdk) -> Vec<Step> {
    vec![
        tool("browser_navigate", json!({ "url": stage.page.url() }), "A page"),
        tool("browser_snapshot", json!({}), TEXT),
        tool("browser_evaluate", json!({ "function": "() => document.body.innerText.length > 100" }), "true"),
        tool("browser_close", json!({}), ""),
    ]
}

fn tmux(_: &Stage, sdk: Sdk) -> Vec<Step> {
    let name = format!("{sdk:?}");
    let read = json!({ "tool": "tmux_read_pane", "arguments": { "target": name }, "until": "the answer is 42" });
    let typed = "echo the answer is $((6 * 7))";
    vec![
        tool("tmux_create_session", json!({ "name": name, "command": "sh" }), "created"),
        tool("tmux_send_keys", json!({ "target": name, "keys": typed, "literal": true }), "Keys sent"),
        tool("tmux_send_keys", json!({ "target": name, "keys": "Enter" }), "Keys sent"),
        other(read, "the answer is 42"),
        tool("tmux_kill", json!({ "target": name, "type": "session" }), "killed"),
    ]
}
