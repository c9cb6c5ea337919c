//! `tools/call` through our sidecar, through other bridges, and without anything in between.

use std::error::Error;
use std::io;

use crate::bridges::{self, SIDECAR};
use crate::compare::{Effort, Footprint, Measured, Subject, footprints, mib, rounds};
use crate::http::{Connection, request};
use crate::large::{self, LargeLoad};
use crate::load::{HttpLoad, Load};
use crate::opening::{self, Opening, Spawning};
use crate::places::built;
use crate::process::{Program, Running};
use crate::stdio::StdioLoad;

pub(crate) const DIRECT: &str = "direct stdio (limit)";
pub(crate) const LOADS: [(&str, usize); 2] = [("1 session", 1), ("8 sessions", 8)];
/// No sessions: all of them share one child.
pub(crate) const MODERN: (&str, usize) = ("8 clients of 2026-07-28", 8);
pub(crate) const OPENING: &str = "new session";
pub(crate) const LARGE: &str = "5 MiB result";
/// Sessions that are open and idle.
const IDLE: usize = 50;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
pub(crate) const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"The quick brown fox jumps over the lazy dog."}}}"#;

const MODERN_CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"The quick brown fox jumps over the lazy dog."},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}}}"#;

/// What the tool answers: the text that it was given.
const SAID: &str = r#""text":"The quick brown fox"#;

pub(crate) async fn run(effort: Effort) -> Result<Vec<Measured>, Box<dyn Error>> {
    let programs = bridges::all();
    let mut subjects = Vec::new();
    for (program, footprint) in programs.iter().zip(footprints(&programs, effort).await?) {
        let footprint = occupied(program, footprint, effort).await?;
        let running = program.start().await?;
        let mut loads = loads(&running).await?;
        if program.name == SIDECAR {
            loads.push((MODERN.0, modern(&running)));
        }
        let may_lose = program.name != SIDECAR;
        subjects.push(Subject { name: program.name, running: Some(running), loads, footprint, may_lose });
    }
    subjects.push(direct()?);
    Ok(rounds(subjects, effort).await?)
}

/// Memory with many idle sessions, and at the peak of one large result; each in a process that did nothing else.
async fn occupied(program: &Program, mut footprint: Footprint, effort: Effort) -> io::Result<Footprint> {
    for _ in 0..effort.starts.min(3) {
        let running = program.start().await?;
        let mut connection = Connection::open(running.addr).await?;
        for _ in 0..IDLE {
            opening::open(&mut connection).await?;
        }
        footprint.sessions_mib.push(mib(running.memory()?));
        drop(running);

        let running = program.start().await?;
        let large = large_load(&running).await?.run(effort.patience).await;
        match large {
            Ok(_) => footprint.peak_mib.push(mib(running.peak_memory()?)),
            Err(_) if program.name != SIDECAR => break,
            Err(fault) => return Err(fault),
        }
    }
    Ok(footprint)
}

async fn loads(server: &Running) -> io::Result<Vec<(&'static str, Load)>> {
    let mut loads = Vec::new();
    for (label, sessions) in LOADS {
        let mut requests = Vec::new();
        for _ in 0..sessions {
            requests.push(in_session(server, CALL).await?);
        }
        let load = HttpLoad { addr: server.addr, process: server.id(), requests, expected: SAID, every: None };
        loads.push((label, Load::Http(load)));
    }
    loads.push((OPENING, Load::Opening(Opening { addr: server.addr, process: server.id() })));
    loads.push((LARGE, Load::Large(large_load(server).await?)));
    Ok(loads)
}

/// The same call as clients of 2026-07-28 make it, which the other bridges cannot serve beside those with sessions.
fn modern(server: &Running) -> Load {
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")];
    let requests = vec![post(&headers, MODERN_CALL); MODERN.1];
    Load::Http(HttpLoad { addr: server.addr, process: server.id(), requests, expected: SAID, every: None })
}

async fn large_load(server: &Running) -> io::Result<LargeLoad> {
    let request = in_session(server, &large::call()).await?;
    Ok(LargeLoad { addr: server.addr, process: server.id(), request })
}

/// A message in a session that is opened for it.
async fn in_session(server: &Running, message: &str) -> io::Result<Vec<u8>> {
    let session = opening::open(&mut Connection::open(server.addr).await?).await?;
    Ok(post(&[("Mcp-Session-Id", &session), ("MCP-Protocol-Version", "2025-11-25")], message))
}

fn direct() -> io::Result<Subject> {
    let fixture = built("stdio-fixture");
    let mut loads = Vec::new();
    for (label, sessions) in LOADS {
        loads.push((label, Load::Stdio(StdioLoad::start(&fixture, sessions, CALL)?)));
    }
    loads.push((LARGE, Load::Stdio(StdioLoad::start(&fixture, 1, &large::call())?.once())));
    loads.push((OPENING, Load::Spawning(Spawning(fixture))));
    Ok(Subject { name: DIRECT, running: None, loads, footprint: Footprint::default(), may_lose: false })
}

pub(crate) fn post(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let fixed = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    request("POST /mcp", "127.0.0.1", &[&fixed, headers].concat(), body)
}
