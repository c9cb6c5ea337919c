//! The table of docs/sidecar.md «What it answers», row by row and revision by revision.

use reqwest::{RequestBuilder, Response};
use serde_json::json;

use crate::support::{Events, Session, Sidecar};

const MODERN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/modern.py");
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
const REVISIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":4711,"result":{}}"#;

/// A client that is right in everything but what a row changes.
struct Client<'a> {
    sidecar: &'a Sidecar,
    version: &'static str,
    session: Option<String>,
}

impl Client<'_> {
    /// A request that every server answers; `echo` where there is no `ping` any more.
    fn request(&self) -> String {
        if self.is_modern() {
            let arguments = r#""name":"echo","arguments":{"text":"x"},"#;
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{arguments}{META}}}}}"#)
        } else {
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.to_owned()
        }
    }

    fn is_modern(&self) -> bool {
        self.session.is_none()
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        self.in_session(self.sessionless(request))
    }

    fn sessionless(&self, request: RequestBuilder) -> RequestBuilder {
        self.mirroring(request).header("MCP-Protocol-Version", self.version)
    }

    fn unversioned(&self, request: RequestBuilder) -> RequestBuilder {
        self.in_session(self.mirroring(request))
    }

    fn in_session(&self, request: RequestBuilder) -> RequestBuilder {
        self.session.iter().fold(request, |request, id| request.header("Mcp-Session-Id", id))
    }

    fn mirroring(&self, request: RequestBuilder) -> RequestBuilder {
        if self.is_modern() { request.header("Mcp-Method", "tools/call").header("Mcp-Name", "echo") } else { request }
    }

    fn post(&self, body: impl Into<String>) -> RequestBuilder {
        self.signed(self.sidecar.post(body.into()))
    }

    /// With an `Accept` and a `Content-Type` of its own.
    fn plain(&self, accept: Option<&str>, media: &str) -> RequestBuilder {
        let post = self.sidecar.http.post(&self.sidecar.url).header("Content-Type", media).body(self.request());
        let post = self.signed(post);
        accept.map_or(post.try_clone().unwrap(), |accept| post.header("Accept", accept))
    }

    fn get(&self, accept: &str) -> RequestBuilder {
        self.signed(self.sidecar.http.get(&self.sidecar.url).header("Accept", accept))
    }

    fn delete(&self) -> RequestBuilder {
        self.signed(self.sidecar.http.delete(&self.sidecar.url))
    }
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

/// Status, and the JSON-RPC code of an error or the kind of an answer.
async fn told(response: Response) -> String {
    let status = response.status().as_u16();
    let media = response.headers().get("content-type").map(|media| media.to_str().unwrap().to_owned());
    match media.as_deref() {
        Some("text/event-stream") => format!("{status} events"),
        Some("application/json") => {
            let body: serde_json::Value = response.json().await.unwrap();
            let kind = body["error"]["code"].as_i64().map_or("json".to_owned(), |code| code.to_string());
            format!("{status} {kind}")
        }
        _ => status.to_string(),
    }
}

type Row = (&'static str, fn(&Client<'_>) -> RequestBuilder, [&'static str; 4]);

/// What is answered in 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28.
const ROWS: &[Row] = &[
    ("a request", |c| c.post(c.request()), ["200 json"; 4]),
    ("a notification", |c| c.post(NOTE), ["202"; 4]),
    ("a response", |c| c.post(RESPONSE), ["202", "202", "202", "400 -32600"]),
    ("a batch", |c| c.post(format!("[{}]", c.request())), ["200 json", "400 -32600", "400 -32600", "400 -32600"]),
    ("an empty batch", |c| c.post("[]"), ["400 -32600"; 4]),
    ("not JSON", |c| c.post("nonsense"), ["400 -32700"; 4]),
    ("not JSON-RPC", |c| c.post("{}"), ["400 -32600"; 4]),
    ("too large", |c| c.post("x".repeat(60_000)), ["413 -32600"; 4]),
    ("Accept: both", |c| c.plain(Some("application/json, text/event-stream"), "application/json"), ["200 json"; 4]),
    ("Accept: JSON", |c| c.plain(Some("application/json"), "application/json"), ["200 json"; 4]),
    ("Accept: events", |c| c.plain(Some("text/event-stream"), "application/json"), ["200 events"; 4]),
    ("Accept: anything", |c| c.plain(Some("*/*"), "application/json"), ["200 json"; 4]),
    ("no Accept", |c| c.plain(None, "application/json"), ["200 json"; 4]),
    ("Accept: neither", |c| c.plain(Some("text/html"), "application/json"), ["406 -32600"; 4]),
    ("Content-Type: with charset", |c| c.plain(None, "application/json; charset=utf-8"), ["200 json"; 4]),
    ("Content-Type: another", |c| c.plain(None, "text/plain"), ["415 -32600"; 4]),
    (
        "no version header",
        |c| c.unversioned(c.sidecar.post(c.request())),
        ["200 json", "200 json", "200 json", "400 -32020"],
    ),
    (
        "a version nobody speaks",
        |c| c.unversioned(c.sidecar.post(c.request())).header("MCP-Protocol-Version", "1999-01-01"),
        ["400 -32600", "400 -32600", "400 -32600", "400 -32020"],
    ),
    (
        "a version nobody speaks, in the body too",
        |c| {
            let body = c.request().replace("2026-07-28", "1999-01-01");
            c.unversioned(c.sidecar.post(body)).header("MCP-Protocol-Version", "1999-01-01")
        },
        ["400 -32600", "400 -32600", "400 -32600", "400 -32022"],
    ),
    (
        "no session id",
        |c| c.sessionless(c.sidecar.post(c.request())),
        ["400 -32600", "400 -32600", "400 -32600", "200 json"],
    ),
    ("GET", |c| c.get("text/event-stream"), ["200 events", "200 events", "200 events", "405 -32600"]),
    ("GET, Accept: JSON", |c| c.get("application/json"), ["406 -32600", "406 -32600", "406 -32600", "405 -32600"]),
    ("GET, an event that never was", |c| c.get("text/event-stream").header("Last-Event-ID", "99-1"), ["405 -32600"; 4]),
    ("PUT", |c| c.signed(c.sidecar.http.put(&c.sidecar.url)), ["405"; 4]),
    ("DELETE", |c| c.delete(), ["204", "204", "204", "405 -32600"]),
    ("a request after DELETE", |c| c.post(c.request()), ["404 -32001", "404 -32001", "404 -32001", "200 json"]),
    ("GET after DELETE", |c| c.get("text/event-stream"), ["404 -32001", "404 -32001", "404 -32001", "405 -32600"]),
    ("DELETE after DELETE", |c| c.delete(), ["404 -32001", "404 -32001", "404 -32001", "405 -32600"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_table_is_answered_as_it_says_in_every_revision() {
    let legacy = Sidecar::with(&["--max-body", "50000"]).await;
    let modern = Sidecar::around(&["--max-body", "50000"], &["python3", MODERN]).await;
    let mut differences = Vec::new();
    for (column, version) in REVISIONS.into_iter().enumerate() {
        let client = match version {
            "2026-07-28" => Client { sidecar: &modern, version, session: None },
            _ => Client { sidecar: &legacy, version, session: Some(legacy.session_of(version, None).await.id) },
        };
        for (row, request, expected) in ROWS {
            let answered = told(send(request(&client)).await).await;
            if answered != expected[column] {
                differences.push(format!("{version}, {row}: {answered} instead of {}", expected[column]));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_page_shows_the_table_as_it_is() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sidecar.md")).unwrap();
    let (_, from_here) = page.split_once("| | 2025-03-26 | 2025-06-18 | 2025-11-25 | 2026-07-28 |\n").unwrap();
    let shown: Vec<&str> = from_here.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    let rows = ROWS.iter().map(|(row, _, expected)| format!("| {row} | {} |", expected.join(" | ")));
    assert_eq!(shown, rows.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_mints_a_session_in_the_revisions_that_have_them_and_in_the_newest_it_is_no_method() {
    let legacy = Sidecar::start().await;
    for version in &REVISIONS[..3] {
        let opened = legacy.initialize(version, None).await;
        assert_eq!((opened.status().as_u16(), opened.headers()["mcp-session-id"].len()), (200, 48), "{version}");
    }
    let modern = Sidecar::around(&[], &["python3", MODERN]).await;
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{{META}}}}}"#);
    let client = Client { sidecar: &modern, version: "2026-07-28", session: None };
    let post = modern.post(body).header("MCP-Protocol-Version", client.version).header("Mcp-Method", "initialize");
    let refused = send(post).await;
    assert!(!refused.headers().contains_key("mcp-session-id"));
    assert_eq!(told(refused).await, "404 -32601");
    let ignored = send(client.post(client.request()).header("Mcp-Session-Id", "any")).await;
    assert!(!ignored.headers().contains_key("mcp-session-id"), "never minted, never echoed");
    assert_eq!(told(ignored).await, "200 json");
}

/// The first event of a stream, and whether it tells how long to wait before coming back.
async fn beginning(session: &Session<'_>) -> (String, bool) {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"log"}}"#;
    let text = session.post(call).await.text().await.unwrap();
    let first = text.split("\n\n").find(|block| !block.starts_with(':')).unwrap().to_owned();
    (first, text.contains("\nretry: "))
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_primed_and_polled_as_each_revision_says() {
    let sidecar = Sidecar::start().await;
    for (version, primed) in [("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)] {
        let session = sidecar.session_of(version, None).await;
        let (first, retry) = beginning(&session).await;
        assert_eq!((first.ends_with("data: "), retry), (primed, primed), "{version}: {first}");
        // The connection closes before the answer; a GET fetches the rest, in every revision.
        let mut events = session.call_stream("\"r\"", r#"{"name":"sample"}"#).await;
        let question = loop {
            let event = events.next().await.unwrap();
            if !event.data.is_empty() {
                break event;
            }
        };
        drop(events);
        let answer = json!({ "jsonrpc": "2.0", "id": question.json()["id"], "result": {} }).to_string();
        let mut polled = Events::of(session.get(question.id.as_deref()).await);
        assert_eq!(session.post(answer).await.status(), 202);
        assert_eq!(polled.message().await.unwrap()["id"], "r", "{version}");
        assert!(polled.next().await.is_none());
    }
}
