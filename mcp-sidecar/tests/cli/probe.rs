//! `mcp-sidecar probe`: what a person runs first.

use std::process::Output;

use serde_json::{Value, json};

use crate::program::{Running, output, sidecar};

const DESCRIBED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/described.py");

fn probe(arguments: &[&str]) -> Output {
    output(&[&["probe"], arguments].concat())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_server_is_shown_with_its_eras_versions_lists_and_manners() {
    let probed = probe(&["--stop-timeout", "20", "--", "python3", DESCRIBED]);
    assert_eq!(probed.status.code(), Some(0));
    let table = text(probed.stdout);
    for line in [
        "server        described 1.2 (Described)",
        "eras          modern, legacy",
        "versions      2026-07-28, 2025-11-25",
        "capabilities  prompts, resources (subscribe), tools (listChanged)",
        "stdout        messages only",
        "tools (1)",
        "  add  a, b, [round]",
        "      Adds.",
        "  greet  who",
        "  file:///a  A",
        "  file:///{name}  Any",
    ] {
        assert!(table.lines().any(|shown| shown == line), "{line}: {table}");
    }
    assert!(table.contains("\nends          by itself when its input is closed, after "), "{table}");
    assert!(table.contains("\nstarts in     "), "{table}");
}

#[test]
fn what_a_server_should_not_do_is_said() {
    let probed = probe(&["--json", "--stop-timeout", "5", "--", "python3", DESCRIBED, "--rude"]);
    assert_eq!(probed.status.code(), Some(0));
    let told: Value = serde_json::from_slice(&probed.stdout).unwrap();
    assert_eq!(told["eras"], json!(["modern", "legacy"]));
    assert_eq!(told["junk"], json!({ "lines": 1, "first": "Server started!" }));
    assert_eq!(told["end"]["by"], "sigterm");
    assert_eq!(told["tools"][0]["inputSchema"]["required"], json!(["a", "b"]));
}

#[test]
fn each_usual_trouble_has_a_clear_message_and_status_1() {
    for (command, clear) in [
        (&["no-such-program"][..], "no-such-program was not found"),
        (&["sh", "-c", "echo TOKEN is not set >&2; exit 3"], "\n  TOKEN is not set\n"),
        (&["true"], "It left at once"),
        (&["--timeout", "0.3", "--", "sleep", "60"], "did not answer within 0.3 s"),
        (&["cat", "/etc/hostname"], "It left at once"),
    ] {
        let probed = probe(command);
        let told = text(probed.stdout);
        assert_eq!(probed.status.code(), Some(1), "{command:?}: {told}");
        assert!(told.contains(clear), "{command:?}: {told}");
    }
    let told: Value = serde_json::from_slice(&probe(&["--json", "false"]).stdout).unwrap();
    assert_eq!((&told["ok"], &told["error"]), (&json!(false), &json!("the MCP server exited with status 1")));
}

/// Of the older era; when it is asked for its tools it does what its argument says.
const FAULTY: &str = r#"
import json, sys, time
for line in sys.stdin:
    message = json.loads(line)
    method, answer = message["method"], {"error": {"code": -32601, "message": "no such method"}}
    if method == "initialize":
        answer = {"result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}, "prompts": {}}}}
    elif method == "prompts/list":
        answer = {"result": {"prompts": [{"name": "greet"}]}}
    elif method == "tools/list" and sys.argv[1] == "exits":
        sys.exit(7)
    elif method == "tools/list" and sys.argv[1] == "hangs":
        continue
    elif method == "tools/list":
        answer = {"result": {"tools": [{"name": "again"}], "nextCursor": "more"}}
    if "id" in message:
        print(json.dumps(dict(answer, jsonrpc="2.0", id=message["id"])), flush=True)
"#;

fn faulty(era: &str, does: &str) -> (Option<i32>, Value) {
    let patience = ["--json", "--timeout", "12", "--stop-timeout", "20"];
    let probed = probe(&[&patience[..], &["--era", era, "--", "python3", "-c", FAULTY, does]].concat());
    (probed.status.code(), serde_json::from_slice(&probed.stdout).unwrap())
}

#[test]
fn what_is_known_of_a_server_that_hangs_or_ends_half_way_is_told_and_what_it_did() {
    let (hung, ended) = std::thread::scope(|scope| {
        let hung = scope.spawn(|| faulty("legacy", "hangs"));
        let ended = faulty("legacy", "exits");
        (hung.join().unwrap(), ended)
    });
    let (code, hung) = hung;
    assert_eq!((code, &hung["ok"], &hung["eras"]), (Some(1), &json!(false), &json!(["legacy"])));
    assert_eq!((&hung["prompts"][0]["name"], &hung["end"]["by"]), (&json!("greet"), &json!("end_of_input")));
    assert_eq!(hung["faults"], json!(["the MCP server did not answer in time (tools/list)"]));
    let (code, ended) = ended;
    assert_eq!((code, &ended["ok"], &ended["eras"]), (Some(1), &json!(false), &json!(["legacy"])));
    assert_eq!((&ended["end"]["by"], &ended["end"]["status"]), (&json!("itself"), &json!("exited with status 7")));
    assert_eq!(ended["faults"], json!(["the MCP server exited with status 7 (tools/list)"]));
}

#[test]
fn a_list_without_an_end_and_a_server_of_the_other_era_are_named() {
    let (code, endless) = faulty("legacy", "repeats");
    assert_eq!((code, endless["tools"].as_array().unwrap().len()), (Some(0), 100));
    let faults = endless["faults"].to_string();
    assert!(faults.contains("tools/list") && faults.contains("100 pages"), "{faults}");
    let (code, older) = faulty("modern", "repeats");
    let error = older["error"].as_str().unwrap();
    assert!(error.contains("refused server/discover") && error.contains("no such method"), "{error}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_probe_that_names_nothing_to_probe_is_misused() {
    for arguments in [&[][..], &["--timeout", "never", "x"], &["--no-such-option", "x"]] {
        assert_eq!(probe(arguments).status.code(), Some(64), "{arguments:?}");
    }
    let help = probe(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(help.stdout).contains("mcp-sidecar -- probe"));
}

#[test]
fn the_server_of_the_environment_can_be_probed() {
    let mut command = sidecar(&["probe"]);
    // What only matters to those who serve it may be wrong.
    command.envs([("MCP_PORT", "abc"), ("LOG_LEVEL", "x"), ("REDIS_URL", "x"), ("BASE_DOMAIN", "https://x")]);
    let probed = command.env("SERVER_COMMAND", format!("python3 '{DESCRIBED}'")).output().unwrap();
    assert!(text(probed.stdout).starts_with("server        described 1.2"));
}

#[test]
fn a_wrapped_program_may_be_called_probe() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/cat", folder.path().join("probe")).unwrap();
    for words in [&["--", "probe"][..], &["--port", "0", "probe"]] {
        let mut command = sidecar(words);
        let running = Running::start(command.env("PATH", folder.path()).env("PORT", "0"));
        assert_eq!(running.end().0, Some(0));
    }
}

#[test]
fn a_probed_server_is_told_as_little_of_redis_as_one_that_is_served() {
    let says = "import os, sys; print(repr(os.environ.get('REDIS_PASSWORD')), file=sys.stderr)";
    for (url, seen) in [("redis://h", "''"), ("", "'s3cret'")] {
        let mut command = sidecar(&["probe", "python3", "-c", says]);
        let probed = command.envs([("REDIS_URL", url), ("REDIS_PASSWORD", "s3cret")]).output().unwrap();
        assert!(text(probed.stdout).contains(seen), "{url}");
    }
}
