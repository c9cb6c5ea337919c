//! The real program around a tree like those that `npx` makes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};

use crate::support::{NO_SESSION, PATIENCE, eventually, remains};

/// npx → sh → server, with a helper beside it and a daemon that fled: the least that answers `initialize`.
const TREE: &str = r#"sleep 7001 & (setsid sleep 7002 >/dev/null 2>&1 &)
sh -c 'sleep 7003 & python3 -uc "
import json, sys
for line in sys.stdin:
    call = json.loads(line)
    if \"id\" in call and call[\"method\"] != \"hang\":
        info = {\"protocolVersion\": \"2025-11-25\", \"capabilities\": {}, \"serverInfo\": {\"name\": \"tree\", \"version\": \"1\"}}
        print(json.dumps({\"jsonrpc\": \"2.0\", \"id\": call[\"id\"], \"result\": info}))
"; :'; :"#;
pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
/// Marks, in the environment, all that one test has started.
pub(crate) const MARK: &str = "CHILD_FAULTS_TREE";

pub(crate) struct Sidecar {
    pub(crate) process: Child,
    addr: String,
    pub(crate) mark: String,
    log: Mutex<mpsc::Receiver<String>>,
}

impl Sidecar {
    pub(crate) fn start(name: &str, before: &[&str]) -> Self {
        Self::with(name, before, &[])
    }

    pub(crate) fn with(name: &str, before: &[&str], options: &[&str]) -> Self {
        Self::around(name, before, &[options, &["--", "sh", "-c", TREE]].concat())
    }

    pub(crate) fn around(name: &str, before: &[&str], arguments: &[&str]) -> Self {
        let name = &format!("{name}-{}", std::process::id());
        let own = [env!("CARGO_BIN_EXE_mcp-sidecar"), "--port", "0"];
        let stops = if arguments.contains(&"--stop-timeout") { &[][..] } else { &["--stop-timeout", "1"] };
        let words = [before, &own, stops, arguments].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env(MARK, name).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let addr = log.find_map(|line| Some(line.split_once("addr=")?.1.split(' ').next()?.to_owned())).unwrap();
        let (lines, logged) = mpsc::channel();
        // Read to its end also when nobody listens.
        std::thread::spawn(move || log.for_each(|line| lines.send(line).unwrap_or_default()));
        Self { process, addr, mark: format!("{MARK}={name}\0"), log: logged.into() }
    }

    /// Waits for the next line of the log with this in it, and gives those before it.
    pub(crate) fn logged(&self, what: &str) -> Vec<String> {
        let log = self.log.lock().unwrap();
        let next = || log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never logged: {what}"));
        std::iter::repeat_with(next).take_while(|line| !line.contains(what)).collect()
    }

    pub(crate) fn ask(&self, head: &str, body: &str) -> String {
        let mut answer = String::new();
        self.send(head, body).read_to_string(&mut answer).unwrap();
        answer
    }

    /// The connection on which the answer will come.
    pub(crate) fn send(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        let length = body.len();
        let common = "Host: localhost\r\nConnection: close\r\nAccept: application/json, text/event-stream";
        write!(
            stream,
            "{head}\r\n{common}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    /// Opens a session and gives its id.
    pub(crate) fn initialize(&self) -> String {
        let answer = self.ask("POST /mcp HTTP/1.1", INITIALIZE);
        assert!(answer.contains("\"serverInfo\""), "{answer}");
        let head = answer.to_ascii_lowercase();
        head.split_once("mcp-session-id: ").unwrap().1.lines().next().unwrap().to_owned()
    }

    /// Waits until so many processes are there: one that is becoming another program shows no mark for a moment.
    pub(crate) fn grows_to(&self, processes: usize) {
        eventually(&format!("{processes} processes"), || self.tree() == processes);
    }

    pub(crate) fn tree(&self) -> usize {
        // The sidecar itself carries the mark as well.
        remains(NO_SESSION, &self.mark).iter().filter(|id| **id != self.process.id()).count()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Those that have ended and that nobody has collected.
pub(crate) fn zombies_of(parent: u32) -> Vec<u32> {
    let is_one = |status: &String| status.contains(&format!("\nPPid:\t{parent}\n")) && status.contains("\nState:\tZ");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let of = entries.filter_map(|entry| {
        let _status = fs::read_to_string(entry.path().join("status")).ok().filter(is_one)?;
        entry.file_name().to_str()?.parse().ok()
    });
    of.collect()
}
