//! One large result, and what it costs in memory at its peak.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::load::Sample;
use crate::process::cpu_time;

/// The text that the tool answers with.
pub(crate) const BYTES: usize = 5 << 20;

/// One call of it; a session that is dead afterwards is not asked again.
pub(crate) struct LargeLoad {
    pub(crate) addr: SocketAddr,
    pub(crate) process: u32,
    pub(crate) request: Vec<u8>,
}

impl LargeLoad {
    pub(crate) async fn run(&self, patience: Duration) -> io::Result<Sample> {
        let mut connection = Connection::open(self.addr).await?.patient_for(patience);
        let (start, cpu) = (Instant::now(), cpu_time(self.process)?);
        let response = connection.exchange(&self.request).await?;
        if response.status != 200 || response.body.len() < BYTES {
            return Err(io::Error::other(format!("status {}, {} bytes", response.status, response.body.len())));
        }
        let (elapsed, cpu) = (start.elapsed(), cpu_time(self.process)? - cpu);
        Ok(Sample { cpu_us: Some(cpu.as_secs_f64() * 1e6), ..Sample::of(vec![elapsed], elapsed) })
    }
}

/// The call, as the body of a POST or a line.
pub(crate) fn call() -> String {
    let arguments = format!(r#"{{"bytes":{BYTES}}}"#);
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"big","arguments":{arguments}}}}}"#)
}
