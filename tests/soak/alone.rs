//! Clients of 2026-07-28: no session, each request stands alone, and leaving cancels it.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Response, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::visit::{BOTH, Place};

const REVISION: &str = "2026-07-28";
/// A call that never comes back is left after this.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// One request, and whether it was answered at all.
pub(crate) async fn ask(place: &Place<'_>, tool: &str, patience: Duration) -> bool {
    let arguments = json!({ "text": "hello", "steps": 100, "ms": 5, "code": 3, "bytes": 1000 });
    let call = json!({ "name": tool, "arguments": arguments });
    let Ok(Some(answer)) = timeout(patience, request(place, "tools/call", call, tool)).await else { return false };
    let status = answer.status();
    // Of a stream, the beginning.
    let _gone = timeout(patience, answer.bytes_stream().take(3).collect::<Vec<_>>()).await;
    status.is_success()
}

/// Subscribes, and is gone.
pub(crate) async fn subscribe(place: &Place<'_>) -> bool {
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    let answer = timeout(PATIENCE, request(place, "subscriptions/listen", filter, "")).await;
    answer.is_ok_and(|answer| answer.is_some_and(|answer| answer.status().is_success()))
}

async fn request(place: &Place<'_>, method: &str, mut params: Value, name: &str) -> Option<Response> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "soak", "version": "1" },
        "progressToken": "soak",
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let post = place.post(&body).header(header::ACCEPT, BOTH);
    let post = post.header("mcp-protocol-version", REVISION).header("mcp-method", method);
    let post = if name.is_empty() { post } else { post.header("mcp-name", name) };
    post.send().await.ok()
}
