//! Redirect URIs: what is accepted goes where it says, and matches nothing that goes elsewhere.

use auth_server::oauth::redirect_uri::RedirectUri;
use url::Url;

/// Two lines: what a client registered, what it asks for.
pub fn redirect_uri(bytes: &[u8]) {
    let Some([registered, requested]) = crate::lines(bytes) else { return };
    let (registered, requested) = (checked(registered), checked(requested));
    if let (Some(registered), Some(requested)) = (registered, requested) {
        assert_eq!(registered.matches(&requested), requested.matches(&registered));
        if registered.matches(&requested) && registered != requested {
            // RFC 8252 §7.3: only the port, and only on this machine.
            let [ours, theirs] =
                [&registered, &requested].map(|uri| Url::parse(uri.as_str()).expect("it was accepted"));
            assert!(registered.is_loopback() && requested.is_loopback());
            assert_eq!(ours.host(), theirs.host());
            assert_eq!((ours.path(), ours.query()), (theirs.path(), theirs.query()));
        }
    }
}

fn checked(text: &str) -> Option<RedirectUri> {
    let uri = RedirectUri::parse(text).ok()?;
    assert_eq!(uri.as_str(), text);
    assert!(uri.matches(&uri));
    let url = Url::parse(text).expect("what is accepted is a URL");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{text}");
    assert!(!matches!(url.scheme(), "javascript" | "data" | "vbscript" | "file" | "blob" | "about"), "{text}");
    if url.scheme() == "http" {
        assert!(matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")), "{text}");
    }
    let location = uri.with(&[("code", "a&b=c#d\r\n"), ("state", "\u{e9}")]);
    assert!(location.starts_with(text) && !location.contains(['\r', '\n']));
    let there = Url::parse(&location).expect("a location is a URL");
    assert_eq!((there.scheme(), there.host(), there.port()), (url.scheme(), url.host(), url.port()));
    assert!(there.query_pairs().any(|(name, value)| name == "code" && value == "a&b=c#d\r\n"), "{location}");
    Some(uri)
}
