//! Arguments, environment, the address, and the end.

use crate::program::{FIXTURE, Running, output, session_of, sidecar};

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
    let running = Running::start(&mut command);
    let response = running.post(&[], r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#);
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert_eq!(running.end().0, Some(0));
    let logged = std::fs::read_to_string(log).unwrap();
    assert!(logged.contains("session opened") && logged.contains("stopped"), "{logged}");
    assert!(!logged.contains(session_of(&response)), "session ids are never logged");
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
fn whoever_lets_any_host_in_is_told_so_and_what_to_set() {
    for (options, is_warned) in [
        (&["--host", "0.0.0.0"][..], true),
        (&["--host", "0.0.0.0", "--allowed-host", "mcp.example.com"], false),
        (&["--host", "127.0.0.1"], false),
    ] {
        let running = Running::with(options);
        let said = running.before.iter().any(|line| line.contains(" WARN ") && line.contains("BASE_DOMAIN"));
        assert_eq!(said, is_warned, "{options:?}: {:?}", running.before);
        running.end();
    }
}
