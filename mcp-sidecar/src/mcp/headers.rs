//! What a request of 2026-07-28 says twice: in its headers, where intermediaries look, and in its body, which the child
//! sees (basic/transports/streamable-http §Request Metadata, §Server Validation; basic/index §_meta).
//! `Mcp-Param-*` depends on the tool: [`super::tool_headers`].

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::head::RequestHead;
use super::jsonrpc::{Message, Request, may_have, present};
use super::mirror::{HeaderMismatch, same};
use super::rejection::{Rejection, UnsupportedProtocolVersion};
use super::version::{Era, ProtocolVersion};

/// The revisions in which every request stands alone.
pub const MODERN: &[&str] = &["2026-07-28"];

const VERSION: &str = "MCP-Protocol-Version";
const METHOD: &str = "Mcp-Method";
const NAME: &str = "Mcp-Name";
const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// A request whose headers and body agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modern {
    /// It names a `logLevel`: log messages about it are wanted (server/utilities/logging).
    pub logs: bool,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, deserialize_with = "present", rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/clientCapabilities")]
    client_capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<&'a RawValue>,
}

/// What `Mcp-Name` mirrors, by method. The tasks extension (SEP-2663) adds `taskId`.
#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    uri: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present", rename = "taskId")]
    task_id: Option<&'a RawValue>,
}

/// basic/versioning: what the body claims decides, or else the header. A claim of a revision that has sessions is no
/// modern one, unless the header says otherwise: the disagreement is then answered as this revision wants it. And
/// `initialize` opens a session unless it carries a sound claim.
pub fn era(head: &RequestHead<'_>, message: &Message) -> Era {
    let (params, opens) = match message {
        Message::Request(request) => (request.params.as_ref(), request.method.is("initialize")),
        Message::Notification(note) => (note.params.as_ref(), false),
        Message::Response(_) => (None, false),
    };
    let claim =
        params.filter(|params| may_have(params, "_meta")).and_then(|params| meta(params).ok()?.protocol_version);
    let told_by_header = || !opens && head.version.text().is_some_and(|named| MODERN.contains(&named));
    let modern = match claim.map(text) {
        Some(Some(claim)) => ProtocolVersion::parse(&claim).is_none() || told_by_header(),
        Some(None) => !opens,
        None => told_by_header(),
    };
    if modern { Era::Modern } else { Era::Legacy }
}

/// Whether headers and body of a modern request say the same, and all that they must.
///
/// # Errors
/// The [`Rejection`] to answer with, under the request's id.
pub fn validate(head: &RequestHead<'_>, request: &Request) -> Result<Modern, Rejection> {
    examine(head, request).map_err(|refused| refused.answering(&request.id))
}

fn examine(head: &RequestHead<'_>, request: &Request) -> Result<Modern, Rejection> {
    let params = request.params.as_ref().ok_or(Rejection::MetaRequired("_meta"))?;
    let meta = meta(params)?;
    let claim = meta.protocol_version.and_then(text).ok_or(Rejection::MetaRequired(PROTOCOL_VERSION))?;
    same(VERSION, head.mirrors.version.plain(VERSION)?, &claim)?;
    if !MODERN.contains(&claim.as_str()) {
        return Err(UnsupportedProtocolVersion::new(&claim, MODERN).into());
    }
    if !meta.client_capabilities.is_some_and(|given| given.get().starts_with('{')) {
        return Err(Rejection::MetaRequired(CLIENT_CAPABILITIES));
    }
    let method = request.method.text();
    same(METHOD, head.mirrors.method.plain(METHOD)?, &method)?;
    examine_name(head, &method, params)?;
    Ok(Modern { logs: meta.log_level.is_some_and(|level| level.get() != "null") })
}

fn examine_name(head: &RequestHead<'_>, method: &str, params: &Bytes) -> Result<(), Rejection> {
    let names: Names<'_> = members(params)?;
    let body = match method {
        "tools/call" | "prompts/get" => names.name,
        "resources/read" => names.uri,
        "tasks/get" | "tasks/update" | "tasks/cancel" => names.task_id,
        _ => return Ok(()),
    };
    let header = &head.mirrors.name;
    match body.map(text) {
        Some(Some(body)) => Ok(same(NAME, &header.decoded(NAME)?, &body)?),
        // What both lack is the child's to miss.
        None if header.is_absent() => Ok(()),
        // What is no text equals no header, however a lenient reader would take it.
        Some(None) | None => Err(HeaderMismatch::Unfounded(NAME.to_owned()).into()),
    }
}

fn meta(params: &Bytes) -> Result<Meta<'_>, Rejection> {
    let Params { meta } = members(params)?;
    let meta = meta.filter(|meta| meta.get().starts_with('{')).ok_or(Rejection::MetaRequired("_meta"))?;
    serde_json::from_str(meta.get()).map_err(|_| Rejection::AmbiguousParams)
}

/// Some members of params that are an object, none of them given twice.
fn members<'a, T: Deserialize<'a>>(params: &'a Bytes) -> Result<T, Rejection> {
    let object = params.starts_with(b"{").then_some(params).ok_or(Rejection::MetaRequired("_meta"))?;
    serde_json::from_slice(object).map_err(|_| Rejection::AmbiguousParams)
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
