//! The protocol's rules as pure functions: no I/O, clock, randomness, environment or log.
//!
//! | module | rule |
//! | --- | --- |
//! | [`lines`] | what a child wrote, cut into lines |
//! | [`jsonrpc`] | what a JSON-RPC message is; params and results stay the bytes they came as |
//! | [`request_id`] | ids, and the numbers among them that are ours |
//! | `batch`, `depth` | how many messages a batch has, and how deep one nests |
//! | [`unreadable`] | an answer that is no message fails its call |
//! | [`compose`] | messages written from raw parts, one token replaced at a time |
//! | [`version`] | revisions and eras |
//! | [`head`], [`origin`], [`session_id`] | what the request headers say, and whether they may be believed |
//! | [`headers`], [`mirror`] | what a modern request says twice, in headers and in its body, must agree |
//! | [`tool_headers`], [`tool_schema`], [`decimal`] | the same for arguments that a tool's schema has mirrored |
//! | [`dispatch`], [`legacy_sse`] | what a POST asks for; the same for HTTP with SSE |
//! | [`identity`] | what a child may be told about its user |
//! | [`introduction`] | what is said first to a server, and what its answer tells about it |
//! | [`correlate`] | ids and progress tokens, remapped on the way down and restored on the way up |
//! | [`route`] | which client of a child a message is for, and on which stream |
//! | [`bridge`] | whose each message is: a state machine between one child and its clients |
//! | [`subject`] | what a request is about, in a word for the log |
//! | [`sse`], [`replay`] | events, and which of them a client that comes back has missed |
//! | [`rejection`] | why a request is refused, as HTTP status and JSON-RPC code |

mod batch;
pub mod bridge;
pub mod compose;
pub mod correlate;
pub mod decimal;
mod depth;
pub mod dispatch;
pub mod head;
pub mod headers;
pub mod identity;
pub mod introduction;
pub mod jsonrpc;
pub mod legacy_sse;
pub mod lines;
pub mod mirror;
pub mod origin;
pub mod rejection;
pub mod replay;
pub mod request_id;
pub mod route;
pub mod session_id;
pub mod skim;
pub mod sse;
pub mod subject;
pub mod tool_headers;
pub mod tool_schema;
pub mod unreadable;
pub mod version;
