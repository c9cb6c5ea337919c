//! Labels are enums, never ids: the number of series is known before anybody asks.

use super::counts::Label;
use crate::child::ExitReason;
use crate::mcp::jsonrpc::{Incoming, Message, Method};
use crate::mcp::rejection::Rejection;
use crate::mcp::version::Era;

macro_rules! labels {
    ($(#[$doc:meta])* $key:literal: $name:ident { $($(#[$what:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$what])* $variant),+ }

        impl Label for $name {
            const KEY: &'static str = $key;
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

labels! {
    /// What kind of client a session or seat is for.
    "kind": SessionKind {
        /// Opened with `initialize`.
        Legacy = "legacy",
        /// 2026-07-28: no session, but a seat at a child.
        Modern = "modern",
    }
}

labels! {
    /// Why a session ended.
    "reason": SessionEnd {
        /// DELETE, or to make room, or the end of patience at shutdown.
        Ended = "ended",
        Idle = "idle",
        /// Nothing was in flight when the sidecar was told to stop.
        Drained = "drained",
        /// `initialize` was answered with an error.
        NotOpened = "not_opened",
        ChildExited = "child_exited",
    }
}

labels! {
    /// Whether a child could be started.
    "outcome": ChildStart { Started = "started", Failed = "failed" }
}

labels! {
    /// How a child ended.
    "reason": ChildEnd {
        StatusZero = "status_zero",
        StatusOther = "status_other",
        Signal = "signal",
        StdoutClosed = "stdout_closed",
        StdinClosed = "stdin_closed",
        Unknown = "unknown",
    }
}

labels! {
    /// What the child made of a call.
    "outcome": CallOutcome {
        Result = "result",
        /// It answered with a JSON-RPC error.
        Error = "error",
        /// It did not answer: dead, silent, or its answer was too long.
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

labels! {
    /// Bounds, each counted when it held something back.
    "limit": Limit {
        Sessions = "sessions",
        SessionsPerUser = "sessions_per_user",
        Calls = "calls",
        ChildQueue = "child_queue",
        ChildBytes = "child_bytes",
        Line = "line",
        Body = "body",
        IdleTimeout = "idle_timeout",
        CallTimeout = "call_timeout",
        SlowReader = "slow_reader",
    }
}

labels! {
    /// Where a stream of events came from.
    "kind": StreamKind { Post = "post", Get = "get" }
}

labels! {
    /// What a request asks for: a class of JSON-RPC methods, or the HTTP method that stands for one.
    "method": MethodClass {
        Initialize = "initialize",
        Discover = "discover",
        Ping = "ping",
        ToolsList = "tools_list",
        ToolsCall = "tools_call",
        Prompts = "prompts",
        Resources = "resources",
        Subscriptions = "subscriptions",
        Completion = "completion",
        Notification = "notification",
        Response = "response",
        Batch = "batch",
        /// GET.
        Listen = "listen",
        Delete = "delete",
        /// Any other method, or a request that was refused before it was read.
        Other = "other",
    }
}

labels! {
    /// How a request was answered over HTTP.
    "outcome": RequestOutcome {
        /// One JSON message, or none.
        Answered = "answered",
        Streamed = "streamed",
        /// 4xx.
        Refused = "refused",
        /// 5xx.
        Failed = "failed",
    }
}

labels! {
    /// Why a request was refused before any child saw it.
    "reason": Refusal {
        Host = "host",
        Origin = "origin",
        User = "user",
        Version = "version",
        /// Accept or Content-Type.
        Media = "media",
        Body = "body",
        /// Neither JSON-RPC nor what the revision allows.
        Request = "request",
        SessionMissing = "session_missing",
        SessionUnknown = "session_unknown",
        Event = "event",
        Sessions = "sessions",
        Calls = "calls",
        ShuttingDown = "shutting_down",
        Child = "child",
        /// Another replica has the session, or may have it, and cannot be asked.
        Replica = "replica",
    }
}

labels! {
    /// What became of a request whose session is not here.
    "outcome": Forwarding {
        /// The replica that has the session answered.
        Answered = "answered",
        /// No replica has it.
        Unknown = "unknown",
        /// Redis could not say.
        RedisAway = "redis_away",
        /// The replica that has it did not take the request.
        Silent = "silent",
        /// It took the request and did not answer.
        Lost = "lost",
    }
}

impl From<&Rejection> for Forwarding {
    fn from(why: &Rejection) -> Self {
        match why {
            Rejection::SessionNotKnownYet => Self::RedisAway,
            Rejection::ReplicaSilent => Self::Silent,
            Rejection::ReplicaLost => Self::Lost,
            _ => Self::Unknown,
        }
    }
}

impl From<&Rejection> for Refusal {
    fn from(why: &Rejection) -> Self {
        match why {
            Rejection::HostNotAllowed => Self::Host,
            Rejection::OriginNotAllowed => Self::Origin,
            Rejection::UserRequired => Self::User,
            Rejection::UnsupportedVersion => Self::Version,
            Rejection::NotAcceptable(_) | Rejection::NotJsonMedia => Self::Media,
            Rejection::BodyTooLarge | Rejection::BodyUnreadable | Rejection::BodyTooSlow => Self::Body,
            Rejection::SessionRequired => Self::SessionMissing,
            Rejection::SessionUnknown => Self::SessionUnknown,
            Rejection::EventUnknown => Self::Event,
            Rejection::TooManySessions => Self::Sessions,
            Rejection::TooManyCalls | Rejection::TooManyBytes => Self::Calls,
            Rejection::ShuttingDown => Self::ShuttingDown,
            Rejection::ChildNotStarted => Self::Child,
            Rejection::SessionNotKnownYet
            | Rejection::ReplicaSilent
            | Rejection::ReplicaLost
            | Rejection::Misdirected => Self::Replica,
            _ => Self::Request,
        }
    }
}

impl From<Era> for SessionKind {
    fn from(era: Era) -> Self {
        match era {
            Era::Legacy => Self::Legacy,
            Era::Modern => Self::Modern,
        }
    }
}

impl From<ExitReason> for ChildEnd {
    fn from(reason: ExitReason) -> Self {
        match reason {
            ExitReason::Code(0) => Self::StatusZero,
            ExitReason::Code(_) => Self::StatusOther,
            ExitReason::Signal(_) => Self::Signal,
            ExitReason::StdoutClosed => Self::StdoutClosed,
            ExitReason::StdinClosed => Self::StdinClosed,
            ExitReason::Unknown => Self::Unknown,
        }
    }
}

impl MethodClass {
    pub(crate) fn of_request(method: &Method) -> Self {
        const KNOWN: [(&str, MethodClass); 6] = [
            ("tools/call", MethodClass::ToolsCall),
            ("tools/list", MethodClass::ToolsList),
            ("initialize", MethodClass::Initialize),
            ("server/discover", MethodClass::Discover),
            ("ping", MethodClass::Ping),
            ("completion/complete", MethodClass::Completion),
        ];
        if let Some((_, class)) = KNOWN.iter().find(|(name, _)| method.is(name)) {
            return *class;
        }
        let families =
            [("prompts/", Self::Prompts), ("resources/", Self::Resources), ("subscriptions/", Self::Subscriptions)];
        let in_family = |(family, _): &&(&str, Self)| method.as_json()[1..].starts_with(family.as_bytes());
        families.iter().find(in_family).map_or(Self::Other, |(_, class)| *class)
    }
}

impl From<&Incoming> for MethodClass {
    fn from(incoming: &Incoming) -> Self {
        match incoming {
            Incoming::Batch(_) => Self::Batch,
            Incoming::Single(Message::Request(request)) => Self::of_request(&request.method),
            Incoming::Single(Message::Notification(_)) => Self::Notification,
            Incoming::Single(Message::Response(_)) => Self::Response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_method_that_is_not_known_is_other_whatever_it_says() {
        let class = |method: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":{method}}}"#);
            MethodClass::from(&Incoming::parse(&Bytes::from(body)).unwrap())
        };
        assert_eq!(class(r#""tools/call""#), MethodClass::ToolsCall);
        assert_eq!(class(r#""resources/read""#), MethodClass::Resources);
        assert_eq!(class(r#""\"} 1\nforged 2""#), MethodClass::Other);
        assert_eq!(class(r#""""#), MethodClass::Other);
    }
}
