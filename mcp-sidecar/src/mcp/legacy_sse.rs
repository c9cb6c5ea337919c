//! HTTP with SSE, the transport of 2024-11-05: `GET /sse` opens a session and its only stream, whose first event says
//! where to POST. The session's id is in that URL, so it is there that it must be looked for.

use bytes::Bytes;

use super::dispatch::Phase;
use super::head::Presented;
use super::jsonrpc::{Incoming, Message};
use super::rejection::Rejection;
use super::session_id::SessionId;

/// Where messages are posted.
pub const MESSAGES: &str = "/messages";
const PARAMETER: &str = "sessionId";

/// The `endpoint` event. Clients resolve it against the URL of their GET.
pub fn endpoint(session: &SessionId) -> Bytes {
    format!("event: endpoint\ndata: {MESSAGES}?{PARAMETER}={}\n\n", session.as_str()).into()
}

/// The session that a POST's query names. Named twice it is nobody's: two readers could see two.
pub fn presented(query: &str) -> Presented {
    let mut named = query.split('&').filter_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='));
    match (named.next(), named.next()) {
        (None, _) => Presented::Nothing,
        (Some(id), None) => SessionId::parse(id.as_bytes()).map_or(Presented::Foreign, Presented::Session),
        (Some(_), Some(_)) => Presented::Foreign,
    }
}

/// # Errors
/// The [`Rejection`] to answer with.
pub fn admit(presented: &Presented, session: Option<Phase>, incoming: &Incoming) -> Result<(), Rejection> {
    let phase = match (presented, session) {
        (_, Some(phase)) => phase,
        (Presented::Nothing, None) => return Err(Rejection::SessionRequired),
        (Presented::Foreign | Presented::Session(_), None) => return Err(Rejection::SessionUnknown),
    };
    if matches!(incoming, Incoming::Batch(_)) && !phase.version.is_some_and(|version| version.allows_batches()) {
        return Err(Rejection::BatchNotAllowed);
    }
    let opens = |message: &Message| matches!(message, Message::Request(request) if request.method.is("initialize"));
    if phase.version.is_some() && incoming.messages().iter().any(opens) {
        return Err(Rejection::AlreadyInitialized);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::version::ProtocolVersion;

    fn judged(session: Option<Option<ProtocolVersion>>, body: &'static str) -> Result<(), Rejection> {
        let incoming = Incoming::parse(&Bytes::from_static(body.as_bytes())).unwrap();
        admit(&Presented::Foreign, session.map(|version| Phase { version }), &incoming)
    }

    const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;

    #[test]
    fn the_endpoint_names_the_session_and_the_query_is_read_back() {
        let id = SessionId::from_random([7; 24]);
        let event = String::from_utf8(endpoint(&id).to_vec()).unwrap();
        let query = event.strip_prefix("event: endpoint\ndata: /messages?").unwrap().trim_end();
        assert_eq!(presented(query), Presented::Session(id));
    }

    #[test]
    fn a_query_without_a_session_or_with_two_names_none() {
        let id = "0".repeat(48);
        assert_eq!(presented(""), Presented::Nothing);
        assert_eq!(presented(&format!("sessionid={id}&xsessionId={id}")), Presented::Nothing);
        for foreign in ["sessionId=", "sessionId=guess", &format!("sessionId={id}&sessionId={id}"), "sessionId=%30"] {
            assert_eq!(presented(foreign), Presented::Foreign, "{foreign}");
        }
    }

    #[test]
    fn a_session_is_initialized_once_and_has_batches_in_2025_03_26_only() {
        assert_eq!(judged(None, INITIALIZE), Err(Rejection::SessionUnknown));
        assert_eq!(judged(Some(None), INITIALIZE), Ok(()));
        let opened = |version| Some(Some(version));
        assert_eq!(judged(opened(ProtocolVersion::V2024_11_05), INITIALIZE), Err(Rejection::AlreadyInitialized));
        let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
        assert_eq!(judged(opened(ProtocolVersion::V2024_11_05), batch), Err(Rejection::BatchNotAllowed));
        assert_eq!(judged(opened(ProtocolVersion::V2025_03_26), batch), Ok(()));
        assert_eq!(judged(Some(None), batch), Err(Rejection::BatchNotAllowed));
    }
}
