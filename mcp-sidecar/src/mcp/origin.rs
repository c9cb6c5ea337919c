//! Which `Host` and `Origin` may speak to us (basic/transports §Security Warning: DNS rebinding).
//!
//! A page that rebinds its own name to our address sends that name as `Host` and `Origin`. So a name is believed only
//! when an attacker cannot own it. Addresses, `localhost` and names below it (RFC 6761 §6.3) are always such names.
//! * Bound to loopback: nothing else is, unless configured.
//! * Bound elsewhere (a container behind Traefik, whose name the client chose): names without a dot (other
//!   containers) too; once `--allowed-host` or `BASE_DOMAIN` says what we are called, only these; before that any
//!   `Host` goes, because the proxy routes by it.
//!
//! `Origin` is sent by browsers only: loopback, the very host that is addressed, or a configured one.

use std::net::IpAddr;

use super::head::text_of;
use super::rejection::Rejection;

/// What the operator says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginPolicy {
    /// Listening on a loopback address only.
    pub loopback: bool,
    /// Host names without port; `*.example.com` stands for every name below it.
    pub hosts: Vec<String>,
    /// Whole origins such as `https://app.example.com`, or `*`.
    pub origins: Vec<String>,
}

impl OriginPolicy {
    /// `headers` are names in lower case with their values, repeated names repeated. To be asked before any other of
    /// them is looked at: an Origin that is there and not valid MUST be 403 (§Security Warning 1), whatever else is
    /// wrong. A wrong Host is 400 (RFC 9112 §3.2).
    ///
    /// # Errors
    /// [`Rejection::HostNotAllowed`], [`Rejection::OriginNotAllowed`], and for a Host that is given twice or is no text
    /// [`Rejection::HeaderRepeated`], [`Rejection::HeaderUnreadable`]
    pub fn admit<'a>(&self, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<(), Rejection> {
        let (mut host, mut origin) = (None, None);
        for (name, value) in headers {
            let (slot, twice) = match name {
                "host" => (&mut host, Rejection::HeaderRepeated("Host")),
                "origin" => (&mut origin, Rejection::OriginNotAllowed),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(twice);
            }
        }
        let host = text_of(host.ok_or(Rejection::HostNotAllowed)?).ok_or(Rejection::HeaderUnreadable("Host"))?;
        if !self.admits_host(host) {
            return Err(Rejection::HostNotAllowed);
        }
        // An empty one is not none.
        let admitted =
            origin.is_none_or(|origin| text_of(origin).is_some_and(|origin| self.admits_origin(origin, host)));
        if admitted { Ok(()) } else { Err(Rejection::OriginNotAllowed) }
    }

    fn admits_host(&self, host: &str) -> bool {
        let Some(name) = name_of(host) else { return false };
        if is_loopback(&name) || self.lists_host(&name) {
            return true;
        }
        if self.loopback {
            return false;
        }
        name.parse::<IpAddr>().is_ok() || !name.contains('.') || self.hosts.is_empty()
    }

    fn lists_host(&self, name: &str) -> bool {
        self.hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => name.strip_suffix(parent).is_some_and(|left| left.ends_with('.') && left.len() > 1),
            None => name == allowed,
        })
    }

    fn admits_origin(&self, origin: &str, host: &str) -> bool {
        if self.origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        // `null`, `file://` and the like have no authority and are nobody in particular.
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let Some(name) = authority.and_then(name_of) else { return false };
        is_loopback(&name) || name_of(host).is_some_and(|addressed| addressed == name)
    }
}

/// What an operator lists as a host, as [`OriginPolicy::hosts`] has it. `None`: no request can have that name.
#[must_use]
pub fn listed_host(text: &str) -> Option<String> {
    if text.parse::<IpAddr>().is_ok() {
        return Some(text.to_ascii_lowercase());
    }
    let (below, name) = text.strip_prefix("*.").map_or(("", text), |name| ("*.", name));
    // Whatever has a port already cannot get one.
    let name = name_of(&format!("{name}:0")).filter(|name| !name.is_empty() && !name.starts_with('.'))?;
    Some(format!("{below}{name}"))
}

/// What an operator lists as an origin, as browsers write it (RFC 6454 §6.2), which is without the scheme's own port.
/// `None`: no page can have that origin.
#[must_use]
pub fn listed_origin(text: &str) -> Option<String> {
    if ["*", "null", "file://"].contains(&text) {
        return Some(text.to_owned());
    }
    // As it stands in an address bar.
    let origin = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let (scheme, authority) = origin.split_once("://")?;
    let own_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_scheme && name_of(authority).is_some()).then(|| origin.strip_suffix(own_port).unwrap_or(&origin).to_owned())
}

/// The host of an authority, in lower case, without port and brackets. `None` when it is no `host[:port]`.
fn name_of(authority: &str) -> Option<String> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    // Rust would read `+80` too.
    let port_is_fine = port.is_empty() || {
        let digits = port.strip_prefix(':')?;
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    };
    let bracketed = authority.starts_with('[');
    let name_is_fine = if bracketed {
        name.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    (port_is_fine && name_is_fine).then(|| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
}

pub(crate) fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(loopback: bool, hosts: &[&str], origins: &[&str]) -> OriginPolicy {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        OriginPolicy { loopback, hosts: owned(hosts), origins: owned(origins) }
    }

    impl OriginPolicy {
        fn let_in(&self, host: Option<&str>, origin: Option<&str>) -> Result<(), Rejection> {
            let headers = host.map(|host| ("host", host)).into_iter().chain(origin.map(|origin| ("origin", origin)));
            self.admit(headers.map(|(name, value)| (name, value.as_bytes())))
        }
    }

    #[test]
    fn an_origin_that_is_there_and_not_valid_is_not_allowed_however_it_is_wrong() {
        let local = policy(true, &[], &["*"]);
        let with = |origins: &[&'static [u8]]| {
            let origins = origins.iter().map(|&value| ("origin", value));
            local.admit([("host", &b"localhost"[..])].into_iter().chain(origins))
        };
        assert_eq!(with(&[]), Ok(()));
        for origins in [&[&b""[..]][..], &[b" "], &[b"\xff"], &[b"http://localhost", b"http://localhost"]] {
            assert_eq!(with(origins), Err(Rejection::OriginNotAllowed), "{origins:?}");
        }
    }

    #[test]
    fn a_host_that_is_given_twice_or_is_no_text_is_told_so() {
        let local = policy(true, &[], &[]);
        let with = |hosts: &[&'static [u8]]| local.admit(hosts.iter().map(|&value| ("host", value)));
        assert_eq!(with(&[b"localhost", b"localhost"]), Err(Rejection::HeaderRepeated("Host")));
        for host in [&b""[..], b"\xff"] {
            assert_eq!(with(&[host]), Err(Rejection::HeaderUnreadable("Host")), "{host:?}");
        }
    }

    #[test]
    fn bound_to_loopback_only_names_that_nobody_can_own_are_believed() {
        let local = policy(true, &[], &[]);
        for host in ["localhost:3000", "127.0.0.1", "127.1.2.3:80", "[::1]:3000", "time.localhost:8443", "LOCALHOST"] {
            assert_eq!(local.let_in(Some(host), None), Ok(()), "{host}");
        }
        for host in [
            "evil.example.com",
            "localhost.evil.com",
            "localhost:+80",
            "127.0.0.1.evil.com",
            "192.168.1.2",
            ":80",
            "[::2]",
            "localhost:x",
            "localhost:99999",
            "user@localhost",
            "a b",
            "localhost/",
            "[localhost]",
            "evillocalhost",
        ] {
            assert_eq!(local.let_in(Some(host), None), Err(Rejection::HostNotAllowed), "{host}");
        }
        assert_eq!(local.let_in(None, None), Err(Rejection::HostNotAllowed));
    }

    #[test]
    fn a_foreign_origin_is_refused_even_with_an_honest_host() {
        let local = policy(true, &[], &[]);
        for origin in
            ["http://evil.example.com", "null", "file://", "https://localhost.evil.com", "http://localhost@evil.com"]
        {
            assert_eq!(local.let_in(Some("localhost"), Some(origin)), Err(Rejection::OriginNotAllowed), "{origin}");
        }
        assert_eq!(local.let_in(Some("localhost:1"), Some("http://localhost:6274")), Ok(()));
        assert_eq!(local.let_in(Some("localhost:1"), Some("https://[::1]:6274")), Ok(()));
    }

    #[test]
    fn behind_a_proxy_the_public_name_goes_and_a_listed_one_shuts_out_the_rest() {
        let open = policy(false, &[], &[]);
        assert_eq!(open.let_in(Some("time.example.com"), Some("https://time.example.com")), Ok(()));
        assert_eq!(open.let_in(Some("time.example.com"), Some("https://evil.com")), Err(Rejection::OriginNotAllowed));
        let named = policy(false, &["*.example.com"], &["https://app.example.org"]);
        for host in ["time.example.com", "a.b.example.com:443", "mcp-time:3000", "172.18.0.4:3000"] {
            assert_eq!(named.let_in(Some(host), Some("https://app.example.org")), Ok(()), "{host}");
        }
        for host in ["example.com", "evilexample.com", "example.com.evil.org", ".example.com"] {
            assert_eq!(named.let_in(Some(host), None), Err(Rejection::HostNotAllowed), "{host}");
        }
    }

    #[test]
    fn a_star_admits_every_origin() {
        assert_eq!(policy(false, &[], &["*"]).let_in(Some("x.org"), Some("https://any.example")), Ok(()));
    }
}
