//! A client's side of MCP over stdio: one line a message.

use std::{
    io::Write,
    process::{ChildStdin, Command},
};

use gateway_tests::harness::Process;
use serde_json::{Value, json};

/// A running server and the pipe to it; what it answers is in its log, among what it says to people.
#[derive(Debug)]
pub(crate) struct Stdio {
    pub(crate) process: Process,
    stdin: ChildStdin,
    asked: u64,
}

impl Stdio {
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let (process, stdin) = Process::start_fed(name, command);
        Self { process, stdin, asked: 0 }
    }

    /// The result of a request.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.process.within(&format!("answer {method}"), |log| {
            let messages = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut answers = messages.filter(|message| message["id"] == id && message.get("result").is_some());
            answers.next().map(|mut answer| answer["result"].take())
        })
    }

    pub(crate) fn tell(&mut self, method: &str) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method }));
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.stdin, "{message}").unwrap();
    }
}
