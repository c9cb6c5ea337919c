//! One test a program. The commands are those of docs/clients.md: what is shown there is what runs here.

use gateway_tests::harness::{Process, free_port, repository, tool};
use serde_json::{Value, json};

use super::{computer::Computer, stdio::Stdio};

/// What the official `everything` server answers to `echo` with `hello`.
const ANSWER: &str = "Echo: hello";

fn page() -> String {
    std::fs::read_to_string(repository().join("docs/clients.md")).unwrap()
}

/// The arguments of the command that begins with `program`.
fn shown(computer: &Computer, program: &str) -> Vec<String> {
    let page = page();
    let line = page.lines().find_map(|line| line.strip_prefix(program)).unwrap_or_else(|| panic!("no line {program}"));
    computer.shown(line).split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn fastmcp_logs_in_and_calls_a_tool() {
    let computer = Computer::start();
    let mut call = computer.run(tool("clients/bin/fastmcp"));
    let mut fastmcp = Process::start("fastmcp", call.args(shown(&computer, "fastmcp ")));
    computer.log_in(&mut fastmcp).await;
    assert!(fastmcp.ended().success() && fastmcp.log().contains(ANSWER), "{}", fastmcp.log());
}

/// MCP Inspector as it is shown; its redirect has a port of its own, because tests run side by side.
fn inspector(computer: &Computer, more: &[&str]) -> Process {
    let mut inspector = computer.node("mcp-inspector");
    inspector.args(shown(computer, "npx @modelcontextprotocol/inspector ")).args(more);
    let callback = format!("http://127.0.0.1:{}/oauth/callback", free_port());
    inspector.env("MCP_AUTO_OPEN_ENABLED", "true").env("MCP_OAUTH_CALLBACK_URL", callback);
    Process::start("mcp-inspector", inspector.env("MCP_INSPECTOR_SECRET_STORE", "file"))
}

#[tokio::test]
async fn mcp_inspector_logs_in_and_calls_a_tool() {
    for era in ["legacy", "auto"] {
        let computer = Computer::start();
        let mut inspector = inspector(&computer, &["--protocol-era", era]);
        computer.log_in(&mut inspector).await;
        assert!(inspector.ended().success() && inspector.log().contains(ANSWER), "{era}: {}", inspector.log());
    }
}

#[tokio::test]
async fn mcp_inspector_needs_no_second_login_even_when_its_access_token_has_ended() {
    let computer = Computer::start();
    let mut first = inspector(&computer, &[]);
    computer.log_in(&mut first).await;
    assert!(first.ended().success(), "{}", first.log());
    computer.end_access_tokens();
    let mut second = inspector(&computer, &[]);
    assert!(second.ended().success() && second.log().contains(ANSWER), "{}", second.log());
    assert_eq!(computer.logins(), 1, "{}", second.log());
}

/// The server in the `mcpServers` object that is shown: its arguments after `npx -y mcp-remote`.
fn mcp_remote_shown(computer: &Computer) -> Vec<String> {
    let page = page();
    let block = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config: Value = serde_json::from_str(&computer.shown(block)).unwrap();
    let server = &config["mcpServers"]["everything"];
    assert_eq!(
        (&server["command"], &server["args"][0], &server["args"][1]),
        (&json!("npx"), &json!("-y"), &json!("mcp-remote"))
    );
    let args = server["args"].as_array().unwrap()[2..].iter();
    args.map(|arg| arg.as_str().unwrap().to_owned()).collect()
}

/// A session of a desktop client that speaks stdio only.
fn shake_hands(remote: &mut Stdio) {
    let info = json!({ "name": "a desktop client", "version": "1" });
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info });
    let server = remote.ask("initialize", hello);
    assert!(server["serverInfo"]["name"].is_string(), "{server}");
    remote.tell("notifications/initialized");
}

fn echo(remote: &mut Stdio) -> Value {
    let answer = remote.ask("tools/call", json!({ "name": "echo", "arguments": { "message": "hello" } }));
    answer["content"][0]["text"].clone()
}

#[tokio::test]
async fn mcp_remote_logs_in_and_calls_a_tool() {
    let computer = Computer::start();
    let mut remote = computer.node("mcp-remote");
    let mut remote = Stdio::start("mcp-remote", remote.args(mcp_remote_shown(&computer)));
    computer.log_in(&mut remote.process).await;
    shake_hands(&mut remote);
    let tools = remote.ask("tools/list", json!({}));
    assert!(tools["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "echo"), "{tools}");
    assert_eq!(echo(&mut remote), ANSWER);
    computer.end_access_tokens();
    assert_eq!(echo(&mut remote), ANSWER, "by a refresh that nobody notices");
    assert_eq!(computer.logins(), 1, "{}", remote.process.log());
}

#[test]
fn mcp_remote_gets_in_as_a_machine_without_a_person() {
    let computer = Computer::start();
    let create = ["clients", "create", "--name", "Nightly", "--grant-type", "client_credentials", "--json"];
    let made = computer.gateway.auth[0].command(&create).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    computer.keep("machine.json", &made.stdout);
    let mut remote = computer.node("mcp-remote");
    let mut remote = Stdio::start("mcp-remote", remote.args(shown(&computer, "npx -y mcp-remote ")));
    shake_hands(&mut remote);
    assert_eq!(echo(&mut remote), ANSWER);
    assert_eq!(computer.logins(), 0, "{}", remote.process.log());
}
