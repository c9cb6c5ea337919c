//! Programs under test: start, wait until they answer, and what /proc says about them.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gateway_tests::harness::free_port;
use nix::sys::signal::{Signal, kill};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::http::Connection;

const PATIENCE: Duration = Duration::from_secs(60);

/// How one program is started. `command` gets the port that it is to listen on.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) command: Box<dyn Fn(u16) -> Command>,
    /// A request that is answered with 200 once the program is of use.
    pub(crate) probe: Vec<u8>,
}

/// A running program; ended with the value.
pub(crate) struct Running {
    process: Child,
    pub(crate) addr: SocketAddr,
    /// From spawn to the first good answer.
    pub(crate) started_in: Duration,
}

impl Program {
    pub(crate) async fn start(&self) -> io::Result<Running> {
        let addr = free_addr();
        let begun = Instant::now();
        let mut command = (self.command)(addr.port());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut running = Running { process, addr, started_in: Duration::ZERO };
        while !answers(addr, &self.probe).await {
            if begun.elapsed() > PATIENCE || running.process.try_wait()?.is_some() {
                return Err(io::Error::other(format!("{} does not answer: {command:?}", self.name)));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        running.started_in = begun.elapsed();
        Ok(running)
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> io::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most it ever was.
    pub(crate) fn peak_memory(&self) -> io::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let kib = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
        let kib: u64 = kib.and_then(|kib| kib.parse().ok()).ok_or_else(|| io::Error::other("no such field"))?;
        Ok(kib * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM).ok();
        let asked = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.process.kill().ok(); // nothing is left to kill when it has ended by itself
        self.process.wait().ok();
    }
}

/// User and system time so far, to the nanosecond, threads that have ended included.
pub(crate) fn cpu_time(process: u32) -> io::Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(process.cast_signed()))?;
    Ok(clock_gettime(clock)?.into())
}

async fn answers(addr: SocketAddr, probe: &[u8]) -> bool {
    let Ok(mut connection) = Connection::open(addr).await else { return false };
    matches!(connection.exchange(probe).await, Ok(response) if response.status == 200)
}

pub(crate) fn free_addr() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}
