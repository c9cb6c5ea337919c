//! `mcp-sidecar healthcheck`: for images without curl.

use std::net::TcpListener;

use crate::program::{Running, output, sidecar};

#[test]
fn a_sidecar_whose_server_answers_is_healthy_where_the_environment_says() {
    let running = Running::with(&[]);
    let port = running.addr.rsplit_once(':').unwrap().1.to_owned();
    for (name, host) in [("MCP_PORT", "0.0.0.0"), ("PORT", "127.0.0.1")] {
        let checked = sidecar(&["healthcheck"]).env(name, &port).env("MCP_BIND_HOST", host).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
    }
    let alive = output(&["healthcheck", "--url", &format!("http://{}/health", running.addr)]);
    assert_eq!(alive.status.code(), Some(0));
    running.end();
}

#[test]
fn one_whose_server_does_not_answer_is_not_and_says_why() {
    let running = Running::start(&mut sidecar(&["--port", "0", "false"]));
    let checked = output(&["healthcheck", "--url", &format!("http://{}/ready", running.addr)]);
    let told = String::from_utf8(checked.stderr).unwrap();
    assert_eq!(checked.status.code(), Some(1));
    assert!(told.contains("answered 503") && told.contains("exited with status 1"), "{told}");
    running.end();
}

#[test]
fn a_port_where_nobody_is_and_a_url_that_is_none_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(output(&["healthcheck", "--url", &format!("http://{free}/ready")]).status.code(), Some(1));
    assert_eq!(output(&["healthcheck", "--url", "https://x"]).status.code(), Some(64));
    assert_eq!(output(&["healthcheck", "--timeout", "0"]).status.code(), Some(64));
}
