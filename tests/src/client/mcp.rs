//! An MCP client over Streamable HTTP, one request at a time, that reads JSON and SSE answers alike.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

const PROTOCOL_VERSION: &str = "2025-11-25";
const SESSION_ID: &str = "mcp-session-id";

/// One session.
#[derive(Clone, Debug)]
pub struct McpClient {
    http: Client,
    url: String,
    token: String,
    pub session: String,
    asked: Arc<AtomicU64>,
}

impl McpClient {
    /// Opens a session, with the whole handshake.
    pub async fn connect(http: &Client, url: &str, token: &str) -> Self {
        let opened = Self::try_connect(http, url, token).await;
        opened.unwrap_or_else(|(status, body)| panic!("initialize was answered with {status}: {body}"))
    }

    /// The same, or how `initialize` was answered instead.
    pub async fn try_connect(http: &Client, url: &str, token: &str) -> Result<Self, (StatusCode, String)> {
        let (http, url, token) = (http.clone(), url.to_owned(), token.to_owned());
        let mut client = Self { http, url, token, session: String::new(), asked: Arc::default() };
        let info = json!({ "name": "gateway-tests", "version": "1" });
        let capabilities = json!({ "sampling": {}, "elicitation": {} });
        let params = json!({ "protocolVersion": PROTOCOL_VERSION, "capabilities": capabilities, "clientInfo": info });
        let answer = client.post(&client.request("initialize", params)).await;
        let (status, session) = (answer.status(), answer.headers().get(SESSION_ID).cloned());
        let body = answer.text().await.expect("a body");
        if status != StatusCode::OK {
            return Err((status, body));
        }
        client.session = session.expect("initialize opens a session").to_str().expect("plain text").to_owned();
        let initialized = client.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        assert_eq!(initialized.status(), StatusCode::ACCEPTED);
        Ok(client)
    }

    pub fn request(&self, method: &str, params: Value) -> Value {
        let id = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    pub async fn post(&self, message: &Value) -> Response {
        self.posted(message).send().await.unwrap_or_else(|error| panic!("{}: {error:?}", self.url))
    }

    /// Status and body, or why there is none.
    pub async fn try_post(&self, message: &Value) -> reqwest::Result<(StatusCode, String)> {
        let answer = self.posted(message).send().await?;
        Ok((answer.status(), answer.text().await?))
    }

    fn posted(&self, message: &Value) -> RequestBuilder {
        let mut post = self.http.post(&self.url).bearer_auth(&self.token).json(message);
        post = post.header(header::ACCEPT, "application/json, text/event-stream");
        if !self.session.is_empty() {
            post = post.header(SESSION_ID, &self.session).header("mcp-protocol-version", PROTOCOL_VERSION);
        }
        post
    }

    /// What the server answers, after whatever it says first.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        let request = self.request(method, params);
        let answer = self.post(&request).await;
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert_eq!(status, StatusCode::OK, "{text}");
        let is_answer = |message: &Value| message["id"] == request["id"] && message.get("method").is_none();
        sse_messages(&text).into_iter().find(is_answer).unwrap_or_else(|| panic!("no answer in {text}"))
    }

    /// The text that a tool answers.
    pub async fn call(&self, tool: &str, arguments: Value) -> String {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        let text = answer["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{tool} answered {answer}")).to_owned()
    }

    /// The same session at another address.
    pub fn through(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The stream of what the server says by itself, or what was missed after an event of another one.
    pub async fn listen(&self, last_event: Option<&str>) -> Response {
        let mut get = self.http.get(&self.url).bearer_auth(&self.token).header(SESSION_ID, &self.session);
        get = get.header(header::ACCEPT, "text/event-stream").header("mcp-protocol-version", PROTOCOL_VERSION);
        if let Some(id) = last_event {
            get = get.header("last-event-id", id);
        }
        get.send().await.unwrap_or_else(|error| panic!("{}: {error:?}", self.url))
    }

    /// Ends the session.
    pub async fn delete(&self) -> StatusCode {
        let delete = self.http.delete(&self.url).bearer_auth(&self.token).header(SESSION_ID, &self.session);
        delete.send().await.expect("an answer").status()
    }
}

/// The messages in a body of either type.
pub fn sse_messages(body: &str) -> Vec<Value> {
    if let Ok(message) = serde_json::from_str(body) {
        return vec![message];
    }
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data.trim_start()).ok()).collect()
}
