//! Where a replica can be reached by the others: `host:port`, as given or as another replica says of itself.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The longest host name there can be (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

/// Checked: fits into a URL without being able to say anything else in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    authority: Box<str>,
}

impl Address {
    /// `host:port`, or the same as `http://host:port/`. `None`: anything else; no TLS, path or user is spoken of here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let authority = text.strip_prefix("http://").unwrap_or(text);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = authority.rsplit_once(':')?;
        let port_is_fine =
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
        (port_is_fine && is_host(host)).then(|| Self { authority: authority.into() })
    }

    pub fn as_str(&self) -> &str {
        &self.authority
    }

    /// Without port and brackets.
    pub(super) fn host(&self) -> &str {
        let host = self.authority.rsplit_once(':').map_or(&*self.authority, |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.len() <= MAX_NAME && host.bytes().all(plain)
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        // An address within a link needs a zone, which no URL can name.
        let addr = match addr.ip() {
            IpAddr::V6(ip) => SocketAddr::from((ip, addr.port())),
            IpAddr::V4(_) => addr,
        };
        Self { authority: addr.to_string().into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_an_address_with_or_without_the_scheme() {
        for (text, authority) in [
            ("10.0.0.7:3000", "10.0.0.7:3000"),
            ("http://time-1.mcp.svc:80/", "time-1.mcp.svc:80"),
            ("[fd00::1]:3000", "[fd00::1]:3000"),
            ("mcp_time-2:3000", "mcp_time-2:3000"),
        ] {
            assert_eq!(Address::parse(text).unwrap().as_str(), authority);
        }
        let local: SocketAddr = "[::1]:3000".parse().unwrap();
        assert_eq!(Address::from(local), Address::parse("[::1]:3000").unwrap());
    }

    #[test]
    fn nothing_else_can_be_smuggled_into_the_url() {
        let long = format!("{}:1", "a".repeat(MAX_NAME + 1));
        for text in [
            "",
            "time",
            ":3000",
            "time:",
            "time:0",
            "time:99999",
            "time:+1",
            "https://time:443",
            "http://time:80/x",
            "user@time:80",
            "time:80/..",
            "time:80?x",
            "time:80#x",
            "ti me:80",
            "[fd00::g]:1",
            "fd00::1",
            "a\r\nb:1",
            &long,
        ] {
            assert_eq!(Address::parse(text), None, "{text:?}");
        }
    }
}
