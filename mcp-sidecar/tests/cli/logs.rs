//! The log: a line for each request, that nobody can forge and that nothing silences.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::program::{FIXTURE, Running, http, post, sidecar, terminate};

#[test]
fn each_request_has_a_line_with_who_and_what_but_no_id_no_argument_and_no_uri() {
    let sidecar = Running::with(&[]);
    let id = sidecar.initialize(&["X-User-Id: alice"]);
    let opened = sidecar.logged("access: request");
    let facts = " http=POST user=alice session=1 version=2025-11-25 method=initialize status=200 ms=";
    assert!(opened.contains(facts), "{opened}");
    let session = format!("Mcp-Session-Id: {id}");
    let call = |body: &str| sidecar.post(&["X-User-Id: alice", &session], body);
    call(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"pid","arguments":{"key":"s3cret"}}}"#);
    let called = sidecar.logged("access: request");
    assert!(called.contains(" method=tools/call name=pid status=200 ms=") && called.contains(" bytes="), "{called}");
    call(r#"{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"https://u:s3cret@h/"}}"#);
    let read = sidecar.logged("access: request");
    assert!(read.contains(" method=resources/read scheme=https status="), "{read}");
    call("{");
    assert!(sidecar.logged("access: request").contains(" status=400 "));
    for line in [opened, called, read].into_iter().chain(sidecar.end().1) {
        assert!(!line.contains(&id) && !line.contains("s3cret"), "{line}");
    }
}

/// Says on stderr who it is when it starts, and whenever it is asked something.
const TALKATIVE: &str = r#"
import json, os, sys
print("loaded", os.getpid(), file=sys.stderr, flush=True)
for line in sys.stdin:
    print("asked", os.getpid(), file=sys.stderr, flush=True)
    result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "t", "version": "1"}}
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": result}), flush=True)
"#;

#[test]
fn what_a_spare_says_is_logged_with_the_session_that_took_it() {
    let sidecar = Running::start(&mut sidecar(&["--port", "0", "--warm", "1", "--", "python3", "-c", TALKATIVE]));
    let loaded = sidecar.before.iter().find(|line| line.contains("loaded")).cloned();
    let loaded = loaded.unwrap_or_else(|| sidecar.logged("loaded"));
    sidecar.has_a_spare();
    assert!(loaded.contains("child=spare"), "{loaded}");
    sidecar.initialize(&[]);
    let asked = sidecar.logged("asked");
    assert!(asked.contains("session=1"), "{asked}");
    let pid = |line: &str| {
        line.split(['"', ' ']).skip_while(|word| !["loaded", "asked"].contains(word)).nth(1).map(str::to_owned)
    };
    assert!(pid(&asked).is_some() && pid(&asked) == pid(&loaded), "{loaded}, {asked}");
    sidecar.end();
}

#[test]
fn session_is_a_number_in_every_line_that_has_one() {
    let start = ["--port", "0", "--warm", "1", "--log-format", "json", "--", "python3", "-c", TALKATIVE];
    let sidecar = Running::start(&mut sidecar(&start));
    sidecar.initialize(&[]);
    sidecar.logged("asked");
    let events = sidecar.end().1;
    let sessions = |said: &str| {
        let events = events.iter().filter(|line| line.contains(said));
        let events = events.map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| event["session"].clone()).filter(|session| !session.is_null()).collect::<Vec<_>>()
    };
    assert_eq!(sessions(""), vec![Value::from(1); sessions("").len()], "{events:#?}");
    assert!(!sessions("child exited").is_empty(), "{events:#?}");
}

#[test]
fn a_stream_has_its_line_when_it_ends() {
    let sidecar = Running::with(&[]);
    let session = format!("Mcp-Session-Id: {}", sidecar.initialize(&[]));
    let only_events = ["Accept: text/event-stream", &session];
    let answer = sidecar.post(&only_events, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    let line = sidecar.logged("method=ping");
    let bytes: usize = line.rsplit_once("bytes=").unwrap().1.parse().unwrap();
    assert!(bytes > 0 && answer.contains("data: "), "{line}");
    sidecar.end();
}

/// What a client names, in the log.
fn inject(sidecar: &Running) {
    let session = format!("Mcp-Session-Id: {}", sidecar.initialize(&[]));
    let name = r#"x\nERROR forged\u202e\u2066\u001b[2J\" status=999"#;
    let body = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"{name}"}}}}"#);
    sidecar.post(&[&session, "X-User-Id: a\u{202e}b\u{85}\" status=999"], &body);
    sidecar.post(&[&session], &body);
    let method = r#"{"jsonrpc":"2.0","id":3,"method":"a\nforged"}"#;
    sidecar.post(&[&session], method);
}

#[test]
fn what_a_client_names_forges_no_line_and_turns_none_round() {
    for format in ["text", "json"] {
        let sidecar = Running::with(&["--log-format", format]);
        inject(&sidecar);
        let (_, log) = sidecar.end();
        assert!(log.iter().filter(|line| line.contains("forged")).count() > 1, "{log:#?}");
        for line in log {
            assert!(line.starts_with(if format == "json" { "{\"time\":\"20" } else { "20" }), "{line}");
            assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{2066}\u{2028}".contains(c)), "{line:?}");
            // Quotes that the client sent are escaped, so they end nothing.
            assert!(!line.replace("\\\"", "").contains("\" status=999"), "{line}");
            let event = (format == "json").then(|| serde_json::from_str::<Value>(&line).unwrap());
            assert!(event.is_none_or(|event| event["status"] != 999), "{line}");
        }
    }
}

#[test]
fn without_an_access_log_requests_are_not_told() {
    let sidecar = Running::with(&["--access-log", "off"]);
    sidecar.initialize(&[]);
    let (_, log) = sidecar.end();
    assert!(log.iter().any(|line| line.contains("session opened")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("access: ")), "{log:#?}");
}

#[test]
fn a_full_disk_under_the_log_does_not_silence_standard_error_nor_stop_the_server() {
    let mut command = sidecar(&["--port", "0", "--", "python3", FIXTURE]);
    command.env("LOG_FILE", "/dev/full");
    let sidecar = Running::start(&mut command);
    sidecar.initialize(&[]);
    sidecar.logged("method=initialize");
    assert_eq!(sidecar.end().0, Some(0));
}

#[test]
fn a_closed_standard_error_does_not_silence_the_file_nor_stop_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sidecar.log");
    let mut command = sidecar(&["--port", "0", "--", "python3", FIXTURE]);
    let mut process = command.env("LOG_FILE", &file).spawn().unwrap();
    drop(process.stderr.take());
    let addr = appears(&file, "addr=").split_once("addr=").unwrap().1.split(' ').next().unwrap().to_owned();
    http(&addr, &post(&[], r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#));
    appears(&file, "method=initialize");
    assert_eq!(terminate(&mut process), Some(0));
}

/// Says more on stderr, before it reads anything, than a pipe and the queue before it hold.
const FLOODING: &str = r#"
import sys
for n in range(20000):
    print(n, "x" * 100, file=sys.stderr)
sys.stderr.flush()
exec(open(sys.argv[1]).read())
"#;

#[test]
fn a_standard_error_that_nobody_reads_holds_up_no_request_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sidecar.log");
    let mut command = sidecar(&["--port", "0", "--", "python3", "-c", FLOODING, FIXTURE]);
    let mut process = command.env("LOG_FILE", &file).spawn().unwrap();
    let addr = appears(&file, "addr=").split_once("addr=").unwrap().1.split(' ').next().unwrap().to_owned();
    let opened = http(&addr, &post(&[], r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#));
    assert!(opened.starts_with("HTTP/1.1 200"), "{opened}");
    appears(&file, "method=initialize");
    assert_eq!(terminate(&mut process), Some(0));
    appears(&file, "stopped");
}

#[test]
fn lines_that_could_not_be_written_are_counted_and_their_number_is_logged_when_somebody_reads_again() {
    let mut command = sidecar(&["--port", "0", "--", "python3", "-c", FLOODING, FIXTURE]);
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.find(|line| line.contains("listening")).unwrap();
    let addr = listening.split_once("addr=").unwrap().1.split(' ').next().unwrap();
    http(addr, &post(&[], r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#));
    let metrics = http(addr, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let counted = metrics.lines().find_map(|line| line.strip_prefix("mcp_log_lines_dropped_total "));
    assert!(counted.unwrap().parse::<u64>().unwrap() > 0, "{metrics}");
    let told = lines.find(|line| line.contains("lines were dropped")).unwrap();
    assert!(told.contains(" ERROR ") && told.contains(" sink=stderr lines="), "{told}");
    let reads_on = std::thread::spawn(move || lines.any(|line| line.ends_with("stopped")));
    assert_eq!(terminate(&mut process), Some(0));
    assert!(reads_on.join().unwrap());
}

/// The line of the file that holds this.
fn appears(file: &Path, text: &str) -> String {
    for _ in 0..2400 {
        let log = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(line) = log.split_inclusive('\n').find(|line| line.contains(text) && line.ends_with('\n')) {
            return line.trim_end().to_owned();
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("never: {text}");
}
