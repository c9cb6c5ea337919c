//! What clients do, and how they leave: nearly all without a word.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{alone, child::Soaked};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Opens a session, and is gone.
    Nothing,
    Echo,
    /// A tool that harms its server.
    Harm(&'static str),
    /// Gone in the middle of a call's events.
    MidStream,
    /// Opens the GET stream, and is gone.
    Listen,
    /// Opens the GET stream again and again, with the last event it saw.
    ComeBack,
    /// Asks for much and reads nothing of it.
    SlowReader,
    /// Half a request.
    Half,
    /// A request of 2026-07-28 that calls this tool, and is left when it lasts.
    Alone(&'static str),
    /// A subscription of 2026-07-28, and is gone.
    Subscribe,
    /// Ends its session.
    Goodbye,
}

/// In hundredths.
pub(crate) const VISITS: [(u64, Visit); 19] = [
    (26, Visit::Nothing),
    (12, Visit::Echo),
    (6, Visit::Alone("echo")),
    (3, Visit::Alone("progress")),
    (2, Visit::Alone("hang")),
    (1, Visit::Alone("crash")),
    (2, Visit::Subscribe),
    (5, Visit::Harm("crash")),
    (4, Visit::Harm("hang")),
    (4, Visit::Harm("tree")),
    (4, Visit::Harm("flood_stderr")),
    (3, Visit::Harm("junk")),
    (3, Visit::Harm("close_stdout")),
    (10, Visit::MidStream),
    (4, Visit::Listen),
    (4, Visit::ComeBack),
    (3, Visit::SlowReader),
    (3, Visit::Half),
    (1, Visit::Goodbye),
];
/// Some servers never answer; these clients wait no longer for a session,
const OPENS_WITHIN: Duration = Duration::from_secs(5);
/// and for what comes then.
const PATIENCE: Duration = Duration::from_secs(2);
pub(crate) const BOTH: &str = "application/json, text/event-stream";

/// Where a client is, with a connection of its own for everything that it does.
pub(crate) struct Place<'a> {
    http: &'a Client,
    url: String,
    port: u16,
    /// Of a thousand: who it says it is, and how much it asks for.
    number: u64,
}

struct Session<'a> {
    place: &'a Place<'a>,
    id: String,
}

impl Visit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "gone at once",
            Self::Echo => "one call",
            Self::Harm(tool) => tool,
            Self::MidStream => "gone mid-stream",
            Self::Listen => "gone from GET",
            Self::ComeBack => "GET again and again",
            Self::SlowReader => "reads nothing",
            Self::Half => "half a request",
            Self::Alone(_) => "2026-07-28",
            Self::Subscribe => "2026-07-28, subscription",
            Self::Goodbye => "DELETE",
        }
    }

    /// Whether a session was opened, or a request answered that needs none.
    pub(crate) async fn pay(self, place: &Place<'_>) -> bool {
        match self {
            Self::Half => return place.half_a_request().await.is_err(),
            Self::Alone(tool) => return alone::ask(place, tool, alone::PATIENCE).await,
            Self::Subscribe => return alone::subscribe(place).await,
            _ => {}
        }
        let Some(session) = place.open().await else { return false };
        // Whatever comes of it: servers here do not all answer.
        let _gone = timeout(PATIENCE, session.go_through(self)).await;
        true
    }
}

/// Keeps no connection for another request.
pub(crate) fn http() -> Client {
    Client::builder().pool_max_idle_per_host(0).build().expect("a client needs nothing")
}

impl<'a> Place<'a> {
    pub(crate) fn new(http: &'a Client, soaked: &Soaked, number: u64) -> Self {
        Self { http, url: soaked.url.clone(), port: soaked.port, number }
    }

    async fn open(&self) -> Option<Session<'_>> {
        let info = json!({ "name": "soak", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
        let hello = self.post(&request("initialize", params)).header(header::ACCEPT, BOTH);
        let answer = timeout(OPENS_WITHIN, hello.send()).await.ok()?.ok()?;
        let id = answer.headers().get("mcp-session-id")?.to_str().ok()?.to_owned();
        answer.bytes().await.ok()?;
        Some(Session { place: self, id })
    }

    pub(crate) fn post(&self, body: &Value) -> RequestBuilder {
        self.http.post(&self.url).json(body).header("x-user-id", format!("user-{}", self.number % 7))
    }

    async fn half_a_request(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\"").await
    }
}

impl Session<'_> {
    async fn go_through(&self, visit: Visit) -> Option<()> {
        match visit {
            Visit::Nothing | Visit::Half | Visit::Alone(_) | Visit::Subscribe => {}
            Visit::Echo => drop(self.call("echo", json!({ "text": "hello" })).await?.bytes().await),
            Visit::Harm(tool) => self.harm(tool).await?,
            Visit::MidStream => {
                let events = self.call("progress", json!({ "steps": 100, "ms": 5 })).await?;
                events.bytes_stream().take(3).collect::<Vec<_>>().await;
            }
            Visit::Listen => drop(self.listen(None).await?),
            Visit::ComeBack => self.come_back().await?,
            Visit::SlowReader => self.read_nothing().await.ok()?,
            Visit::Goodbye => drop(self.with(self.place.http.delete(&self.place.url)).send().await),
        }
        Some(())
    }

    async fn harm(&self, tool: &str) -> Option<()> {
        let bytes = 1000 * self.place.number;
        let answer = self.call(tool, json!({ "code": 3, "bytes": bytes, "text": "hello" })).await?;
        answer.bytes().await.ok().map(drop)
    }

    async fn come_back(&self) -> Option<()> {
        let mut last = None;
        for _ in 0..5 {
            self.call("list_changed", json!({})).await?;
            let mut events = self.listen(last.as_deref()).await?.bytes_stream();
            let event = String::from_utf8_lossy(&events.next().await?.ok()?).into_owned();
            last = event.lines().find_map(|line| line.strip_prefix("id: ")).map(str::to_owned).or(last);
        }
        Some(())
    }

    /// A call with a large answer on a connection whose receive buffer stays full.
    async fn read_nothing(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.place.port)).await?;
        let body = call_of("big", json!({ "bytes": 900_000 })).to_string();
        let (id, user, length) = (&self.id, self.place.number % 7, body.len());
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: {BOTH}\r\nContent-Type: application/json\r\n\
             X-User-Id: user-{user}\r\nMcp-Session-Id: {id}\r\nContent-Length: {length}\r\n\r\n"
        );
        for _ in 0..8 {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
        }
        stream.read_exact(&mut [0; 12]).await.map(drop)
    }

    async fn listen(&self, last: Option<&str>) -> Option<Response> {
        let get = self.with(self.place.http.get(&self.place.url)).header(header::ACCEPT, "text/event-stream");
        let get = last.into_iter().fold(get, |get, last| get.header("last-event-id", last));
        get.send().await.ok()
    }

    async fn call(&self, tool: &str, arguments: Value) -> Option<Response> {
        let post = self.place.http.post(&self.place.url).json(&call_of(tool, arguments)).header(header::ACCEPT, BOTH);
        self.with(post).send().await.ok()
    }

    fn with(&self, request: RequestBuilder) -> RequestBuilder {
        let user = format!("user-{}", self.place.number % 7);
        request.header("mcp-session-id", &self.id).header("x-user-id", user)
    }
}

fn request(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn call_of(tool: &str, arguments: Value) -> Value {
    let meta = json!({ "progressToken": "soak" });
    request("tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta }))
}

/// What the sidecar itself says is open: sessions, streams, calls, children.
pub(crate) async fn open(soaked: &Soaked) -> Vec<String> {
    let url = soaked.url.replace("/mcp", "/metrics");
    let metrics = http().get(url).send().await.expect("metrics are served").text().await.expect("text");
    let gauges = ["mcp_sessions_open", "mcp_streams_open", "mcp_requests_in_flight", "mcp_children_running"];
    let is_open = |line: &&str| gauges.iter().any(|gauge| line.split(['{', ' ']).next() == Some(gauge));
    let lines = metrics.lines().filter(is_open);
    lines.filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect()
}

/// For an answer that must come: longer than the sidecar's `--call-timeout` here, however busy the machine is.
const AT_LEISURE: Duration = Duration::from_secs(10);
/// Longer than the sidecar's `--timeout` here.
const A_WHILE: Duration = Duration::from_secs(3);

/// One good session from beginning to end, and one good request that needs none; whether they were.
pub(crate) async fn warm_up(soaked: &Soaked) -> bool {
    let http = http();
    for number in 0..20 {
        if number > 0 {
            // A process that many share may have a fault, and is another one only when this one was idle.
            sleep(A_WHILE).await;
        }
        let place = Place::new(&http, soaked, number);
        if !alone::ask(&place, "echo", AT_LEISURE).await {
            continue;
        }
        let Some(session) = place.open().await else { continue };
        let answered = timeout(AT_LEISURE, session.go_through(Visit::Echo)).await;
        session.go_through(Visit::Goodbye).await;
        if answered.is_ok_and(|answered| answered.is_some()) {
            return true;
        }
    }
    false
}
