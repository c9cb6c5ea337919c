//! The fixture as a running HTTP server, ended with the value.

use std::path::PathBuf;
use std::process::Command;

use gateway_tests::harness::{Process, binary, tool};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/fixture");

pub(crate) struct Served {
    _process: Process,
    /// `localhost`, not 127.0.0.1: the DNS rebinding scenario derives the allowed Host from it.
    pub(crate) url: String,
}

impl Served {
    /// By the SDK's own HTTP transport.
    pub(crate) fn native() -> Self {
        Self::start("native", node().arg(format!("{FIXTURE}/http.cjs")).arg("0"))
    }

    /// By the sidecar, around the fixture's stdio form.
    pub(crate) fn by_sidecar() -> Self {
        let mut sidecar = with_modules(Command::new(binary("mcp-sidecar")));
        sidecar.args(["--host", "127.0.0.1", "--port", "0", "--"]);
        Self::start("mcp-sidecar", sidecar.arg(node_path()).arg(format!("{FIXTURE}/stdio.cjs")))
    }

    fn start(name: &str, command: &mut Command) -> Self {
        let mut process = Process::start(name, command);
        let url = format!("http://localhost:{}/mcp", process.address().port());
        Self { _process: process, url }
    }
}

pub(crate) fn node() -> Command {
    with_modules(Command::new(node_path()))
}

fn node_path() -> PathBuf {
    tool("node/bin/node")
}

fn with_modules(mut command: Command) -> Command {
    command.env("NODE_PATH", tool("npm/node_modules"));
    command
}
