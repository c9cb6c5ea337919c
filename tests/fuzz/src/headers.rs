//! Headers of 2026-07-28 that repeat the body: whatever passes says the same in both, read by anybody.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use mcp_sidecar::mcp::{
    head::RequestHead,
    headers::{era, validate},
    jsonrpc::Message,
    tool_headers::ToolHeaders,
    version::Era,
};
use serde_json::{Value, json};

use crate::head::header;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// A tool whose argument `region` is repeated.
static KNOWN: LazyLock<ToolHeaders> = LazyLock::new(|| {
    let region = json!({ "type": "string", "x-mcp-header": "Region" });
    let schema = json!({ "type": "object", "properties": { "region": region } });
    let mut known = ToolHeaders::default();
    let list = json!({ "tools": [{ "name": "query", "inputSchema": schema }] });
    assert_eq!(known.learn(&list.to_string().into()), None);
    known
});

/// Headers a line, an empty line, the body, an empty line, what the server answers to `tools/list`.
pub fn headers(bytes: &[u8]) {
    let end = |bytes: &[u8]| bytes.windows(2).position(|pair| pair == b"\n\n");
    let Some((head, rest)) = end(bytes).map(|at| (&bytes[..at], &bytes[at + 2..])) else { return };
    let (body, list) = end(rest).map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + 2..]));
    let lines: Vec<_> = head.split(|&byte| byte == b'\n').filter_map(header).collect();
    let Ok(head) = RequestHead::parse(lines.iter().map(|(name, value)| (name.as_str(), *value))) else { return };
    let Ok(Message::Request(request)) = Message::parse(&body.to_vec().into()) else { return };

    let mut learned = ToolHeaders::default();
    learned.learn(&list.to_vec().into());
    let _any_answer_will_do = learned.validate(&head, &request);
    if validate(&head, &request).is_err() {
        return;
    }
    assert_eq!(era(&head, &Message::Request(request.clone())), Era::Modern);
    // Deeper than that reader goes.
    let Ok(message) = serde_json::from_slice::<Value>(body) else { return };
    let params = &message["params"];
    let said = |name: &str| the_one(&lines, name);
    assert_eq!(said("mcp-protocol-version").as_deref(), Some("2026-07-28"));
    assert_eq!(params["_meta"][VERSION], "2026-07-28");
    assert_eq!(said("mcp-method").as_deref(), message["method"].as_str());
    if message["method"] == "tools/call" {
        assert_eq!(said("mcp-name").map(decoded).as_deref(), params["name"].as_str());
        if params["name"] == "query" && KNOWN.validate(&head, &request).is_ok() {
            repeated(said("mcp-param-region"), &params["arguments"]["region"]);
        }
    }
}

fn repeated(header: Option<String>, region: &Value) {
    match region {
        Value::String(region) => assert_eq!(header.map(decoded).as_ref(), Some(region)),
        Value::Null | Value::Array(_) | Value::Object(_) => assert_eq!(header, None),
        Value::Bool(_) | Value::Number(_) => assert!(header.is_some()),
    }
}

/// The value of a header that is there once, or not at all.
fn the_one(lines: &[(String, &[u8])], name: &str) -> Option<String> {
    let mut values = lines.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
    let value = values.next()?;
    assert_eq!(values.next(), None, "{name} was given twice");
    Some(std::str::from_utf8(value).expect("it was read").trim().to_owned())
}

fn decoded(header: String) -> String {
    match header.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).expect("it was read")).expect("text"),
        None => header,
    }
}
