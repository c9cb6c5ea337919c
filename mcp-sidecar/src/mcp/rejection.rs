//! Why a request is refused before any child sees it: HTTP status, JSON-RPC code, and words for a person.

use super::jsonrpc::{Malformed, RequestId};
use super::mirror::HeaderMismatch;
use super::version::ProtocolVersion;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    HostNotAllowed,
    OriginNotAllowed,
    UserRequired,
    /// The server is told this header's value, and there is none.
    IdentityRequired(&'static str),
    HeaderRepeated(&'static str),
    HeaderUnreadable(&'static str),
    /// Of a request that has or wants a session.
    UnsupportedVersion,
    /// Of a request that stands alone.
    UnsupportedProtocolVersion(UnsupportedProtocolVersion),
    HeaderMismatch(HeaderMismatch),
    /// A member of `_meta` is missing, or of the wrong type.
    MetaRequired(&'static str),
    NotAcceptable(&'static str),
    NotJsonMedia,
    BodyTooLarge,
    BodyUnreadable,
    BodyTooSlow,
    Malformed(Malformed),
    BatchNotAllowed,
    ResponseNotAllowed,
    /// GET or DELETE of a client whose revision has neither.
    PostOnly,
    AmbiguousParams,
    SessionRequired,
    SessionUnknown,
    /// Another replica may have it; nobody can say just now.
    SessionNotKnownYet,
    /// The replica that has the session does not answer.
    ReplicaSilent,
    /// It took the request, and then the connection broke.
    ReplicaLost,
    /// Another replica took this one for the one that has the session.
    Misdirected,
    AlreadyInitialized,
    InitializeInBatch,
    /// No event of this session, or one after which nothing comes.
    EventUnknown,
    TooManySessions,
    TooManyCalls,
    /// The child has not read what was sent before.
    TooManyBytes,
    ShuttingDown,
    ChildNotStarted,
    /// One of the others, told under the id of the request it answers.
    Answering(Answering),
}

/// Of a request that stands alone: basic/versioning §Protocol Version Negotiation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedProtocolVersion {
    pub requested: String,
    pub supported: Vec<String>,
}

impl UnsupportedProtocolVersion {
    const AT_MOST: usize = 64;

    /// A name that is too long for any revision is told back cut.
    pub fn new(requested: &str, supported: &[&str]) -> Self {
        let requested = requested.chars().take(Self::AT_MOST).collect();
        Self { requested, supported: supported.iter().map(|&version| version.to_owned()).collect() }
    }
}

/// A refusal and the id it is told under, which is the client's and not for the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Answering {
    id: RequestId,
    why: Box<Rejection>,
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.why.fmt(f)
    }
}

impl Rejection {
    /// basic/transports/streamable-http §Server Validation: the error carries the id of the request.
    #[must_use]
    pub fn answering(self, id: &RequestId) -> Self {
        match self {
            Self::Answering(_) => self,
            why => Self::Answering(Answering { id: id.detached(), why: Box::new(why) }),
        }
    }

    /// The revision that was asked for and is not spoken.
    pub fn unsupported(&self) -> Option<&str> {
        match self {
            Self::Answering(answering) => answering.why.unsupported(),
            Self::UnsupportedProtocolVersion(version) => Some(&version.requested),
            _ => None,
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            Self::Answering(answering) => answering.why.status(),
            Self::HostNotAllowed | Self::OriginNotAllowed | Self::UserRequired | Self::IdentityRequired(_) => 403,
            Self::SessionUnknown => 404,
            Self::PostOnly | Self::EventUnknown => 405,
            Self::NotAcceptable(_) => 406,
            Self::BodyTooSlow => 408,
            Self::BodyTooLarge => 413,
            Self::NotJsonMedia => 415,
            // RFC 9110 §15.5.20. Told to the replica that passed the request on, which then answers its client.
            Self::Misdirected => 421,
            Self::TooManyCalls | Self::TooManyBytes => 429,
            Self::ReplicaLost => 502,
            Self::TooManySessions
            | Self::ShuttingDown
            | Self::ChildNotStarted
            | Self::SessionNotKnownYet
            | Self::ReplicaSilent => 503,
            Self::HeaderRepeated(_)
            | Self::HeaderUnreadable(_)
            | Self::UnsupportedVersion
            | Self::UnsupportedProtocolVersion(_)
            | Self::HeaderMismatch(_)
            | Self::MetaRequired(_)
            | Self::BodyUnreadable
            | Self::Malformed(_)
            | Self::BatchNotAllowed
            | Self::ResponseNotAllowed
            | Self::AmbiguousParams
            | Self::SessionRequired
            | Self::AlreadyInitialized
            | Self::InitializeInBatch => 400,
        }
    }

    /// JSON-RPC 2.0 §5.1 and 2026-07-28 basic/index §Error Codes. −32001 is what the official SDKs answer for a session
    /// that is not (or no longer) there.
    pub fn code(&self) -> i32 {
        match self {
            Self::Answering(answering) => answering.why.code(),
            Self::HeaderMismatch(_) => -32020,
            Self::UnsupportedProtocolVersion(_) => -32022,
            Self::MetaRequired(_) => -32602,
            Self::Malformed(Malformed::NotJson | Malformed::TooDeep) => -32700,
            Self::SessionUnknown => -32001,
            Self::TooManySessions
            | Self::TooManyCalls
            | Self::TooManyBytes
            | Self::ShuttingDown
            | Self::ChildNotStarted
            | Self::SessionNotKnownYet
            | Self::ReplicaSilent
            | Self::ReplicaLost
            | Self::Misdirected => -32603,
            _ => -32600,
        }
    }

    /// Seconds after which trying again makes sense.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Answering(answering) => answering.why.retry_after(),
            Self::TooManyCalls | Self::TooManyBytes | Self::SessionNotKnownYet | Self::ReplicaSilent => Some(1),
            Self::TooManySessions | Self::ShuttingDown | Self::ChildNotStarted => Some(5),
            _ => None,
        }
    }

    pub fn message(&self) -> String {
        match self {
            Self::Answering(answering) => answering.why.message(),
            Self::UnsupportedProtocolVersion(_) => "Unsupported protocol version".into(),
            Self::HeaderMismatch(fault) => format!("Header mismatch: {fault}"),
            Self::MetaRequired(key) => format!("Invalid params: {key} is required"),
            Self::HostNotAllowed => "Host is not one of ours; see --allowed-host".into(),
            Self::OriginNotAllowed => "Origin is not allowed; see --allowed-origin".into(),
            Self::UserRequired => "X-User-Id is required".into(),
            Self::IdentityRequired(name) => format!("{name} is required"),
            Self::HeaderRepeated(name) => format!("{name} is given more than once"),
            Self::HeaderUnreadable(name) => format!("{name} is empty or not text"),
            Self::UnsupportedVersion => {
                let spoken = ProtocolVersion::ALL.map(ProtocolVersion::as_str).join(", ");
                format!("MCP-Protocol-Version is not supported; supported are {spoken}")
            }
            Self::NotAcceptable(needed) => format!("Accept must admit {needed}"),
            Self::NotJsonMedia => "Content-Type must be application/json".into(),
            Self::BodyTooLarge => "the body is too large; see --max-body".into(),
            Self::BodyTooSlow => "the body did not come in time; see --body-timeout".into(),
            Self::BodyUnreadable => "the body ended early".into(),
            Self::Malformed(Malformed::NotJson) => "Parse error".into(),
            Self::Malformed(Malformed::TooDeep) => "Parse error: nested too deeply".into(),
            Self::Malformed(Malformed::NotJsonRpc(why)) => format!("Invalid Request: {why}"),
            Self::BatchNotAllowed => "Invalid Request: batches exist in protocol version 2025-03-26 only".into(),
            Self::ResponseNotAllowed => "Invalid Request: nothing was asked that this could answer".into(),
            Self::PostOnly => "this protocol version has POST only".into(),
            Self::AmbiguousParams => "Invalid Request: a member of params is given twice".into(),
            Self::SessionRequired => "Mcp-Session-Id is required; send initialize first".into(),
            Self::SessionUnknown => "Session not found".into(),
            Self::SessionNotKnownYet => "whether this session exists cannot be said just now".into(),
            Self::ReplicaSilent => "the replica that has this session does not answer".into(),
            Self::ReplicaLost => "the replica that has this session was lost before it answered".into(),
            Self::Misdirected => "another replica was meant".into(),
            Self::AlreadyInitialized => "Invalid Request: this session is initialized already".into(),
            Self::InitializeInBatch => "Invalid Request: initialize must stand alone".into(),
            Self::EventUnknown => "Last-Event-ID names no event after which there is more".into(),
            Self::TooManySessions => "no room for another session".into(),
            Self::TooManyCalls => "too many requests in flight in this session".into(),
            Self::TooManyBytes => "the MCP server has not read what was sent before".into(),
            Self::ShuttingDown => "shutting down".into(),
            Self::ChildNotStarted => "the MCP server could not be started".into(),
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        match self {
            Self::Answering(answering) => answering.why.data(),
            Self::UnsupportedProtocolVersion(UnsupportedProtocolVersion { requested, supported }) => {
                Some(serde_json::json!({ "supported": supported, "requested": requested }))
            }
            _ => None,
        }
    }

    /// The JSON-RPC error response. Its id is null unless the refusal answers a certain request.
    pub fn body(&self) -> String {
        let id = match self {
            Self::Answering(answering) => String::from_utf8_lossy(answering.id.as_bytes()),
            _ => "null".into(),
        };
        let mut error = serde_json::json!({ "code": self.code(), "message": self.message() });
        if let Some(data) = self.data() {
            error["data"] = data;
        }
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
    }
}

impl From<Malformed> for Rejection {
    fn from(why: Malformed) -> Self {
        Self::Malformed(why)
    }
}

impl From<HeaderMismatch> for Rejection {
    fn from(fault: HeaderMismatch) -> Self {
        Self::HeaderMismatch(fault)
    }
}

impl From<UnsupportedProtocolVersion> for Rejection {
    fn from(version: UnsupportedProtocolVersion) -> Self {
        Self::UnsupportedProtocolVersion(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_code_are_those_of_the_contract() {
        for (rejection, status, code) in [
            (Rejection::Malformed(Malformed::NotJson), 400, -32700),
            (Rejection::Malformed(Malformed::NotJsonRpc("x")), 400, -32600),
            (Rejection::SessionRequired, 400, -32600),
            (Rejection::SessionUnknown, 404, -32001),
            (Rejection::EventUnknown, 405, -32600),
            (Rejection::NotAcceptable("x"), 406, -32600),
            (Rejection::NotJsonMedia, 415, -32600),
            (Rejection::BodyTooLarge, 413, -32600),
            (Rejection::BodyTooSlow, 408, -32600),
            (Rejection::OriginNotAllowed, 403, -32600),
            (Rejection::TooManySessions, 503, -32603),
        ] {
            assert_eq!((rejection.status(), rejection.code()), (status, code), "{rejection:?}");
        }
    }

    #[test]
    fn the_body_is_an_error_response_without_an_id() {
        let body: serde_json::Value = serde_json::from_str(&Rejection::SessionUnknown.body()).unwrap();
        assert_eq!(body["id"], serde_json::Value::Null);
        assert_eq!(body["error"]["code"], -32001);
        assert_eq!(body["jsonrpc"], "2.0");
    }
}
