//! The real sidecar and clients of it.

use std::process::Command;

use futures_util::StreamExt;
use gateway_tests::{
    client::McpClient,
    harness::{Family, Process, binary},
};
use nix::sys::signal::Signal;
use reqwest::{Client, Response};
use serde_json::Value;

pub(crate) struct Sidecar {
    pub(crate) process: Process,
    family: Family,
    pub(crate) url: String,
    pub(crate) http: Client,
}

impl Sidecar {
    pub(crate) fn around_fixture(options: &[&str]) -> Self {
        Self::around(options, &[binary("stdio-fixture").to_str().unwrap()])
    }

    pub(crate) fn around(options: &[&str], command: &[&str]) -> Self {
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--port", "0"]).args(options).arg("--").args(command);
        let family = Family::of(&mut run);
        let mut process = Process::start("mcp-sidecar", &mut run);
        let url = format!("http://{}/mcp", process.address());
        Self { process, family, url, http: Client::new() }
    }

    pub(crate) async fn session(&self) -> McpClient {
        McpClient::connect(&self.http, &self.url, "nobody looks at it").await
    }

    /// Resident now, in KiB.
    pub(crate) fn memory(&self) -> usize {
        self.status("VmRSS:")
    }

    /// The most that it ever was, in KiB.
    pub(crate) fn peak_memory(&self) -> usize {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// SIGTERM, now.
    pub(crate) fn begin_stop(&self) {
        self.process.signal(Signal::SIGTERM);
    }

    /// Waits for its end, which must be a good one that leaves nobody.
    pub(crate) fn stopped_well(mut self) {
        let status = self.process.ended();
        assert!(status.success(), "{status}");
        assert_eq!(self.family.members(), []);
    }
}

/// The messages of an event stream, as they come.
pub(crate) fn messages(answer: Response) -> impl futures_util::Stream<Item = Value> {
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let lines = answer.bytes_stream().scan(Vec::new(), |rest: &mut Vec<u8>, chunk| {
        rest.extend_from_slice(&chunk.unwrap());
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let text = String::from_utf8(rest.drain(..whole).collect()).unwrap();
        let data: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data: ").map(str::to_owned)).collect();
        std::future::ready(Some(data))
    });
    let data = lines.flat_map(futures_util::stream::iter);
    data.filter_map(|data| std::future::ready(serde_json::from_str(&data).ok()))
}
