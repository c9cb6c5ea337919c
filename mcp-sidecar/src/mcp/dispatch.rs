//! What a POST to `/mcp` asks for, decided from its head, its message and the session it names.

use super::head::{Named, Presented, RequestHead};
use super::headers;
use super::jsonrpc::{Incoming, Message};
use super::rejection::Rejection;
use super::version::{Era, ProtocolVersion};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What the child answered to `initialize`; `None` until then, or when it named a revision unknown to us.
    pub version: Option<ProtocolVersion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `initialize`: a new session with a child of its own.
    Open,
    /// Requests to be answered on this POST.
    Call,
    /// Notifications and responses only: 202, no body.
    Relay,
    /// A request that stands alone (2026-07-28), whatever session it names.
    Ask,
    /// A notification that stands alone: 202, no body.
    Tell,
}

/// `session` is what the registry knows under the presented id for the presented owner.
///
/// # Errors
/// The [`Rejection`] to answer with.
pub fn decide(head: &RequestHead<'_>, incoming: &Incoming, session: Option<Phase>) -> Result<Action, Rejection> {
    if incoming.messages().iter().any(|message| headers::era(head, message) == Era::Modern) {
        return standing_alone(head, incoming);
    }
    let opens = |message: &Message| matches!(message, Message::Request(request) if request.method.is("initialize"));
    if incoming.messages().iter().any(opens) {
        head.version.known()?;
        return match (incoming, session) {
            // 2025-03-26 basic/lifecycle §Initialization: initialize MUST NOT be part of a batch.
            (Incoming::Batch(_), _) => Err(Rejection::InitializeInBatch),
            (Incoming::Single(_), Some(_)) => Err(Rejection::AlreadyInitialized),
            // A stale id on a new initialize is left over from a session that ended; what is asked for is clear.
            (Incoming::Single(_), None) => Ok(Action::Open),
        };
    }
    let phase = in_session(head, session)?;
    // What was negotiated decides, whatever the header says.
    let version = phase.version.or(head.version.known().ok().flatten()).unwrap_or(ProtocolVersion::V2025_03_26);
    if matches!(incoming, Incoming::Batch(_)) && !version.allows_batches() {
        return Err(Rejection::BatchNotAllowed);
    }
    Ok(if incoming.requests() > 0 { Action::Call } else { Action::Relay })
}

/// 2026-07-28 basic/transports/streamable-http §Sending Messages: one request or notification, no response.
fn standing_alone(head: &RequestHead<'_>, incoming: &Incoming) -> Result<Action, Rejection> {
    let Incoming::Single(message) = incoming else { return Err(Rejection::BatchNotAllowed) };
    match message {
        Message::Request(request) => {
            headers::validate(head, request)?;
            if request.method.is("subscriptions/listen") && !head.accept.sse {
                return Err(Rejection::NotAcceptable("text/event-stream").answering(&request.id));
            }
            Ok(Action::Ask)
        }
        Message::Notification(_) => Ok(Action::Tell),
        Message::Response(_) => Err(Rejection::ResponseNotAllowed),
    }
}

/// 2026-07-28 has no GET and no DELETE (basic/transports/streamable-http §Earlier Streamable HTTP Revisions).
///
/// # Errors
/// [`Rejection::PostOnly`]
pub fn knows_sessions(head: &RequestHead<'_>) -> Result<(), Rejection> {
    let modern = head.version.text().is_some_and(|named| headers::MODERN.contains(&named));
    if modern { Err(Rejection::PostOnly) } else { Ok(()) }
}

/// basic/transports §Session Management 2 and 3: without an id 400, with one that is not (or not yours) 404.
///
/// # Errors
/// [`Rejection::HeaderRepeated`], [`Rejection::UnsupportedVersion`], [`Rejection::SessionRequired`],
/// [`Rejection::SessionUnknown`]
pub fn in_session(head: &RequestHead<'_>, session: Option<Phase>) -> Result<Phase, Rejection> {
    match (&head.session, session) {
        // A child that named a revision unknown to us supports it, and a client that went on knows it: 2024-10-07, of
        // the first SDKs, which those in TypeScript still take.
        (_, Some(phase)) if phase.version.is_none() && matches!(head.version, Named::Other(_)) => Ok(phase),
        (_, Some(phase)) => head.version.known().map(|_| phase),
        (Presented::Nothing, None) => head.version.known().and(Err(Rejection::SessionRequired)),
        // Whether its child supports the revision, only the replica can say that has the session.
        (Presented::Foreign | Presented::Session(_), None) => Err(Rejection::SessionUnknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn asked(headers: &[(&str, &str)], body: &'static str, session: Option<Phase>) -> Result<Action, Rejection> {
        let head = RequestHead::parse(headers.iter().map(|&(name, value)| (name, value.as_bytes()))).unwrap();
        decide(&head, &Incoming::parse(&Bytes::from_static(body.as_bytes())).unwrap(), session)
    }

    const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}"#;
    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    const BATCH: &str = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#;

    fn at(version: ProtocolVersion) -> Option<Phase> {
        Some(Phase { version: Some(version) })
    }

    #[test]
    fn initialize_opens_a_session_however_odd_its_params_or_stale_its_session() {
        assert_eq!(asked(&[], INITIALIZE, None), Ok(Action::Open));
        assert_eq!(asked(&[("mcp-session-id", "gone")], INITIALIZE, None), Ok(Action::Open));
        assert_eq!(asked(&[], INITIALIZE, at(ProtocolVersion::V2025_06_18)), Err(Rejection::AlreadyInitialized));
    }

    #[test]
    fn a_missing_session_is_400_and_an_unknown_one_404() {
        assert_eq!(asked(&[], PING, None), Err(Rejection::SessionRequired));
        assert_eq!(asked(&[("mcp-session-id", "guessed")], PING, None), Err(Rejection::SessionUnknown));
        assert_eq!(asked(&[("mcp-session-id", "guessed")], NOTE, None), Err(Rejection::SessionUnknown));
    }

    #[test]
    fn requests_are_called_and_notifications_relayed() {
        assert_eq!(asked(&[], PING, at(ProtocolVersion::V2025_11_25)), Ok(Action::Call));
        assert_eq!(asked(&[], NOTE, at(ProtocolVersion::V2025_11_25)), Ok(Action::Relay));
    }

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    const ALONE: [(&str, &str); 3] =
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "ping"), ("mcp-session-id", "any")];

    fn alone(text: &str, headers: &[(&str, &str)]) -> Result<Action, Rejection> {
        let head = RequestHead::parse(headers.iter().map(|&(name, value)| (name, value.as_bytes()))).unwrap();
        let body = text.replace("META", META);
        decide(&head, &Incoming::parse(&body.into()).unwrap(), at(ProtocolVersion::V2025_11_25))
    }

    #[test]
    fn a_request_that_stands_alone_is_asked_whatever_session_it_names() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{META}}"#;
        assert_eq!(alone(ping, &ALONE), Ok(Action::Ask));
        assert_eq!(alone(NOTE, &ALONE), Ok(Action::Tell));
        assert_eq!(alone(&format!("[{ping}]"), &ALONE), Err(Rejection::BatchNotAllowed));
        let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        assert_eq!(alone(response, &ALONE), Err(Rejection::ResponseNotAllowed));
        assert_eq!(alone(PING, &ALONE).map_err(|refused| refused.code()), Err(-32602), "no _meta");
    }

    #[test]
    fn a_subscription_needs_a_client_that_takes_events() {
        let listen = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{META}}"#;
        let mut headers = ALONE;
        headers[1].1 = "subscriptions/listen";
        assert_eq!(alone(listen, &headers), Ok(Action::Ask));
        headers[2] = ("accept", "application/json");
        assert_eq!(alone(listen, &headers).map_err(|refused| refused.status()), Err(406));
    }

    #[test]
    fn batches_exist_in_2025_03_26_only() {
        assert_eq!(asked(&[], BATCH, at(ProtocolVersion::V2025_03_26)), Ok(Action::Call));
        assert_eq!(asked(&[], BATCH, at(ProtocolVersion::V2025_06_18)), Err(Rejection::BatchNotAllowed));
    }

    #[test]
    fn what_was_negotiated_decides_about_batches_and_not_the_header() {
        let named = |version| [("mcp-protocol-version", version)];
        assert_eq!(asked(&named("2025-11-25"), BATCH, at(ProtocolVersion::V2025_03_26)), Ok(Action::Call));
        let newer = at(ProtocolVersion::V2025_11_25);
        assert_eq!(asked(&named("2025-03-26"), BATCH, newer), Err(Rejection::BatchNotAllowed));
    }

    #[test]
    fn a_revision_unknown_to_us_is_supported_if_the_child_named_one() {
        let old = [("mcp-protocol-version", "2024-10-07"), ("mcp-session-id", "any")];
        assert_eq!(asked(&old, PING, Some(Phase { version: None })), Ok(Action::Call));
        assert_eq!(asked(&old, PING, at(ProtocolVersion::V2025_11_25)), Err(Rejection::UnsupportedVersion));
        assert_eq!(asked(&old, PING, None), Err(Rejection::SessionUnknown), "another replica may know");
        assert_eq!(asked(&old[..1], PING, None), Err(Rejection::UnsupportedVersion));
        let twice = [old[0], old[0]];
        assert_eq!(
            asked(&twice, PING, Some(Phase { version: None })),
            Err(Rejection::HeaderRepeated("MCP-Protocol-Version"))
        );
    }

    #[test]
    fn initialize_may_not_hide_in_a_batch() {
        let hidden = r#"[{"jsonrpc":"2.0","id":1,"method":"initi\u0061lize"}]"#;
        assert_eq!(asked(&[], hidden, None), Err(Rejection::InitializeInBatch));
    }
}
