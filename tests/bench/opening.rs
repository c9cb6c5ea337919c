//! New sessions: what a client waits for before its first call.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::calls::{INITIALIZE, post};
use crate::http::{Connection, request};
use crate::load::Sample;
use crate::process::cpu_time;
use crate::stdio;

/// At most so many in one round: who cannot end sessions keeps them all.
const SESSIONS: usize = 10;

/// Sessions opened one after the other on one connection, and then ended where that is possible.
pub(crate) struct Opening {
    pub(crate) addr: SocketAddr,
    pub(crate) process: u32,
}

impl Opening {
    pub(crate) async fn run(&self, patience: Duration) -> io::Result<Sample> {
        let mut connection = Connection::open(self.addr).await?.patient_for(patience);
        let (mut sessions, mut latencies) = (Vec::new(), Vec::new());
        let (start, cpu) = (Instant::now(), cpu_time(self.process)?);
        for _ in 0..SESSIONS {
            let asked = Instant::now();
            sessions.push(open(&mut connection).await?);
            latencies.push(asked.elapsed());
        }
        let (elapsed, cpu) = (start.elapsed(), cpu_time(self.process)? - cpu);
        for session in sessions {
            // The original answers 405.
            connection.exchange(&request("DELETE /mcp", "127.0.0.1", &[("Mcp-Session-Id", &session)], "")).await?;
        }
        let cpu_us = Some(cpu.as_secs_f64() * 1e6 / SESSIONS as f64);
        Ok(Sample { cpu_us, ..Sample::of(latencies, elapsed) })
    }
}

/// Opens a session and returns its id.
pub(crate) async fn open(connection: &mut Connection) -> io::Result<String> {
    let response = connection.exchange(&post(&[], INITIALIZE)).await?;
    let session = response.header("mcp-session-id").ok_or_else(|| io::Error::other("no session id"))?;
    Ok(session.to_owned())
}

/// The limit: the server itself is started and answers `initialize`.
pub(crate) struct Spawning(pub(crate) PathBuf);

impl Spawning {
    pub(crate) fn run(&self) -> io::Result<Sample> {
        let (start, mut latencies, mut peers) = (Instant::now(), Vec::new(), Vec::new());
        for _ in 0..SESSIONS {
            let asked = Instant::now();
            peers.push(stdio::Peer::start(&self.0)?);
            latencies.push(asked.elapsed());
        }
        Ok(Sample::of(latencies, start.elapsed()))
    }
}
