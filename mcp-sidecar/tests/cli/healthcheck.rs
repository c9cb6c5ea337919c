//! `mcp-sidecar healthcheck`: for images without curl.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::program::{PATIENCE, Running, output, sidecar};

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
    // Bound, so that it is nobody else's, but nobody listens.
    let nobody = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    nobody.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let free = nobody.local_addr().unwrap().as_socket().unwrap();
    assert_eq!(output(&["healthcheck", "--url", &format!("http://{free}/ready")]).status.code(), Some(1));
    assert_eq!(output(&["healthcheck", "--url", "https://x"]).status.code(), Some(64));
    assert_eq!(output(&["healthcheck", "--timeout", "0"]).status.code(), Some(64));
}

/// The exit code and what is said about one who is asked and does this.
fn asked(timeout: &str, one: impl FnOnce(TcpStream) + Send + 'static) -> (Option<i32>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ready", listener.local_addr().unwrap());
    let answered = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap);
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        one(stream);
    });
    let checked = output(&["healthcheck", "--url", &url, "--timeout", timeout]);
    answered.join().unwrap();
    (checked.status.code(), String::from_utf8(checked.stderr).unwrap())
}

#[test]
fn one_that_says_nothing_or_only_a_byte_now_and_then_has_given_no_answer_in_time() {
    let silent = asked("0.5", |mut stream| assert_eq!(stream.read(&mut [0]).unwrap(), 0));
    let slow = asked("0.5", |mut stream| {
        let bytes = b"HTTP/1.1 200 OK\r\nX-Long: ".iter().chain(std::iter::repeat(&b'x'));
        for byte in bytes.take(600) {
            if stream.write_all(&[*byte]).is_err() {
                // Whoever asked is gone.
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it still waits");
    });
    for (code, told) in [silent, slow] {
        assert_eq!(code, Some(1), "{told}");
        assert!(told.ends_with("/ready gave no answer within 0.5 s\n"), "{told}");
    }
}

#[test]
fn what_an_answer_holds_moves_no_cursor_and_forges_no_line() {
    let (code, told) =
        asked("60", |mut stream| stream.write_all(b"HTTP/1.1 503 x\r\n\r\nnot\x1b[2J\nready\n").unwrap());
    assert_eq!(code, Some(1));
    assert!(told.ends_with("/ready answered 503: not\\u{1b}[2J\\nready\n"), "{told}");
}
