//! A redis-server of one's own, that can be stopped and started again with its data.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::{Process, free_port, paths::installed, wait::within};

/// Durable: what was written is there after [`Redis::stop`] and [`Redis::resume`].
#[derive(Debug)]
pub struct Redis {
    port: u16,
    folder: TempDir,
    process: Option<Process>,
}

impl Redis {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut redis = Self { port: free_port(), folder, process: None };
        redis.resume();
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it on the same port with the same data.
    pub fn resume(&mut self) {
        let mut server = Command::new(installed("redis-server"));
        server.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]).arg("--dir").arg(self.folder.path());
        // What is written survives the process, though not the machine: nobody waits for a busy disk.
        server.args(["--save", "", "--appendonly", "yes", "--appendfsync", "no"]);
        self.process = Some(Process::start("redis-server", &mut server));
        within(Duration::from_secs(60), "redis-server does not answer", || {
            (self.cli(&["PING"]) == "PONG").then_some(())
        });
    }

    /// Ends it; connections break, data stays.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// SIGSTOP and SIGCONT: it hangs, and goes on.
    pub fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("it runs").signal(signal);
    }

    /// What `redis-cli` answers.
    pub fn cli(&self, command: &[&str]) -> String {
        let mut cli = Command::new(installed("redis-cli"));
        cli.args(["-p", &self.port.to_string()]).args(command).stderr(Stdio::null());
        let output = cli.output().expect("redis-cli can be run");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub fn keys(&self, pattern: &str) -> Vec<String> {
        self.cli(&["--raw", "KEYS", pattern]).lines().map(str::to_owned).collect()
    }
}
