//! `/verify`: nobody passes without a token that we have signed, and only to what it is for.

use crate::service::{JWT, claims, decide, forwarded};

/// The one good token, for `https://time.example.com/mcp`; Ed25519 signs the same bytes the same way.
pub const GENUINE: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjNZWnhCSjEyak8zbl9tWHRfcS1qX1otVEZQMXZ0LU5pSTNPQ2Yt\
    ZkVuSFEifQ.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20iLCJzdWIiOiI0MiIsImF1ZCI6WyJodHRwczovL3RpbWUuZ\
    XhhbXBsZS5jb20vbWNwIl0sImNsaWVudF9pZCI6ImNsaWVudF8xIiwic2NvcGUiOiJvcGVuaWQiLCJqdGkiOiJqdGkiLCJpYXQiO\
    jE4MDAwMDAwMDAsImV4cCI6MTgwMDAwMzYwMCwidXNlcm5hbWUiOiJvY3RvY2F0In0.pr1HIp6OMfSkRzMRnBc2wc87gnV8LJPX4\
    uIW0YT2xuadSopsbwjtuGUnE7u_VykwbBd7aiw2FMfe8jcdKRJHCg";

/// What signs [`GENUINE`].
pub fn genuine() -> String {
    JWT.sign(&claims("https://time.example.com/mcp")).expect("signed")
}

/// Four lines, as the headers have them: method, host, URI, bearer token.
pub fn verify_headers(bytes: &[u8]) {
    let Some([method, host, uri, bearer]) = crate::lines(bytes) else { return };
    let Some(request) = forwarded(method, host, uri) else { return };
    assert!(request.host().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b)));
    assert!(request.path().starts_with('/') && request.path().bytes().all(|b| b.is_ascii_graphic()));
    decide(bearer, &request, |permit| {
        assert_eq!(bearer, GENUINE, "a token that was not signed here");
        assert_eq!((permit.user_id().as_str(), permit.user_name()), ("42", "octocat"));
        assert_eq!(request.host(), "time.example.com");
        assert!(request.path() == "/mcp" || request.path().starts_with("/mcp/"), "{request:?}");
    });
}
