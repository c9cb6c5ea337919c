//! JSON-RPC 2.0 as MCP uses it. Only the envelope is read; ids, params, results and errors stay the bytes they came as,
//! so `1.0`, `"1"` and integers of any size survive.
//!
//! Refused although serde would take it: ids that are neither text nor number (MCP basic/index §Requests), a member
//! given twice (two readers would see two messages), nesting deeper than [`MAX_DEPTH`].

use std::borrow::Cow;

use bytes::Bytes;
use memchr::{memchr, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use super::batch::MAX_BATCH;
use super::batch::{self, MAX_SERVER_BATCH, is_batch};
use super::depth::nested_deeper_than;
pub use super::request_id::RequestId;

/// Nesting that is still passed on. A child's recursive parser must not be ended by one request.
pub const MAX_DEPTH: usize = 256;

/// A method's name as JSON text, without needless escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method(Bytes);

impl Method {
    pub fn is(&self, name: &str) -> bool {
        &self.0[1..self.0.len() - 1] == name.as_bytes()
    }

    /// What the JSON string stands for.
    pub fn text(&self) -> Cow<'_, str> {
        // A &str is borrowed; what is escaped cannot be.
        let borrowed = serde_json::from_slice(&self.0).map(Cow::Borrowed);
        let text = borrowed.or_else(|_| serde_json::from_slice(&self.0).map(Cow::Owned));
        text.expect("a method that is no text was no message")
    }

    /// The JSON string, quotes included.
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: RequestId,
    pub method: Method,
    pub params: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub method: Method,
    pub params: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Result(Bytes),
    Error(Bytes),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// `None` when it is null: an error about something that had no readable id.
    pub id: Option<RequestId>,
    pub outcome: Outcome,
}

impl Response {
    /// The number of the request of ours that it answers.
    pub fn answers(&self) -> Option<u64> {
        self.id.as_ref()?.as_issued()
    }
}

impl Outcome {
    pub fn result(&self) -> Option<&Bytes> {
        match self {
            Self::Result(result) => Some(result),
            Self::Error(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Request(Request),
    Notification(Notification),
    Response(Response),
}

/// The body of one POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Single(Message),
    Batch(Vec<Message>),
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    NotJson,
    TooDeep,
    NotJsonRpc(&'static str),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Whether an object can have a member of that name, which may be written with escapes: most have none, and to look is
/// much quicker than to read.
pub(super) fn may_have(object: &[u8], name: &str) -> bool {
    memmem::find(object, name.as_bytes()).is_some() || memchr(b'\\', object).is_some()
}

/// Keeps `null` apart from absent, which `Option` alone does not.
pub(super) fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

impl Incoming {
    /// Reads a POST body: one message, or a batch whose admissibility [`super::dispatch`] judges.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(body: &Bytes) -> Result<Self, Malformed> {
        let incoming = Self::parse_at_most(MAX_BATCH, body)?;
        if nested_deeper_than(body, MAX_DEPTH) { Err(Malformed::TooDeep) } else { Ok(incoming) }
    }

    /// Reads a line of a child: one message, or a batch, which 2025-03-26 lets a server write. It may nest as deeply as
    /// it likes: nothing of ours recurses into it, and what a client can bear of its server is between the two.
    ///
    /// # Errors
    /// [`Malformed`], but never [`Malformed::TooDeep`]
    pub fn parse_line(line: &Bytes) -> Result<Self, Malformed> {
        Self::parse_at_most(MAX_SERVER_BATCH, line)
    }

    fn parse_at_most(messages: usize, line: &Bytes) -> Result<Self, Malformed> {
        let text = text(line)?;
        Ok(if is_batch(text.as_bytes()) {
            Self::Batch(parse_batch(messages, line, text)?)
        } else {
            Self::Single(parse_object(line, text)?)
        })
    }

    pub fn messages(&self) -> &[Message] {
        match self {
            Self::Single(message) => std::slice::from_ref(message),
            Self::Batch(messages) => messages,
        }
    }

    pub fn into_messages(self) -> impl Iterator<Item = Message> {
        let (single, batch) = match self {
            Self::Single(message) => (Some(message), Vec::new()),
            Self::Batch(messages) => (None, messages),
        };
        single.into_iter().chain(batch)
    }

    /// How many answers the client waits for.
    pub fn requests(&self) -> usize {
        self.messages().iter().filter(|message| matches!(message, Message::Request(_))).count()
    }
}

impl Message {
    /// Reads one message, such as a line that was composed here.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(line: &Bytes) -> Result<Self, Malformed> {
        parse_object(line, text(line)?)
    }
}

/// RFC 8259 §8.1: a byte order mark may be ignored. Programs for Windows write one.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn text(line: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(without_mark(line)).map_err(|_| Malformed::NotJson)
}

fn parse_batch(most: usize, body: &Bytes, text: &str) -> Result<Vec<Message>, Malformed> {
    batch::members(text, most)?.into_iter().map(|member| parse_object(body, member.get())).collect()
}

/// A child's batch, each message as a line of its own.
pub(super) fn batched(line: &Bytes) -> Option<Vec<Bytes>> {
    let text = text(line).ok().filter(|text| is_batch(text.as_bytes()))?;
    let members = batch::members(text, MAX_SERVER_BATCH).ok()?;
    Some(members.into_iter().map(|member| line.slice_ref(member.get().as_bytes())).collect())
}

fn parse_object(whole: &Bytes, text: &str) -> Result<Message, Malformed> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|fault| malformed(&fault))?;
    // serde reads a struct from an array too; JSON-RPC 2.0 §4 knows objects only.
    if !text.trim_start().starts_with('{') {
        return Err(Malformed::NotJsonRpc("a message is an object"));
    }
    if envelope.jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
        return Err(Malformed::NotJsonRpc("jsonrpc must be \"2.0\""));
    }
    let slice = |raw: &RawValue| whole.slice_ref(raw.get().as_bytes());
    // Some serializers write what is not there as null. Only a result may be just that.
    let given = |raw: &&RawValue| raw.get() != "null";
    let (method, error) = (envelope.method.filter(given), envelope.error.filter(given));
    let result = envelope.result.filter(|result| given(result) || (method.is_none() && error.is_none()));
    match (method, envelope.id, result, error) {
        (Some(method), id, None, None) => {
            let method = parse_method(method, slice)?;
            let params = envelope.params.map(slice);
            Ok(match id {
                Some(id) => Message::Request(Request { id: RequestId::read(id, slice)?, method, params }),
                None => Message::Notification(Notification { method, params }),
            })
        }
        (None, Some(id), Some(result), None) => Ok(Message::Response(Response {
            id: Some(RequestId::read(id, slice)?),
            outcome: Outcome::Result(slice(result)),
        })),
        (None, _, None, Some(error)) if !error.get().starts_with('{') => {
            Err(Malformed::NotJsonRpc("an error is an object"))
        }
        (None, id, None, Some(error)) => {
            let id = id.filter(|id| id.get() != "null").map(|id| RequestId::read(id, slice)).transpose()?;
            Ok(Message::Response(Response { id, outcome: Outcome::Error(slice(error)) }))
        }
        _ => Err(Malformed::NotJsonRpc("a message is a request, a notification or a response")),
    }
}

fn parse_method(raw: &RawValue, slice: impl Fn(&RawValue) -> Bytes) -> Result<Method, Malformed> {
    let text = raw.get();
    if !text.starts_with('"') {
        return Err(Malformed::NotJsonRpc("method must be a string"));
    }
    if !text.contains('\\') {
        return Ok(Method(slice(raw)));
    }
    // `"initi\u0061lize"` is `initialize`: what is judged and what is forwarded must be one text.
    let name: String = serde_json::from_str(text).map_err(|_| Malformed::NotJson)?;
    let canonical = serde_json::to_vec(&name).map_err(|_| Malformed::NotJson)?;
    Ok(Method(canonical.into()))
}

pub(super) fn malformed(fault: &serde_json::Error) -> Malformed {
    if fault.is_data() {
        Malformed::NotJsonRpc("a message is an object without repeated members")
    } else {
        Malformed::NotJson
    }
}

#[cfg(test)]
#[path = "jsonrpc_tests.rs"]
mod tests;
