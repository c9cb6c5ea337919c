//! What brings a stdio server to Streamable HTTP: ours, the Python original, and the other bridges that people use.

use std::path::PathBuf;
use std::process::Command;

use gateway_tests::harness::repository;

use crate::calls::{INITIALIZE, post};
use crate::places::{built, command, original, sidecar};
use crate::process::Program;

pub(crate) const SIDECAR: &str = "mcp-sidecar";
pub(crate) const ORIGINAL: &str = "Python original";
/// Pinned in scripts/npm/peers/package.json and scripts/versions.env.
pub(crate) const PEERS: [&str; 3] = ["supergateway 4.0.0", "mcp-proxy (npm) 6.7.19", "mcp-proxy (PyPI) 0.13.0"];

/// Ours and the original, and those of the others that `scripts/setup bench` has installed.
pub(crate) fn all() -> Vec<Program> {
    // The same command line for both: ours takes the original's place, and serves clients without sessions besides.
    let served = [(sidecar(), &["--era", "dual"][..]), (original("mcp-streamablehttp-proxy"), &[])];
    let [ours, original] = served.map(|(binary, era)| {
        move |port: &str, fixture: &str| {
            let mut command = command(&binary);
            command.args(["--host", "127.0.0.1", "--port", port, "--log-level", "error", fixture]).args(era);
            command
        }
    });
    let mut programs = vec![bridge(SIDECAR, ours), bridge(ORIGINAL, original)];
    if installed("peers/bin/mcp-proxy").exists() {
        let [supergateway, on_node, on_python] = PEERS;
        programs.extend([
            bridge(supergateway, supergateway_command),
            bridge(on_node, mcp_proxy_on_node),
            bridge(on_python, mcp_proxy_on_python),
        ]);
    }
    programs
}

/// Every session has a child of its own, as with ours.
fn supergateway_command(port: &str, fixture: &str) -> Command {
    let mut command = node("supergateway/dist/index.js");
    command.args(["--stdio", fixture, "--outputTransport", "streamableHttp", "--stateful"]);
    command.args(["--port", port, "--logLevel", "none"]);
    command
}

/// All sessions share one child; so they do with its namesake.
fn mcp_proxy_on_node(port: &str, fixture: &str) -> Command {
    let mut command = node("mcp-proxy/dist/bin/mcp-proxy.mjs");
    command.args(["--host", "127.0.0.1", "--port", port, "--server", "stream", "--", fixture]);
    command
}

fn mcp_proxy_on_python(port: &str, fixture: &str) -> Command {
    let mut command = command(&installed("peers/bin/mcp-proxy"));
    command.args(["--host", "127.0.0.1", "--port", port, "--log-level", "ERROR", "--", fixture]);
    command
}

fn bridge(name: &'static str, start: impl Fn(&str, &str) -> Command + 'static) -> Program {
    let fixture = built("stdio-fixture").display().to_string();
    let command = move |port: u16| start(&port.to_string(), &fixture);
    Program { name, command: Box::new(command), probe: post(&[], INITIALIZE) }
}

fn node(script: &str) -> Command {
    let mut node = command(&installed("node/bin/node"));
    node.arg(installed("npm-peers/node_modules").join(script));
    node
}

fn installed(path: &str) -> PathBuf {
    repository().join(".tools").join(path)
}
