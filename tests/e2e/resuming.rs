//! SDKs that come back to streams which have ended. By hand: mcp-sidecar/tests/http/resuming.rs.

use std::process::Command;

use gateway_tests::harness::{Process, binary, repository, tool};
use serde_json::{Value, json};

/// Its version 1 takes an error for no answer (fixed in version 2: typescript-sdk#1390).
#[test]
fn the_typescript_sdk_hears_everything_once_after_an_error_on_a_stream() {
    let mut run = Command::new(binary("mcp-sidecar"));
    let mut sidecar = Process::start("mcp-sidecar", run.args(["--port", "0", "--"]).arg(binary("stdio-fixture")));
    let mut client = Command::new(tool("node/bin/node"));
    client.arg(repository().join("tests/clients/typescript/resume.mts"));
    let output = client.args([&format!("http://{}/mcp", sidecar.address()), "5"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen, json!({ "resumed": 405, "gets": [200, 405], "heard": 5 }));
}
