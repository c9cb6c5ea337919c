//! A real redis-server on a free port, with its files in a directory of its own.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use auth_server::oauth::secret::Secret;
use deadpool_redis::redis;

pub(crate) struct RedisServer {
    child: Option<Child>,
    addr: SocketAddr,
    dir: PathBuf,
    pub(crate) password: Option<&'static str>,
}

impl RedisServer {
    pub(crate) fn start(dir: &Path, password: Option<&'static str>) -> Self {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let dir = dir.join("redis");
        fs::create_dir_all(&dir).unwrap();
        let mut server = Self { child: None, addr, dir, password };
        server.up();
        server
    }

    /// Starts it again, on the same port and files.
    pub(crate) fn up(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.addr.port().to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--requirepass", self.password.unwrap_or("")])
            .arg("--dir")
            .arg(&self.dir)
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|cause| panic!("redis-server is needed ({cause}): run scripts/setup test"));
        self.child = Some(child);
        let begun = Instant::now();
        while !self.answers() {
            assert!(begun.elapsed() < Duration::from_secs(20), "redis-server did not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
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
        client.get_multiplexed_async_connection().await.unwrap()
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
