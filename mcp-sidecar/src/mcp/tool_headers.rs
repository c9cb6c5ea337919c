//! Arguments of a tool call that are repeated in `Mcp-Param-*` headers (2026-07-28 basic/transports/streamable-http
//! §Custom Headers from Tool Parameters). Which ones, the answers to `tools/list` say; of these only the annotations
//! are kept.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::decimal;
use super::head::RequestHead;
use super::jsonrpc::{Request, present};
use super::mirror::{HeaderMismatch, Quoted, same};
use super::rejection::Rejection;
use super::tool_schema::{self, Invalid, Mirrored};

/// What is remembered of one server's annotations. Tools that come when it is full are not checked.
const MAX_BYTES: usize = 256 << 10;

/// The annotated tools of one server.
#[derive(Debug, Default)]
pub struct ToolHeaders {
    tools: HashMap<Box<str>, Vec<Mirrored>>,
    bytes: usize,
}

/// A tool whose annotations break the rules. Clients must not offer it, and nothing is expected of its headers.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidTool {
    pub name: Quoted,
    pub why: Invalid,
}

#[derive(Deserialize)]
struct ListToolsResult<'a> {
    #[serde(borrow)]
    tools: &'a RawValue,
}

#[derive(Deserialize)]
struct Tool<'a> {
    name: String,
    #[serde(borrow, rename = "inputSchema")]
    input_schema: &'a RawValue,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(default)]
    name: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    arguments: Option<&'a RawValue>,
}

impl ToolHeaders {
    /// Takes over what a result of `tools/list`, or one page of it, says about its tools; what other pages said stays.
    /// The first tool with invalid annotations is returned for the log.
    pub fn learn(&mut self, result: &Bytes) -> Option<InvalidTool> {
        let mut page = Page { known: self, invalid: None };
        // What is no list of tools says nothing about any; judging it is the client's business.
        if let Ok(ListToolsResult { tools }) = serde_json::from_slice(result) {
            let _ = serde_json::Deserializer::from_str(tools.get()).deserialize_seq(&mut page);
        }
        page.invalid
    }

    fn learn_tool(&mut self, tool: Tool<'_>) -> Result<(), InvalidTool> {
        if let Some(old) = self.tools.remove(tool.name.as_str()) {
            self.bytes -= weight(&tool.name, &old);
        }
        let mirrored = tool_schema::mirrored(tool.input_schema)
            .map_err(|why| InvalidTool { name: Quoted::new(&tool.name), why })?;
        let weight = weight(&tool.name, &mirrored);
        if !mirrored.is_empty() && self.bytes + weight <= MAX_BYTES {
            self.bytes += weight;
            self.tools.insert(tool.name.into(), mirrored);
        }
        Ok(())
    }

    /// Whether the headers of a `tools/call` say what its arguments say. Other requests have nothing to compare.
    ///
    /// # Errors
    /// The [`Rejection`] to answer with, under the request's id.
    pub fn validate(&self, head: &RequestHead<'_>, request: &Request) -> Result<(), Rejection> {
        if self.tools.is_empty() || !request.method.is("tools/call") {
            return Ok(());
        }
        self.examine(head, request.params.as_ref()).map_err(|refused| refused.answering(&request.id))
    }

    fn examine(&self, head: &RequestHead<'_>, params: Option<&Bytes>) -> Result<(), Rejection> {
        let Some(params) = params.filter(|params| params.starts_with(b"{")) else { return Ok(()) };
        let Call { name, arguments } = serde_json::from_slice(params).map_err(|_| Rejection::AmbiguousParams)?;
        let Some(mirrored) = name.and_then(|name| self.tools.get(name.as_str())) else { return Ok(()) };
        for Mirrored { name, path } in mirrored {
            compare(head, name, value_at(arguments, path)?)?;
        }
        Ok(())
    }
}

fn weight(tool: &str, mirrored: &[Mirrored]) -> usize {
    tool.len() + mirrored.iter().map(Mirrored::bytes).sum::<usize>()
}

/// §Server Behavior for Custom Headers, row by row.
fn compare(head: &RequestHead<'_>, name: &str, body: Option<&RawValue>) -> Result<(), HeaderMismatch> {
    let header = head.mirrors.params.get(name.to_ascii_lowercase().as_str()).copied().unwrap_or_default();
    let name = format!("Mcp-Param-{name}");
    let body = body.map_or("null", RawValue::get);
    match body.as_bytes() {
        [b'"', ..] => match serde_json::from_str::<String>(body) {
            Ok(text) => same(&name, &header.decoded(&name)?, &text),
            Err(_) => Err(HeaderMismatch::Unfounded(name)),
        },
        [b'-' | b'0'..=b'9', ..] => {
            let given = header.decoded(&name)?;
            if decimal::equal(&given, body) { Ok(()) } else { same(&name, &given, body) }
        }
        b"true" | b"false" => same(&name, &header.decoded(&name)?, body),
        // null, nothing, or what no header can say. An intermediary may have believed one that is there all the same.
        _ if header.is_absent() => Ok(()),
        _ => Err(HeaderMismatch::Unfounded(name)),
    }
}

/// «The instance value at the exact property path», if the path leads anywhere.
fn value_at<'a>(arguments: Option<&'a RawValue>, path: &[String]) -> Result<Option<&'a RawValue>, Rejection> {
    let mut at = arguments;
    for name in path {
        let Some(object) = at.filter(|value| value.get().starts_with('{')) else { return Ok(None) };
        let mut reader = serde_json::Deserializer::from_str(object.get());
        at = reader.deserialize_map(Member(name)).map_err(|_| Rejection::AmbiguousParams)?;
    }
    Ok(at)
}

/// Finds one member of an object. A second one of that name is an error: another reader could see that one.
struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with at most one member {:?}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != self.0 {
                map.next_value::<IgnoredAny>()?;
            } else if found.replace(map.next_value()?).is_some() {
                return Err(serde::de::Error::custom("given twice"));
            }
        }
        Ok(found)
    }
}

/// Reads tool after tool, so that a long list takes no memory.
struct Page<'k> {
    known: &'k mut ToolHeaders,
    invalid: Option<InvalidTool>,
}

impl<'de> Visitor<'de> for &mut Page<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tools")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tools: A) -> Result<(), A::Error> {
        while let Some(tool) = tools.next_element::<&RawValue>()? {
            if let Ok(tool) = serde_json::from_str(tool.get())
                && let Err(invalid) = self.known.learn_tool(tool)
            {
                self.invalid.get_or_insert(invalid);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tool_headers_tests.rs"]
mod tests;
