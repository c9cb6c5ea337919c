//! Protocol revisions, and the two eras they fall into.

use serde::Deserialize;

use super::jsonrpc::{Incoming, Message};

/// Revisions that this sidecar speaks over Streamable HTTP. The oldest is admitted because clients may negotiate it
/// with the child through the newer transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
}

/// Legacy: `initialize` and sessions. Modern (2026-07-28): every request stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    Legacy,
    Modern,
}

impl ProtocolVersion {
    pub const ALL: [Self; 4] = [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
        }
    }

    /// What the child chose in its InitializeResult; `None` when it names a revision unknown to us, or none.
    pub fn negotiated(initialize_result: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct InitializeResult<'a> {
            #[serde(borrow, rename = "protocolVersion")]
            protocol_version: std::borrow::Cow<'a, str>,
        }
        let result: InitializeResult<'_> = serde_json::from_slice(initialize_result).ok()?;
        Self::parse(&result.protocol_version)
    }

    /// What a client asks for with its `initialize`; `None` for another message, and for what is unknown to us.
    pub fn requested(first: &Incoming) -> Option<Self> {
        let Incoming::Single(Message::Request(request)) = first else { return None };
        request.params.as_deref().filter(|_| request.method.is("initialize")).and_then(Self::negotiated)
    }

    /// JSON-RPC batches came with 2025-03-26 and went with 2025-06-18 (changelog).
    pub fn allows_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// 2025-11-25 basic/transports §Sending Messages 6: an event with an id and no data lets the client come back.
    /// Older clients would try to read the empty data as a message.
    pub fn primes_streams(self) -> bool {
        self >= Self::V2025_11_25
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_revision_is_read_back_from_its_name() {
        for version in ProtocolVersion::ALL {
            assert_eq!(ProtocolVersion::parse(version.as_str()), Some(version));
        }
        assert_eq!(ProtocolVersion::parse("2026-07-28"), None);
        assert_eq!(ProtocolVersion::parse(""), None);
    }

    #[test]
    fn the_negotiated_revision_is_the_one_that_the_child_names() {
        let result = br#"{"capabilities":{},"protocolVersion":"2025-\u00306-18"}"#;
        assert_eq!(ProtocolVersion::negotiated(result), Some(ProtocolVersion::V2025_06_18));
        let first = |method: &str| {
            let params = String::from_utf8_lossy(result);
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            ProtocolVersion::requested(&Incoming::parse(&text.into()).unwrap())
        };
        assert_eq!(first("initialize"), Some(ProtocolVersion::V2025_06_18));
        assert_eq!(first("ping"), None);
        for odd in ["{}", "[]", r#"{"protocolVersion":"1999-01-01"}"#, r#"{"protocolVersion":1}"#] {
            assert_eq!(ProtocolVersion::negotiated(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn only_2025_03_26_has_batches_and_only_2025_11_25_primes() {
        let having = |rule: fn(ProtocolVersion) -> bool| ProtocolVersion::ALL.map(rule);
        assert_eq!(having(ProtocolVersion::allows_batches), [false, true, false, false]);
        assert_eq!(having(ProtocolVersion::primes_streams), [false, false, false, true]);
    }
}
