use super::*;
use crate::session::description::End;
use crate::session::handshake::Junk;

fn described() -> Description {
    let legacy = Introduction {
        versions: vec!["2025-11-25".into()],
        capabilities: json!({ "tools": { "listChanged": true }, "logging": {} }),
        server_info: json!({ "name": "s", "version": "1", "title": "A\u{1b}[2J server" }),
        instructions: None,
    };
    Description {
        modern: None,
        legacy: Some(legacy),
        tools: vec![json!({
            "name": "add",
            "description": "Adds.\nMore",
            "inputSchema": { "properties": { "a": {}, "b": {} }, "required": ["a"] },
        })],
        prompts: vec![json!({ "name": "p", "arguments": [{ "name": "x" }] })],
        resources: vec![],
        resource_templates: vec![],
        faults: vec!["the MCP server refused prompts/list: no".into()],
        is_silent: false,
        start_seconds: 0.5,
        junk: Junk { lines: 2, first: Some("npm notice".into()) },
        end: End { by: EndedBy::Sigterm, seconds: 2.01, status: "killed by SIGTERM".into() },
    }
}

fn report(command: &Command, outcome: Result<Description, String>) -> Report<'_> {
    Report { command, outcome, stderr: vec!["last\u{202e}".into()] }
}

fn command() -> Command {
    Command { program: "srv".into(), args: vec!["--stdio".into()], env: Vec::new() }
}

#[test]
fn the_table_says_what_a_person_wants_to_know_and_cannot_move_the_cursor() {
    let command = command();
    let text = report(&command, Ok(described())).text();
    for line in [
        "server        s 1 (A\\u{1b}[2J server)",
        "eras          legacy",
        "capabilities  logging, tools (listChanged)",
        "starts in     0.50 s",
        "stdout        WARNING: 2 lines are no messages and belong on stderr; the first: npm notice",
        "ends          WARNING: only when it gets SIGTERM, after 2.01 s (killed by SIGTERM)",
        "tools (1)",
        "  add  a, [b]",
        "      Adds.",
        "  p  [x]",
        "WARNING: the MCP server refused prompts/list: no",
        "serve it:  mcp-sidecar srv --stdio",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
}

#[test]
fn a_server_that_ended_while_it_was_asked_is_not_said_to_end_well() {
    let (command, mut found) = (command(), described());
    found.end = End { by: EndedBy::Itself, seconds: 0.0, status: "exited with status 7".into() };
    found.is_silent = true;
    let text = report(&command, Ok(found.clone())).text();
    assert!(text.contains("\nends          WARNING: before its input is closed (exited with status 7)\n"), "{text}");
    assert!(text.contains("last\\u{202e}\n"), "{text}");
    let told: Value = serde_json::from_str(&report(&command, Ok(found)).json()).unwrap();
    assert_eq!((&told["ok"], &told["end"]["by"]), (&json!(false), &json!("itself")));
}

#[test]
fn the_json_has_the_same_and_the_tools_in_full() {
    let command = command();
    let told: Value = serde_json::from_str(&report(&command, Ok(described())).json()).unwrap();
    assert_eq!((&told["ok"], &told["eras"]), (&json!(true), &json!(["legacy"])));
    assert_eq!(told["legacy"]["serverInfo"]["name"], "s");
    assert_eq!(told["tools"][0]["inputSchema"]["required"][0], "a");
    assert_eq!((&told["junk"]["lines"], &told["end"]["by"]), (&json!(2), &json!("sigterm")));
}

#[test]
fn a_failure_comes_with_advice_and_last_words() {
    let command = command();
    let failure = "the MCP server exited with status 3";
    let text = report(&command, Err(failure.into())).text();
    assert!(text.starts_with(failure) && text.contains("API key") && text.ends_with("  last\\u{202e}\n"), "{text}");
    let told: Value = serde_json::from_str(&report(&command, Err(failure.into())).json()).unwrap();
    assert_eq!((&told["ok"], &told["error"]), (&json!(false), &json!(failure)));
}
