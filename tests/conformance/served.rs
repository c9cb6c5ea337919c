//! The fixture as a running HTTP server, ended with the value.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/fixture");
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools");

pub(crate) struct Served {
    process: Child,
    /// `localhost`, not 127.0.0.1: the DNS rebinding scenario derives the allowed Host from it.
    pub(crate) url: String,
}

impl Served {
    /// By the SDK's own HTTP transport.
    pub(crate) fn native() -> Self {
        Self::start(node().arg(format!("{FIXTURE}/http.cjs")).arg("0"))
    }

    /// By the sidecar, around the fixture's stdio form.
    pub(crate) fn by_sidecar() -> Self {
        let mut sidecar = with_modules(Command::new(built("mcp-sidecar")));
        sidecar.args(["--host", "127.0.0.1", "--port", "0", "--"]);
        Self::start(sidecar.arg(node_path()).arg(format!("{FIXTURE}/stdio.cjs")))
    }

    fn start(command: &mut Command) -> Self {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("fixture starts");
        let addr = listening_addr(process.stderr.take().expect("stderr is piped"));
        let port = addr.rsplit_once(':').expect("host:port").1;
        Self { process, url: format!("http://localhost:{port}/mcp") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.process.id().try_into().expect("a process id"));
        kill(id, Signal::SIGTERM).expect("the process is ours and not yet waited for");
        self.process.wait().expect("it ends");
    }
}

pub(crate) fn node() -> Command {
    with_modules(Command::new(node_path()))
}

fn node_path() -> PathBuf {
    let path = Path::new(TOOLS).join("node/bin/node");
    assert!(path.exists(), "{} is missing: run scripts/setup test", path.display());
    path
}

fn with_modules(mut command: Command) -> Command {
    command.env("NODE_PATH", format!("{TOOLS}/npm/node_modules"));
    command
}

/// A binary of the workspace, which cargo has put beside the tests' folder.
fn built(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this test has a path");
    let path = tests.ancestors().nth(2).expect("target/<profile>/deps/<test>").join(name);
    assert!(path.exists(), "{} is missing: cargo build -p {name}", path.display());
    path
}

/// Waits for `listening addr=…` and keeps the pipe drained afterwards.
fn listening_addr(stderr: ChildStderr) -> String {
    let mut lines = BufReader::new(stderr);
    let mut seen = String::new();
    loop {
        let start = seen.len();
        assert!(lines.read_line(&mut seen).expect("stderr is text") > 0, "it ended before it listened: {seen}");
        let line = &seen[start..];
        let Some(addr) = line.split_once("addr=").filter(|(head, _)| head.contains("listening")) else { continue };
        let addr = addr.1.split_whitespace().next().expect("an address").to_owned();
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        return addr;
    }
}
