//! `tools/call` of an echo tool: through our sidecar, through the Python original, and without anything in between.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::compare::{Effort, Footprint, Measured, Subject, footprints, rounds};
use crate::http::{Connection, request};
use crate::load::{HttpLoad, Load};
use crate::places::{built, command, original};
use crate::process::{Program, Running};
use crate::stdio::StdioLoad;

pub(crate) const SIDECAR: &str = "mcp-sidecar";
pub(crate) const ORIGINAL: &str = "Python original";
pub(crate) const DIRECT: &str = "direct stdio (limit)";
pub(crate) const LOADS: [(&str, usize); 2] = [("1 session", 1), ("8 sessions", 8)];

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
pub(crate) const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"The quick brown fox jumps over the lazy dog."}}}"#;

/// What the tool answers: the text that it was given.
const SAID: &str = r#""text":"The quick brown fox"#;

pub(crate) async fn run(effort: Effort) -> Result<Vec<Measured>, Box<dyn Error>> {
    let programs = [bridge(SIDECAR, built("mcp-sidecar")), bridge(ORIGINAL, original("mcp-streamablehttp-proxy"))];
    let mut subjects = Vec::new();
    for (program, footprint) in programs.iter().zip(footprints(&programs, effort).await?) {
        let running = program.start().await?;
        let loads = loads(&running).await?;
        subjects.push(Subject { name: program.name, running: Some(running), loads, footprint });
    }
    subjects.push(direct()?);
    Ok(rounds(subjects, effort).await?)
}

/// The same command line for both: ours takes the original's place.
fn bridge(name: &'static str, binary: PathBuf) -> Program {
    let fixture = built("stdio-fixture");
    let start = move |port: u16| {
        let mut command = command(&binary);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--log-level", "error"]).arg(&fixture);
        command
    };
    Program { name, command: Box::new(start), probe: post(&[], INITIALIZE) }
}

async fn loads(server: &Running) -> io::Result<Vec<(&'static str, Load)>> {
    let mut loads = Vec::new();
    for (label, sessions) in LOADS {
        let mut requests = Vec::new();
        for _ in 0..sessions {
            let session = open_session(server).await?;
            requests.push(post(&[("Mcp-Session-Id", &session), ("MCP-Protocol-Version", "2025-11-25")], CALL));
        }
        loads.push((
            label,
            Load::Http(HttpLoad { addr: server.addr, process: server.id(), requests, expected: SAID, every: None }),
        ));
    }
    Ok(loads)
}

async fn open_session(server: &Running) -> io::Result<String> {
    let mut connection = Connection::open(server.addr).await?;
    let response = connection.exchange(&post(&[], INITIALIZE)).await?;
    let session = response.header("mcp-session-id").ok_or_else(|| io::Error::other("no session id"))?;
    Ok(session.to_owned())
}

fn direct() -> io::Result<Subject> {
    let fixture = built("stdio-fixture");
    let mut loads = Vec::new();
    for (label, sessions) in LOADS {
        loads.push((label, Load::Stdio(StdioLoad::start(&fixture, sessions)?)));
    }
    Ok(Subject { name: DIRECT, running: None, loads, footprint: Footprint::default() })
}

fn post(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let fixed = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    request("POST /mcp", "127.0.0.1", &[&fixed, headers].concat(), body)
}
