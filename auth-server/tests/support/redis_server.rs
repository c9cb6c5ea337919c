//! A real redis-server on a free port, with its files in a directory of its own.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use auth_server::oauth::secret::Secret;
use deadpool_redis::redis;

/// Below Linux's ephemeral range: no outgoing connection takes a port while its server is down.
const FIRST: u16 = 10_000;
const COUNT: u16 = 10_000;

/// Ports that are tried: somebody else may take one between the look and the start.
pub(crate) const ATTEMPTS: usize = 10;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback port that nobody listens on, and that this process will not name again.
pub(crate) fn free_port() -> u16 {
    // Test binaries run side by side: each starts looking elsewhere.
    let start = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(COUNT)).unwrap();
    let ports = (0..COUNT).map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT);
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().expect("a free port")
}

/// Asks until it is `up`. False: it has ended, most likely because somebody else took its port.
pub(crate) fn comes_up(child: &mut Child, up: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if up() {
            return true;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "redis-server did not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

pub(crate) struct RedisServer {
    child: Option<Child>,
    addr: SocketAddr,
    dir: PathBuf,
    pub(crate) password: Option<&'static str>,
}

impl RedisServer {
    pub(crate) fn start(dir: &Path, password: Option<&'static str>) -> Self {
        let dir = dir.join("redis");
        fs::create_dir_all(&dir).unwrap();
        let mut server = Self { child: None, addr: (Ipv4Addr::LOCALHOST, 0).into(), dir, password };
        for _ in 0..ATTEMPTS {
            server.addr.set_port(free_port());
            server.try_up();
            if server.child.is_some() {
                return server;
            }
        }
        panic!("redis-server ended at once on each of {ATTEMPTS} ports");
    }

    /// Starts it again, on the same port and files.
    pub(crate) fn up(&mut self) {
        self.try_up();
        assert!(self.child.is_some(), "redis-server ended at once");
    }

    fn try_up(&mut self) {
        // Each answer waits for the write and none for the disk: what is to be survived is a kill, not a power cut.
        let child = Command::new("redis-server")
            .args(["--port", &self.addr.port().to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "no", "--requirepass", self.password.unwrap_or("")])
            .arg("--dir")
            .arg(&self.dir)
            .stdout(Stdio::null())
            .spawn();
        let mut child =
            child.unwrap_or_else(|cause| panic!("redis-server is needed ({cause}): run scripts/setup test"));
        self.child = comes_up(&mut child, || self.answers()).then_some(child);
    }

    /// Kills it.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// «STOP» and «CONT»: it hangs, and goes on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) fn url(&self) -> Secret {
        Secret::new(format!("redis://{}", self.addr))
    }

    /// A client of its own, for looking at what is stored and for writing what others wrote.
    pub(crate) async fn client(&self) -> redis::aio::MultiplexedConnection {
        let auth = self.password.map(|password| format!(":{password}@")).unwrap_or_default();
        let client = redis::Client::open(format!("redis://{auth}{}", self.addr)).unwrap();
        let waits = redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        client.get_multiplexed_async_connection_with_config(&waits).await.unwrap()
    }

    /// Up, and done with reading its files: before that it answers `LOADING`.
    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.addr) else { return false };
        let mut answer = [0; 8];
        stream.write_all(b"PING\r\n").is_ok()
            && stream
                .read(&mut answer)
                .is_ok_and(|n| answer[..n].starts_with(b"+PONG") || answer.starts_with(b"-NOAUTH"))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.down();
    }
}
