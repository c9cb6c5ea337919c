//! Closed loops: every connection sends its next request when the last one is answered.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::compare::Effort;
use crate::http::Connection;
use crate::large::LargeLoad;
use crate::opening::{Opening, Spawning};
use crate::process::cpu_time;
use crate::stdio::StdioLoad;

/// Exchanges on each connection before the clock starts.
const WARM_UP: usize = 10;

/// Where the requests of one load go.
pub(crate) enum Load {
    Http(HttpLoad),
    Stdio(StdioLoad),
    Large(LargeLoad),
    Opening(Opening),
    Spawning(Spawning),
}

/// What is sent to a running server: one connection for each request, which it repeats.
pub(crate) struct HttpLoad {
    pub(crate) addr: SocketAddr,
    /// Whose processor time counts.
    pub(crate) process: u32,
    pub(crate) requests: Vec<Vec<u8>>,
    /// What every body must contain: an error can come with status 200.
    pub(crate) expected: &'static str,
    /// From one request of a connection to its next; `None`: as soon as it is answered.
    pub(crate) every: Option<Duration>,
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
    pub(crate) async fn run(&mut self, effort: Effort) -> io::Result<Sample> {
        match self {
            Self::Http(load) => load.run(effort.time).await,
            Self::Stdio(load) => load.run(effort.time),
            Self::Large(load) => load.run(effort.patience).await,
            Self::Opening(load) => load.run(effort.patience).await,
            Self::Spawning(load) => load.run(),
        }
    }
}

impl HttpLoad {
    pub(crate) async fn run(&self, time: Duration) -> io::Result<Sample> {
        let mut connections = try_join_all(self.requests.iter().map(|request| self.connect(request))).await?;
        let (start, cpu) = (Instant::now(), cpu_time(self.process)?);
        let until = start + time;
        let count = self.requests.len() as u32;
        let loops = connections.iter_mut().zip(&self.requests).zip(0..).map(|((connection, request), i)| {
            // Paced connections take turns.
            let begin = start + self.every.unwrap_or_default() * i / count;
            self.repeat(connection, request, [begin, until])
        });
        let latencies = try_join_all(loops).await?.concat();
        let (elapsed, cpu) = (start.elapsed(), cpu_time(self.process)? - cpu);
        let count = latencies.len() as f64;
        Ok(Sample { cpu_us: Some(cpu.as_secs_f64() * 1e6 / count), ..Sample::of(latencies, elapsed) })
    }

    async fn connect(&self, request: &[u8]) -> io::Result<Connection> {
        let mut connection = Connection::open(self.addr).await?;
        for _ in 0..WARM_UP {
            succeed(&mut connection, request, self.expected).await?;
        }
        Ok(connection)
    }

    async fn repeat(
        &self,
        connection: &mut Connection,
        request: &[u8],
        [mut next, until]: [Instant; 2],
    ) -> io::Result<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(1 << 16);
        let mut sent = Instant::now();
        while sent < until || latencies.is_empty() {
            if let Some(every) = self.every {
                tokio::time::sleep_until(next.into()).await;
                next += every;
                sent = Instant::now();
            }
            succeed(connection, request, self.expected).await?;
            let answered = Instant::now();
            latencies.push(answered - sent);
            sent = answered;
        }
        Ok(latencies)
    }
}

/// Every request once: each connection has its share. `warm_up` opens the connections and is not measured.
pub(crate) async fn once(
    addr: SocketAddr,
    process: u32,
    warm_up: &[u8],
    requests: &[&[Vec<u8>]],
) -> io::Result<Sample> {
    let load = HttpLoad { addr, process, requests: vec![warm_up.to_vec(); requests.len()], expected: "", every: None };
    let mut connections = try_join_all(load.requests.iter().map(|request| load.connect(request))).await?;
    let (start, cpu) = (Instant::now(), cpu_time(process)?);
    let walks = connections.iter_mut().zip(requests).map(|(connection, requests)| walk(connection, requests));
    let latencies = try_join_all(walks).await?.concat();
    let (elapsed, cpu) = (start.elapsed(), cpu_time(process)? - cpu);
    let count = latencies.len() as f64;
    Ok(Sample { cpu_us: Some(cpu.as_secs_f64() * 1e6 / count), ..Sample::of(latencies, elapsed) })
}

async fn walk(connection: &mut Connection, requests: &[Vec<u8>]) -> io::Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(requests.len());
    for request in requests {
        let sent = Instant::now();
        succeed(connection, request, "").await?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

async fn succeed(connection: &mut Connection, request: &[u8], expected: &str) -> io::Result<()> {
    let response = connection.exchange(request).await?;
    if response.status == 200 && contains(response.body, expected.as_bytes()) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(response.body);
    Err(io::Error::other(format!("answered with status {}: {body}", response.status)))
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
