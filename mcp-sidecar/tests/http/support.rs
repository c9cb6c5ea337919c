//! A sidecar on a free port, clients of it, and event streams read event by event.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mcp_sidecar::app::Application;
use mcp_sidecar::config::Config;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/server.py");

/// Long enough for a loaded machine; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Sidecar {
    pub(crate) url: String,
    pub(crate) http: Client,
    /// Where `/metrics` is, if it has a port of its own.
    pub(crate) metrics: Option<SocketAddr>,
    stop: CancellationToken,
    running: JoinHandle<std::io::Result<()>>,
}

impl Sidecar {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(options: &[&str]) -> Self {
        Self::around(options, &["python3", FIXTURE]).await
    }

    pub(crate) async fn around(options: &[&str], command: &[&str]) -> Self {
        let stops = if options.contains(&"--stop-timeout") { &[][..] } else { &["--stop-timeout", "1"] };
        let line = [&["mcp-sidecar", "--port", "0"], stops, options, &["--"], command].concat();
        let config = Config::from_args(line.into_iter().map(OsString::from), []).unwrap();
        let application = Application::build(config).await.unwrap();
        let url = format!("http://{}/mcp", application.addr());
        let metrics = application.metrics_addr();
        let stop = CancellationToken::new();
        let running = Handle::current().spawn(application.run_until_stopped(stop.clone()));
        Self { url, http: Client::builder().no_proxy().build().unwrap(), metrics, stop, running }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        self.url.replace("/mcp", path)
    }

    /// The value of one series.
    pub(crate) async fn count(&self, series: &str) -> u64 {
        let shown = self.http.get(self.at("/metrics")).send().await.unwrap().text().await.unwrap();
        let line = shown.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in {shown}")).parse().unwrap()
    }

    /// Waits until so many requests are being answered.
    pub(crate) async fn in_flight(&self, requests: u64) {
        let what = format!("{requests} in flight");
        eventually_async(&what, async || self.count("mcp_requests_in_flight").await == requests).await;
    }

    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn stopped(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }

    /// A POST as any client makes it.
    pub(crate) fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let post = self.http.post(&self.url).body(body).header("Content-Type", "application/json");
        post.header("Accept", "application/json, text/event-stream")
    }

    pub(crate) async fn initialize(&self, version: &str, user: Option<&str>) -> Response {
        let params = json!({ "protocolVersion": version, "capabilities": { "sampling": {} }, "clientInfo": { "name": "t", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params }).to_string();
        let post = self.post(body);
        user.map_or(post.try_clone().unwrap(), |user| post.header("X-User-Id", user)).send().await.unwrap()
    }

    pub(crate) async fn session(&self) -> Session<'_> {
        self.session_of("2025-11-25", None).await
    }

    pub(crate) async fn session_of(&self, version: &str, user: Option<&str>) -> Session<'_> {
        let response = self.initialize(version, user).await;
        assert_eq!(response.status(), 200);
        let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let session = Session { sidecar: self, id, user: user.map(str::to_owned) };
        let initialized = session.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        assert_eq!(initialized.status(), 202);
        session
    }
}

pub(crate) struct Session<'a> {
    pub(crate) sidecar: &'a Sidecar,
    pub(crate) id: String,
    user: Option<String>,
}

impl Session<'_> {
    pub(crate) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header("Mcp-Session-Id", &self.id);
        match &self.user {
            Some(user) => request.header("X-User-Id", user),
            None => request,
        }
    }

    pub(crate) async fn post(&self, body: impl Into<String>) -> Response {
        self.sign(self.sidecar.post(body.into())).send().await.unwrap()
    }

    /// A tool call answered in JSON: its exact text.
    pub(crate) async fn call_text(&self, id: &str, params: &str) -> String {
        let response = self.post(call(id, params)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        response.text().await.unwrap()
    }

    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Value {
        let params = json!({ "name": name, "arguments": arguments });
        serde_json::from_str(&self.call_text("1", &params.to_string()).await).unwrap()
    }

    /// A call whose answer is a stream.
    pub(crate) async fn call_stream(&self, id: &str, params: &str) -> Events {
        Events::of(self.post(call(id, params)).await)
    }

    pub(crate) async fn get(&self, last_event_id: Option<&str>) -> Response {
        let get = self.sign(self.sidecar.http.get(&self.sidecar.url)).header("Accept", "text/event-stream");
        last_event_id.map_or(get.try_clone().unwrap(), |id| get.header("Last-Event-ID", id)).send().await.unwrap()
    }

    pub(crate) async fn listen(&self) -> Events {
        Events::of(self.get(None).await)
    }

    pub(crate) async fn delete(&self) -> StatusCode {
        self.sign(self.sidecar.http.delete(&self.sidecar.url)).send().await.unwrap().status()
    }

    /// Waits until the child has been asked for so many calls, over all its sessions.
    pub(crate) async fn called(&self, calls: u64) {
        eventually_async("the child has been called", async || {
            let answer = self.post(r#"{"jsonrpc":"2.0","id":"called","method":"test/called"}"#).await;
            answer.json::<Value>().await.unwrap()["result"]["called"] == calls
        })
        .await;
    }

    pub(crate) async fn pid(&self) -> u32 {
        text_of(&self.call("pid", json!({})).await).parse().unwrap()
    }
}

pub(crate) fn call(id: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#)
}

/// The text of a tool's first content.
pub(crate) fn text_of(response: &Value) -> &str {
    response["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {response}"))
}

pub(crate) struct Event {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
}

impl Event {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

pub(crate) struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { response, buffer: Vec::new() }
    }

    /// The next event; comments are passed over. `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let block = String::from_utf8(block).unwrap();
                let names = block.lines().filter(|line| line.starts_with("event:")).count();
                assert!(names <= 1, "an event has one name: {block}");
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(data) = field("data: ") {
                    return Some(Event { name: field("event: "), id: field("id: "), data });
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event");
            self.buffer.extend_from_slice(&chunk.ok()??);
        }
    }

    /// The next event that is a message: priming events are passed over.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            let event = self.next().await?;
            if !event.data.is_empty() {
                return Some(event.json());
            }
        }
    }
}

/// Waits until the condition holds; for what no protocol announces.
pub(crate) async fn eventually_async(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    eventually_async(what, async || condition()).await;
}

/// Whether any of its threads lives: the first is a zombie before the others have ended, and until then so is not the
/// process.
pub(crate) fn is_alive(pid: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let stats = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    stats.into_iter().any(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}
