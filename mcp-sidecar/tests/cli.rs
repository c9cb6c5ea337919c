//! The program as people start it.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/server.py");

fn sidecar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-sidecar"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["SERVER_COMMAND", "MCP_BIND_HOST", "MCP_PORT", "PORT", "LOG_FILE", "LOG_LEVEL", "BASE_DOMAIN"] {
        command.env_remove(name);
    }
    command
}

fn output(arguments: &[&str]) -> Output {
    sidecar(arguments).output().unwrap()
}

/// Starts it and waits for `listening addr=…`.
fn listening(command: &mut Command) -> (Child, String) {
    let mut process = command.spawn().unwrap();
    let stderr = BufReader::new(process.stderr.take().unwrap());
    let mut lines = stderr.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("listening")).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let addr = line.split_once("addr=").unwrap().1.split(' ').next().unwrap().to_owned();
    (process, addr)
}

fn end(mut process: Child) -> Option<i32> {
    kill(Pid::from_raw(process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    process.wait().unwrap().code()
}

fn http(addr: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn faults_are_told_together_with_status_64() {
    let refused = output(&["--port", "x", "--timeout", "y"]);
    assert_eq!(refused.status.code(), Some(64));
    let told = String::from_utf8(refused.stderr).unwrap();
    for fault in ["--port \"x\"", "--timeout \"y\"", "no command"] {
        assert!(told.contains(fault), "{told}");
    }
    assert_eq!(output(&["--no-such-option", "x"]).status.code(), Some(64));
}

#[test]
fn help_is_no_fault() {
    let help = output(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("SERVER_COMMAND"));
}

#[test]
fn it_listens_where_it_says_serves_the_command_of_the_environment_and_leaves_with_0_on_sigterm() {
    let log = tempfile::tempdir().unwrap();
    let log = log.path().join("sub/sidecar.log");
    let mut command = sidecar(&["--port", "0"]);
    command.env("SERVER_COMMAND", format!("python3 '{FIXTURE}'")).env("LOG_FILE", &log);
    let (process, addr) = listening(&mut command);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = http(&addr, &request);
    assert!(response.starts_with("HTTP/1.1 200") && response.contains("mcp-session-id: "), "{response}");
    assert_eq!(end(process), Some(0));
    let logged = std::fs::read_to_string(log).unwrap();
    let session = response.split_once("mcp-session-id: ").unwrap().1.split('\r').next().unwrap();
    assert!(logged.contains("session opened") && logged.contains("stopped"), "{logged}");
    assert!(!logged.contains(session), "session ids are never logged");
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = output(&["--port", &port, "cat"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{told}");
}

#[test]
fn every_option_is_explained_in_docs_sidecar() {
    let help = String::from_utf8(output(&["--help"]).stdout).unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sidecar.md")).unwrap();
    let options =
        help.lines().filter_map(|line| line.trim().strip_prefix("--")).filter_map(|line| line.split(' ').next());
    let options: Vec<_> = options.collect();
    assert!(options.len() > 10, "{help}");
    for option in options {
        assert!(page.contains(&format!("`--{option}")), "--{option} is not in docs/sidecar.md");
    }
}
