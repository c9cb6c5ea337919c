//! Which headers go along when a request is passed on to another replica, and back with its answer. Pure.

use crate::mcp::identity::IdentityHeader;

/// Says that a request has been passed on already, and to which replica: whoever gets it passes it on no further.
pub(crate) const FORWARDED: &str = "mcp-sidecar-forwarded";

/// RFC 9110 §7.6.1: these are between two neighbours. `Content-Length` and `Expect` are, too, once the body was read.
const ONE_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
];
/// No sidecar has a use for these; the fewer places they are seen in, the better.
const SECRET: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];
/// Whose request it is and in which session: a client cannot take these away by naming them in `Connection`.
const DECIDING: [&str; 6] = ["host", "origin", "accept", "content-type", "last-event-id", FORWARDED];

/// The headers for the next hop; names are in lower case.
pub(crate) fn end_to_end<'a>(headers: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    let nominated: Vec<String> = headers
        .iter()
        .filter(|(name, _)| *name == "connection")
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .collect();
    let is_nominated = |name: &str| !decides(name) && nominated.iter().any(|nominated| nominated == name);
    let goes_on = |name: &str| !ONE_HOP.contains(&name) && !SECRET.contains(&name) && !is_nominated(name);
    headers.iter().filter(|(name, _)| goes_on(name)).copied().collect()
}

fn decides(name: &str) -> bool {
    DECIDING.contains(&name) || IdentityHeader::parse(name).is_some() || name.starts_with("mcp-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(headers: &[(&'static str, &'static str)]) -> Vec<&'static str> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        end_to_end(&headers).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn what_is_for_the_neighbour_stays_here_and_the_rest_goes_on() {
        let headers = [
            ("host", "time.example.com"),
            ("connection", "keep-alive, X-Trace"),
            ("keep-alive", "timeout=5"),
            ("x-trace", "1"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("content-length", "7"),
            ("origin", "https://app.example.com"),
            ("x-forwarded-for", "192.0.2.1"),
            ("traceparent", "00-1-2-01"),
        ];
        assert_eq!(passed(&headers), ["host", "origin", "x-forwarded-for", "traceparent"]);
    }

    #[test]
    fn a_client_cannot_take_away_who_it_is_by_calling_that_a_matter_of_the_connection() {
        let names = IdentityHeader::ALL.map(IdentityHeader::as_str).map(str::to_ascii_lowercase);
        for name in names.iter().map(String::as_str).chain(["mcp-session-id", "host"]) {
            let nominated = ["close, ", name].concat();
            let headers = [("connection", nominated.as_bytes()), (name, &b"x"[..])];
            assert_eq!(end_to_end(&headers), [headers[1]]);
        }
    }

    #[test]
    fn a_bearer_token_or_a_cookie_is_not_spread() {
        assert_eq!(passed(&[("authorization", "Bearer x"), ("cookie", "a=b"), ("accept", "*/*")]), ["accept"]);
    }
}
