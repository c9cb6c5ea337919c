//! The official SDKs' clients through the sidecar, in both eras: what differs between the eras, each does with its own
//! code (tests/clients/*/eras.*).

use std::process::Command;

use gateway_tests::harness::{Process, binary, repository, tool};
use serde_json::{Value, json};

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// How the client opens, what the server speaks, and what they must come to.
const MEETINGS: [(&str, &str, &str); 5] = [
    ("legacy", "legacy", LEGACY),
    ("auto", "legacy", LEGACY),
    ("legacy", "dual", LEGACY),
    ("auto", "dual", MODERN),
    ("auto", "modern", MODERN),
];

struct Sidecar {
    url: String,
    _process: Process,
}

impl Sidecar {
    /// Around the scripted fixture.
    fn start(era: &str) -> Self {
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--host", "127.0.0.1", "--port", "0", "--"]).arg(binary("stdio-fixture")).args(["--era", era]);
        let mut process = Process::start(&format!("mcp-sidecar-{era}"), &mut run);
        Self { url: format!("http://{}/mcp", process.address()), _process: process }
    }
}

fn meets_every_server(client: &Command) {
    let sidecars = ["legacy", "dual", "modern"].map(|era| (era, Sidecar::start(era)));
    for (mode, era, protocol) in MEETINGS {
        let (_, sidecar) = sidecars.iter().find(|(known, _)| *known == era).expect("just started");
        let seen = report(client, &json!({ "url": sidecar.url, "mode": mode }));
        let met = format!("{mode} client, {era} server: {seen}");
        assert_eq!(seen["protocol"], protocol, "{met}");
        did_everything(&seen, protocol, &met);
    }
}

/// What a client printed that has done the plan.
fn report(client: &Command, plan: &Value) -> Value {
    let mut run = Command::new(client.get_program());
    let output = run.args(client.get_args()).arg(plan.to_string()).output().expect("it can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{plan}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{plan}: {error}: {said}"))
}

fn did_everything(seen: &Value, protocol: &str, met: &str) {
    assert!(seen["tools"].as_array().is_some_and(|tools| tools.contains(&json!("echo"))), "{met}");
    assert_eq!(seen["echo"], "grüß Gott", "{met}");
    assert_eq!(seen["progress"].as_array().map(Vec::len), Some(3), "{met}");
    assert_eq!(seen["route"], json!({ "region": "eu", "priority": 7, "dryRun": true, "text": "grüß Gott" }), "{met}");
    assert_eq!(seen["answer"], json!({ "action": "accept", "content": { "answer": "Ada Lovelace" } }), "{met}");
    // The fixture asks as often as it is told to, but in a session once.
    let asked = if protocol == MODERN { json!(["who?", "who?"]) } else { json!(["who?"]) };
    assert_eq!(seen["asked"], asked, "{met}");
    assert_eq!(seen["cancelled"], true, "{met}");
}

fn python(interpreter: &str, client: &str) -> Command {
    let mut python = Command::new(tool(interpreter));
    python.arg(repository().join("tests/clients/python/eras.py")).arg(client);
    python
}

#[test]
fn the_python_sdk_meets_servers_of_every_era() {
    meets_every_server(&python("venv/bin/python", "mcp"));
}

#[test]
fn fastmcp_meets_servers_of_every_era() {
    meets_every_server(&python("clients/bin/python", "fastmcp"));
}

#[test]
fn the_typescript_sdk_meets_servers_of_every_era() {
    let mut node = Command::new(tool("node/bin/node"));
    meets_every_server(node.arg(repository().join("tests/clients/typescript/eras.mts")));
}
