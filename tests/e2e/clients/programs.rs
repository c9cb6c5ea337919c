//! One test a program.

use gateway_tests::harness::{Process, tool};
use serde_json::{Value, json};

use super::{computer::Computer, stdio::Stdio};

const SAID: &str = "grüß Gott";

/// The first JSON object that a program printed.
fn json_in(log: &str) -> Value {
    let start = log.find('{').unwrap_or_else(|| panic!("no JSON in {log}"));
    let mut values = serde_json::Deserializer::from_str(&log[start..]).into_iter();
    values.next().unwrap().unwrap_or_else(|error| panic!("{error} in {log}"))
}

#[tokio::test]
async fn fastmcp_logs_in_and_calls_a_tool() {
    let computer = Computer::start();
    let mut call = computer.run(tool("clients/bin/fastmcp"));
    call.args(["call", &computer.server(), "echo", &format!("text={SAID}"), "--auth", "oauth", "--json"]);
    let mut fastmcp = Process::start("fastmcp", &mut call);
    computer.log_in(&mut fastmcp).await;
    assert!(fastmcp.ended().success(), "{}", fastmcp.log());
    assert_eq!(json_in(&fastmcp.log())["content"][0]["text"], SAID, "{}", fastmcp.log());
}

#[tokio::test]
async fn mcp_inspector_logs_in_and_calls_a_tool() {
    for era in ["legacy", "auto"] {
        let computer = Computer::start();
        let mut inspector = computer.node("mcp-inspector");
        inspector.args(["--cli", &computer.server(), "--transport", "http", "--protocol-era", era]);
        inspector.args(["--method", "tools/call", "--tool-name", "echo", "--tool-arg", &format!("text={SAID}")]);
        inspector.args(["--format", "json"]).env("MCP_AUTO_OPEN_ENABLED", "true");
        let mut inspector = Process::start("mcp-inspector", &mut inspector);
        computer.log_in(&mut inspector).await;
        assert!(inspector.ended().success(), "{}", inspector.log());
        let log = inspector.log();
        let answer = log.lines().find(|line| line.contains("\"content\"")).unwrap_or_else(|| panic!("{log}"));
        assert!(answer.contains(SAID), "{era}: {log}");
    }
}

/// A desktop client that speaks stdio only, through `mcp-remote`.
#[tokio::test]
async fn mcp_remote_logs_in_and_calls_a_tool() {
    for protocol in ["legacy", "auto"] {
        let computer = Computer::start();
        let mut remote = computer.node("mcp-remote");
        let mut remote = Stdio::start("mcp-remote", remote.args([&computer.server(), "--protocol", protocol]));
        computer.log_in(&mut remote.process).await;
        let info = json!({ "name": "a desktop client", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info });
        let server = remote.ask("initialize", hello);
        assert!(server["serverInfo"]["name"].is_string(), "{protocol}: {server}");
        remote.tell("notifications/initialized");
        let tools = remote.ask("tools/list", json!({}));
        assert!(tools["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "echo"), "{tools}");
        let answer = remote.ask("tools/call", json!({ "name": "echo", "arguments": { "text": SAID } }));
        assert_eq!(answer["content"][0]["text"], SAID, "{protocol}: {answer}");
    }
}
