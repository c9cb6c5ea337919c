//! A redis-server of our own, which keeps nothing on disk.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::free_addr;

pub(crate) struct Redis {
    process: Child,
    addr: SocketAddr,
}

impl Redis {
    pub(crate) fn start() -> io::Result<Self> {
        let addr = free_addr();
        let mut command = Command::new("redis-server");
        command.args(["--port", &addr.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let redis = Self { process: command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?, addr };
        let begun = Instant::now();
        while TcpStream::connect(addr).is_err() {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err(io::Error::other("redis-server does not listen"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(redis)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// One database for each program, so that none reads what another wrote.
    pub(crate) fn url(&self, database: u8) -> String {
        format!("redis://{}/{database}", self.addr)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
