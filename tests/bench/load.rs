//! Closed loops: every connection sends its next request when the last one is answered.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::http::Connection;
use crate::process::cpu_time;
use crate::stdio::StdioLoad;

/// Exchanges on each connection before the clock starts.
const WARM_UP: usize = 10;

/// Where the requests of one load go.
pub(crate) enum Load {
    Http(HttpLoad),
    Stdio(StdioLoad),
}

/// What is sent to a running server: one connection for each request, which it repeats.
pub(crate) struct HttpLoad {
    pub(crate) addr: SocketAddr,
    /// Whose processor time counts.
    pub(crate) process: u32,
    pub(crate) requests: Vec<Vec<u8>>,
    /// What every body must contain: an error can come with status 200.
    pub(crate) expected: &'static str,
}

/// One round against one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time of the server for one request; not known when there is no server in between.
    pub(crate) cpu_us: Option<f64>,
}

impl Load {
    pub(crate) async fn run(&mut self, time: Duration) -> io::Result<Sample> {
        match self {
            Self::Http(load) => load.run(time).await,
            Self::Stdio(load) => load.run(time),
        }
    }
}

impl HttpLoad {
    async fn run(&self, time: Duration) -> io::Result<Sample> {
        let mut connections = try_join_all(self.requests.iter().map(|request| self.connect(request))).await?;
        let (start, cpu) = (Instant::now(), cpu_time(self.process)?);
        let until = start + time;
        let loops = connections.iter_mut().zip(&self.requests).map(|(conn, request)| self.repeat(conn, request, until));
        let latencies = try_join_all(loops).await?.concat();
        let (elapsed, cpu) = (start.elapsed(), cpu_time(self.process)? - cpu);
        let count = latencies.len() as f64;
        Ok(Sample { cpu_us: Some(cpu.as_secs_f64() * 1e6 / count), ..Sample::of(latencies, elapsed) })
    }

    async fn connect(&self, request: &[u8]) -> io::Result<Connection> {
        let mut connection = Connection::open(self.addr).await?;
        for _ in 0..WARM_UP {
            self.succeed(&mut connection, request).await?;
        }
        Ok(connection)
    }

    async fn repeat(&self, connection: &mut Connection, request: &[u8], until: Instant) -> io::Result<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(1 << 16);
        let mut sent = Instant::now();
        while sent < until || latencies.is_empty() {
            self.succeed(connection, request).await?;
            let answered = Instant::now();
            latencies.push(answered - sent);
            sent = answered;
        }
        Ok(latencies)
    }

    async fn succeed(&self, connection: &mut Connection, request: &[u8]) -> io::Result<()> {
        let response = connection.exchange(request).await?;
        if response.status == 200 && contains(response.body, self.expected.as_bytes()) {
            return Ok(());
        }
        let body = String::from_utf8_lossy(response.body);
        Err(io::Error::other(format!("answered with status {}: {body}", response.status)))
    }
}

fn contains(body: &[u8], expected: &[u8]) -> bool {
    expected.is_empty() || body.windows(expected.len()).any(|window| window == expected)
}

impl Sample {
    pub(crate) fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        let percentile = |p: usize| latencies[(latencies.len() - 1) * p / 100].as_secs_f64() * 1e6;
        let per_second = latencies.len() as f64 / elapsed.as_secs_f64();
        Self { per_second, p50_us: percentile(50), p99_us: percentile(99), cpu_us: None }
    }
}
