//! Request headers: whoever the gateway in front says it is, and nobody else; only hosts that an attacker cannot own.

use mcp_sidecar::mcp::{
    head::{Named, RequestHead},
    origin::OriginPolicy,
    session_id::Owner,
};
use url::{Host, Url};

/// Headers of which two values would mean two different requests.
const DECIDING: [&str; 5] = ["content-type", "mcp-session-id", "last-event-id", "x-user-id", "content-length"];

/// A header a line, as HTTP/1.1 writes it; values may be any bytes.
pub fn head(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n').filter_map(header).collect::<Vec<_>>();
    let headers = || lines.iter().map(|(name, value)| (name.as_str(), *value));
    let given = |wanted: &'static str| headers().filter(move |(name, _)| *name == wanted).map(|(_, value)| value);
    origin(headers);
    let Ok(head) = RequestHead::parse(headers()) else { return };
    for name in DECIDING {
        assert!(given(name).count() <= 1, "{name} was given twice");
    }
    // Whether that is refused, and how, depends on the era that the body claims.
    assert_eq!(given("mcp-protocol-version").count() > 1, head.version == Named::Repeated);
    let user = given("x-user-id").next().map(|value| std::str::from_utf8(value).expect("it was read").trim());
    assert_eq!(head.owner, user.map_or_else(Owner::nobody, Owner::user));
    assert_eq!(head.owner.is_somebody(), user.is_some());
    assert!(user != Some(""), "nobody has no name");
}

fn origin<'a, I: Iterator<Item = (&'a str, &'a [u8])>>(headers: impl Fn() -> I) {
    let the_one = |wanted: &str| {
        let mut values = headers().filter(|(name, _)| *name == wanted).map(|(_, value)| value);
        let value = values.next().map(|value| std::str::from_utf8(value).expect("it was read").trim());
        assert_eq!(values.next(), None, "{wanted} was given twice");
        value
    };
    let local = OriginPolicy { loopback: true, ..OriginPolicy::default() };
    if local.admit(headers()).is_ok() {
        let (host, origin) = (the_one("host").expect("a host was admitted"), the_one("origin"));
        assert!(is_here(&format!("http://{host}/")), "{host}");
        assert!(origin.is_none_or(is_here), "{origin:?}");
    }
    let named = OriginPolicy { hosts: vec!["*.example.com".into()], ..OriginPolicy::default() };
    if named.admit(headers().filter(|(name, _)| *name == "host")).is_ok() {
        let url = Url::parse(&format!("http://{}/", the_one("host").expect("a host was admitted")));
        // What is no URL leads no browser here.
        assert!(url.is_err() || url.is_ok_and(|url| url.domain().is_none_or(is_ours)));
    }
}

pub(crate) fn header(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    Some((name.to_ascii_lowercase(), &line[colon + 1..]))
}

/// As a browser sees it: a page on this machine.
fn is_here(url: &str) -> bool {
    match Url::parse(url).as_ref().map(Url::host) {
        Ok(Some(Host::Ipv4(ip))) => ip.is_loopback(),
        Ok(Some(Host::Ipv6(ip))) => ip.is_loopback(),
        Ok(Some(Host::Domain(name))) => is_local_name(name),
        _ => false,
    }
}

/// A name that the policy lists, or that nobody can own: without a dot, or of this machine.
fn is_ours(name: &str) -> bool {
    let bare = name.trim_end_matches('.');
    !bare.contains('.') || bare.ends_with(".example.com") || is_local_name(bare)
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}
