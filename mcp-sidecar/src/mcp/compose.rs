//! Messages written from raw parts. Nothing is parsed and printed again: params, results and errors are copied as
//! they came; only an id or a progress token is put in another's place.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::jsonrpc::{Method, Notification, Outcome, RequestId, may_have, present};

/// JSON-RPC 2.0 §5.1.
pub const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_REQUEST: i32 = -32600;

/// `{"jsonrpc":"2.0","id":…,"method":…,"params":…}`
pub fn request(id: &[u8], method: &Method, params: Option<&Edited>) -> Bytes {
    let mut parts: Vec<&[u8]> = vec![br#"{"jsonrpc":"2.0","id":"#, id, br#","method":"#, method.as_json()];
    if let Some(params) = params {
        parts.push(br#","params":"#);
        parts.extend(params.parts());
    }
    parts.push(b"}");
    on_one_line(&parts)
}

/// A request of our own.
pub fn own_request(id: u64, method: &str, params: &serde_json::Value) -> Bytes {
    serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string().into()
}

/// `{"jsonrpc":"2.0","method":…,"params":…}`
pub fn notification(method: &Method, params: Option<&Edited>) -> Bytes {
    let mut parts: Vec<&[u8]> = vec![br#"{"jsonrpc":"2.0","method":"#, method.as_json()];
    if let Some(params) = params {
        parts.push(br#","params":"#);
        parts.extend(params.parts());
    }
    parts.push(b"}");
    on_one_line(&parts)
}

/// `{"jsonrpc":"2.0","id":…,"result":…}`, or `error`.
pub fn response(id: &[u8], outcome: Outcome) -> Bytes {
    let (name, value): (&[u8], _) = match outcome {
        Outcome::Result(value) => (br#","result":"#, value),
        Outcome::Error(value) => (br#","error":"#, value),
    };
    let head: [&[u8]; 3] = [br#"{"jsonrpc":"2.0","id":"#, id, name];
    match value.try_into_mut() {
        Ok(value) => around(&head.concat(), value),
        Err(shared) => on_one_line(&[head[0], head[1], head[2], &shared, b"}"]),
    }
}

/// The result of what has none, such as a ping.
pub fn empty(id: &RequestId) -> Bytes {
    response(id.as_bytes(), Outcome::Result(Bytes::from_static(b"{}")))
}

/// Moves what nobody else has within its own memory: with a copy a large result would cost twice its size.
fn around(head: &[u8], mut text: BytesMut) -> Bytes {
    let length = text.len();
    text.resize(head.len() + length + 1, b'}');
    text.copy_within(..length, head.len());
    text[..head.len()].copy_from_slice(head);
    break_no_line(&mut text);
    text.freeze()
}

/// The request is refused with that code.
pub fn refusal(id: &[u8], code: i32, message: &str) -> Bytes {
    let error = serde_json::json!({ "code": code, "message": message });
    response(id, Outcome::Error(error.to_string().into()))
}

/// What is asked for does not exist here.
pub fn not_found(id: &RequestId) -> Bytes {
    refusal(id.as_bytes(), METHOD_NOT_FOUND, "Method not found")
}

/// An error of ours in the child's place.
pub fn failure(id: &[u8], message: &str, reason: &str) -> Bytes {
    response(id, Outcome::Error(internal_error(message, reason)))
}

/// JSON-RPC 2.0 §5.1.
pub fn internal_error(message: &str, reason: &str) -> Bytes {
    let [message, reason] = [message, reason].map(serde_json::Value::from);
    format!(r#"{{"code":-32603,"message":{message},"data":{{"reason":{reason}}}}}"#).into()
}

/// Why a call fails whose answer was longer than a line may be.
pub fn too_large(bytes: u64) -> String {
    format!("the MCP server's answer of {bytes} bytes is over --max-line")
}

/// What a client is told that comes back for an answer of which nothing is left.
pub fn not_kept(id: &[u8]) -> Bytes {
    failure(id, "the answer was lost on the way and is no longer kept; see --replay-bytes", "answer_not_kept")
}

/// The id of the request that a message composed here answers.
pub fn answered(message: &[u8]) -> Option<&[u8]> {
    let rest = message.strip_prefix(br#"{"jsonrpc":"2.0","id":"#)?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
    let id = values.next()?.ok()?.get();
    let next = rest.get(values.byte_offset()..)?;
    (next.starts_with(br#","result":"#) || next.starts_with(br#","error":"#)).then_some(id.as_bytes())
}

/// What a child is told whose request was longer than a line may be.
pub fn question_too_large(id: &RequestId, bytes: u64) -> Bytes {
    refusal(id.as_bytes(), INVALID_REQUEST, &format!("Invalid Request: its {bytes} bytes are over --max-line"))
}

/// Why a call fails about which the child says nothing.
pub fn silence(patience: std::time::Duration) -> String {
    format!("the MCP server did not answer within {} s", patience.as_secs_f64())
}

/// A notification as it came.
pub fn unchanged(note: &Notification) -> Bytes {
    notification(&note.method, note.params.clone().map(Edited::unchanged).as_ref())
}

/// `notifications/cancelled` of ours.
pub fn cancelled(id: u64, reason: &str) -> Bytes {
    let params = serde_json::json!({ "requestId": id, "reason": reason });
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#).into()
}

/// The result of a `subscriptions/listen` that ends in good order (2026-07-28 basic/patterns/subscriptions).
pub fn listened(id: &[u8]) -> Bytes {
    let parts: [&[u8]; 3] =
        [br#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"#, id, b"}}"];
    response(id, Outcome::Result(parts.concat().into()))
}

/// A JSON array of messages.
pub fn batch(messages: &[Bytes]) -> Bytes {
    let mut text = Vec::with_capacity(messages.iter().map(|message| message.len() + 1).sum::<usize>() + 1);
    text.push(b'[');
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(message);
    }
    text.push(b']');
    text.into()
}

/// Lines of a child, and `data:` of an event, end at a line break. Between the tokens of valid JSON a line break is
/// only white space, and inside strings it cannot occur.
fn on_one_line(parts: &[&[u8]]) -> Bytes {
    let mut text = parts.concat();
    break_no_line(&mut text);
    text.into()
}

fn break_no_line(text: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &text[from..]) {
        from += at;
        text[from] = b' ';
    }
}

/// Raw JSON, one part of which may be replaced by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    whole: Bytes,
    cut: std::ops::Range<usize>,
    insert: Bytes,
}

impl Edited {
    pub fn unchanged(whole: Bytes) -> Self {
        let end = whole.len();
        Self { whole, cut: end..end, insert: Bytes::new() }
    }

    /// `part` must be a slice of `whole`, as [`progress_token`] and [`request_id`] return it.
    pub fn replacing(whole: Bytes, part: &Bytes, insert: Bytes) -> Self {
        let start = part.as_ptr() as usize - whole.as_ptr() as usize;
        Self { cut: start..start + part.len(), whole, insert }
    }

    pub fn into_bytes(self) -> Bytes {
        self.parts().concat().into()
    }

    fn parts(&self) -> [&[u8]; 3] {
        [&self.whole[..self.cut.start], &self.insert, &self.whole[self.cut.end..]]
    }
}

/// A member was given twice, so that two readers could see two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

/// What a request's params say about the traffic they cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestMeta {
    /// `_meta.progressToken`, a slice of the params (basic/utilities/progress).
    pub progress_token: Option<Bytes>,
    /// `task`: progress may go on after the response (2025-11-25 basic/utilities/tasks).
    pub task: bool,
    /// A `logLevel`: log messages about it are wanted (2026-07-28 server/utilities/logging).
    pub logs: bool,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, deserialize_with = "present", rename = "_meta")]
    meta: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    task: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tokens<'a> {
    #[serde(borrow, default, deserialize_with = "present", rename = "progressToken")]
    progress_token: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present", rename = "requestId")]
    request_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/subscriptionId")]
    subscription_id: Option<&'a RawValue>,
}

/// Params that are no object, and tokens that are neither text nor number, are the receiver's to judge.
///
/// # Errors
/// [`Ambiguous`]
pub fn request_meta(params: &Bytes) -> Result<RequestMeta, Ambiguous> {
    if !may_have(params, "_meta") && !may_have(params, "task") {
        return Ok(RequestMeta::default());
    }
    let Some(text) = object(params) else { return Ok(RequestMeta::default()) };
    let Params { meta, task } = serde_json::from_str(text).map_err(|_| Ambiguous)?;
    let Some(meta) = meta.filter(|meta| meta.get().starts_with('{')) else {
        return Ok(RequestMeta { task: task.is_some(), ..RequestMeta::default() });
    };
    let Tokens { progress_token, log_level, .. } = serde_json::from_str(meta.get()).map_err(|_| Ambiguous)?;
    Ok(RequestMeta {
        progress_token: progress_token.and_then(|token| scalar(params, token)),
        task: task.is_some(),
        logs: log_level.is_some_and(|level| level.get() != "null"),
    })
}

/// `params.progressToken` of `notifications/progress`.
pub fn progress_token(params: &Bytes) -> Option<Bytes> {
    let tokens: Tokens<'_> = serde_json::from_str(object(params)?).ok()?;
    scalar(params, tokens.progress_token?)
}

/// `params.requestId` of `notifications/cancelled`.
pub fn request_id(params: &Bytes) -> Option<Bytes> {
    let tokens: Tokens<'_> = serde_json::from_str(object(params)?).ok()?;
    scalar(params, tokens.request_id?)
}

/// `_meta["io.modelcontextprotocol/subscriptionId"]` of a notification's params or of the result of
/// `subscriptions/listen` (2026-07-28 basic/patterns/subscriptions).
pub fn subscription_id(object_text: &Bytes) -> Option<Bytes> {
    let Params { meta, .. } = serde_json::from_str(object(object_text)?).ok()?;
    let tokens: Tokens<'_> = serde_json::from_str(meta?.get()).ok()?;
    scalar(object_text, tokens.subscription_id?)
}

fn object(params: &Bytes) -> Option<&str> {
    std::str::from_utf8(params).ok().filter(|text| text.starts_with('{'))
}

fn scalar(params: &Bytes, raw: &RawValue) -> Option<Bytes> {
    matches!(raw.get().as_bytes(), [b'"' | b'-' | b'0'..=b'9', ..]).then(|| params.slice_ref(raw.get().as_bytes()))
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
