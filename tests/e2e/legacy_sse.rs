//! `--legacy-sse` with the official SDKs' own clients of 2024-11-05, through real processes. By hand, and against
//! attackers: mcp-sidecar/tests/http/legacy_sse.rs.

use std::process::Command;

use gateway_tests::harness::{Family, Process, binary, eventually, repository, tool};
use serde_json::{Value, json};

use crate::support::SOON;

/// What a client sees of the fixture when it calls, is told of progress every so many `ms`, and is asked.
fn used_by(program: &[&str], ms: u32) -> (Value, Process, Family) {
    let mut run = Command::new(binary("mcp-sidecar"));
    run.args(["--port", "0", "--legacy-sse", "--stop-timeout", "1", "--"]).arg(binary("stdio-fixture"));
    let family = Family::of(&mut run);
    let mut sidecar = Process::start("mcp-sidecar", &mut run);
    let steps = json!([
        { "tool": "echo", "arguments": { "text": "gr\u{fc}\u{df} Gott" } },
        { "tool": "progress", "arguments": { "steps": 3, "ms": ms } },
        { "tool": "sample", "arguments": { "text": "?" } },
    ]);
    let plan = json!({ "url": format!("http://{}/sse", sidecar.address()), "roots": [], "steps": steps });
    let mut client = Command::new("timeout");
    client.arg("120").args(program).arg(plan.to_string()).current_dir(repository().join("tests/clients"));
    let output = client.output().unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complained}", output.status);
    let seen = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}; {complained}"));
    (seen, sidecar, family)
}

async fn gets_everything_and_leaves_nothing(program: &[&str], ms: u32) -> Value {
    let (seen, sidecar, family) = used_by(program, ms);
    assert_eq!(seen["answers"][0], "gr\u{fc}\u{df} Gott", "{seen}");
    assert_eq!(seen["asked"], json!(["sampling"]));
    assert!(seen["answers"][2].as_str().unwrap().contains("a sampled answer"), "{seen}");
    let ended = async || family.members().iter().all(|(_, command)| command.contains("mcp-sidecar")).then_some(());
    eventually(SOON, "the session's process has ended with its stream", ended).await;
    assert!(!sidecar.log().contains("sessionId="), "{}", sidecar.log());
    seen["progress"].clone()
}

#[tokio::test]
async fn the_python_sdks_sse_client_gets_everything_and_leaves_nothing() {
    let python = tool("venv/bin/python");
    let progress = gets_everything_and_leaves_nothing(&[python.to_str().unwrap(), "python/use.py"], 50).await;
    assert_eq!(progress, json!([1.0, 2.0, 3.0]));
}

#[tokio::test]
async fn the_typescript_sdks_sse_client_gets_everything_and_leaves_nothing() {
    let node = tool("node/bin/node");
    let program = [node.to_str().unwrap(), "--require", "./node/localhost.cjs", "typescript/use.mts"];
    // This SDK drops progress that it reads together with the answer: the first is long before it.
    let progress = gets_everything_and_leaves_nothing(&program, 1000).await;
    assert_eq!(progress[0], 1);
}
