//! The limit for `tools/call`: the same messages written to the same server's stdin, nothing in between.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::calls::INITIALIZE;
use crate::load::Sample;
use crate::places::command;

pub(crate) struct StdioLoad {
    children: Vec<Peer>,
    /// A line.
    call: String,
    /// Not over and over: one call takes long enough.
    once: bool,
}

/// A server that has answered `initialize`; ended with the value.
pub(crate) struct Peer {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl StdioLoad {
    pub(crate) fn start(server: &Path, sessions: usize, call: &str) -> io::Result<Self> {
        let children = (0..sessions).map(|_| Peer::start(server)).collect::<io::Result<_>>()?;
        Ok(Self { children, call: format!("{call}\n"), once: false })
    }

    pub(crate) fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// One thread for each child; every one sends its next call when the last is answered.
    pub(crate) fn run(&mut self, time: Duration) -> io::Result<Sample> {
        let (start, call) = (Instant::now(), &self.call);
        let until = if self.once { start } else { start + time };
        let latencies = thread::scope(|scope| {
            let spawn = |peer| scope.spawn(move || repeat(peer, call, until));
            let threads: Vec<_> = self.children.iter_mut().map(spawn).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("its thread does not panic");
            threads.into_iter().map(join).collect::<io::Result<Vec<_>>>()
        })?;
        Ok(Sample::of(latencies.concat(), start.elapsed()))
    }
}

impl Peer {
    pub(crate) fn start(server: &Path) -> io::Result<Self> {
        let mut process = command(server).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = process.stdout.take().ok_or_else(|| io::Error::other("stdout is piped"))?;
        let stdin = process.stdin.take();
        let mut peer = Self { process, stdin, stdout: BufReader::new(stdout), line: String::new() };
        peer.exchange(&format!("{INITIALIZE}\n"))?;
        Ok(peer)
    }

    fn exchange(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| io::Error::other("stdin is piped"))?;
        stdin.write_all(line.as_bytes())?;
        self.line.clear();
        match self.stdout.read_line(&mut self.line)? {
            0 => Err(io::Error::other("the server ended")),
            _ => Ok(()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take()); // the end of stdin is the end of the server
        self.process.wait().ok();
    }
}

fn repeat(peer: &mut Peer, call: &str, until: Instant) -> io::Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(1 << 16);
    let mut sent = Instant::now();
    while sent < until || latencies.is_empty() {
        peer.exchange(call)?;
        let answered = Instant::now();
        latencies.push(answered - sent);
        sent = answered;
    }
    Ok(latencies)
}
