//! The program in an environment of its own, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Long enough for a loaded machine; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/server.py");

pub(crate) fn sidecar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-sidecar"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in [
        "SERVER_COMMAND",
        "MCP_BIND_HOST",
        "MCP_PORT",
        "PORT",
        "LOG_FILE",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "BASE_DOMAIN",
        "MCP_CORS_ORIGINS",
    ] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn output(arguments: &[&str]) -> Output {
    sidecar(arguments).output().unwrap()
}

/// A sidecar that listens, and the lines of its log.
pub(crate) struct Running {
    pub(crate) addr: String,
    /// What it said before it listened.
    pub(crate) before: Vec<String>,
    process: Child,
    log: Receiver<String>,
}

impl Running {
    /// Around the fixture, with `--port 0`.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::start(&mut sidecar(&[&["--port", "0"], options, &["--", "python3", FIXTURE]].concat()))
    }

    /// Waits for `listening addr=…`.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let (lines, log) = channel();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        // Ends with the process: its stderr closes.
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let mut running = Self { addr: String::new(), before: Vec::new(), process, log };
        let line = loop {
            let line = running.logged("");
            if line.contains("listening") {
                break line;
            }
            running.before.push(line);
        };
        let addr = line.split_once("\"addr\":\"").or(line.split_once("addr=")).unwrap().1;
        running.addr = addr.split([' ', '"']).next().unwrap().to_owned();
        running
    }

    /// The next line of the log that holds this.
    pub(crate) fn logged(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never: {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until a spare can be taken.
    pub(crate) fn has_a_spare(&self) {
        let metrics = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let deadline = Instant::now() + PATIENCE;
        while !http(&self.addr, metrics).contains("\nmcp_children_warm 1\n") {
            assert!(Instant::now() < deadline, "never: a spare");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything it has said since, once it has ended by SIGTERM.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        let code = terminate(&mut self.process);
        (code, self.log.iter().collect())
    }

    pub(crate) fn post(&self, headers: &[&str], body: &str) -> String {
        http(&self.addr, &post(headers, body))
    }

    /// The id of a new session.
    pub(crate) fn initialize(&self, headers: &[&str]) -> String {
        let response = self.post(headers, r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#);
        session_of(&response).to_owned()
    }
}

pub(crate) fn post(headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn session_of(response: &str) -> &str {
    response.split_once("mcp-session-id: ").unwrap_or_else(|| panic!("{response}")).1.split('\r').next().unwrap()
}

pub(crate) fn http(addr: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// The exit code after SIGTERM.
pub(crate) fn terminate(process: &mut Child) -> Option<i32> {
    kill(Pid::from_raw(process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    process.wait().unwrap().code()
}
