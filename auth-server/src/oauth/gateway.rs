//! What this gateway is called: the issuer and its hosts, from configuration, never from a request.

use std::borrow::Cow;

use super::redirect_uri::RedirectUri;

/// The names of this gateway. `issuer` has no trailing slash and is compared byte for byte (RFC 8414 §3.3, RFC 9207 §2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    base_domain: String,
    issuer: String,
}

impl Gateway {
    /// `base_domain`: `example.com`, or `localhost:8443` for demonstrations. `None` when that is not a host.
    pub fn new(base_domain: &str) -> Option<Self> {
        let base_domain = canonical_host(base_domain)?.into_owned();
        let issuer = format!("https://auth.{base_domain}");
        Some(Self { base_domain, issuer })
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether `host`, in its canonical form, is the authorization server's own.
    pub(crate) fn is_issuer(&self, host: &str) -> bool {
        self.issuer.strip_prefix("https://") == Some(host)
    }

    pub fn base_domain(&self) -> &str {
        &self.base_domain
    }

    /// The canonical form of `host` (lower case, no default port) when it is a host of this gateway.
    pub fn host<'a>(&self, host: &'a str) -> Option<Cow<'a, str>> {
        let host = canonical_host(host)?;
        let ours = host == self.base_domain
            || host.strip_suffix(self.base_domain.as_str()).is_some_and(|label| label.ends_with('.'));
        ours.then_some(host)
    }

    /// `path` starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Where a response goes: the client's URI, or for out-of-band clients our own page that shows the code.
    pub(crate) fn response_url(&self, to: &RedirectUri, pairs: &[(&str, &str)]) -> String {
        if !to.is_out_of_band() {
            return to.with(pairs);
        }
        let page = if pairs.iter().any(|(name, _)| *name == "error") { "/error" } else { "/success" };
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{}?{query}", self.url(page))
    }
}

/// Lower case, default port 443 dropped; letters, digits, dots and hyphens only, so it can stand in a header or URL.
/// One that is so already is not copied: `/verify` is asked about one all the time.
pub(crate) fn canonical_host(host: &str) -> Option<Cow<'_, str>> {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let clean = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let whole = name.split('.').all(|label| !label.is_empty());
    if !whole || name.len() > 253 || !name.bytes().all(clean) {
        return None;
    }
    let name = match name.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    };
    match port {
        None | Some("443") => Some(name),
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            port.parse::<u16>().ok().map(|port| Cow::Owned(format!("{name}:{port}")))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_https_without_a_trailing_slash() {
        assert_eq!(Gateway::new("Example.com").unwrap().issuer(), "https://auth.example.com");
        assert_eq!(Gateway::new("localhost:8443").unwrap().issuer(), "https://auth.localhost:8443");
        assert_eq!(Gateway::new("exa mple"), None);
        assert_eq!(Gateway::new(""), None);
    }

    #[test]
    fn only_the_domain_and_what_is_below_it_are_hosts_of_this_gateway() {
        let gateway = Gateway::new("example.com").unwrap();
        assert_eq!(gateway.host("Time.Example.com:443").as_deref(), Some("time.example.com"));
        assert_eq!(gateway.host("example.com").as_deref(), Some("example.com"));
        for foreign in [
            "evilexample.com",
            "example.com.evil",
            "example.com:8443",
            ".example.com",
            "a..example.com",
            "a\r\nb.example.com",
            "x\".example.com",
            "[::1]",
        ] {
            assert_eq!(gateway.host(foreign), None, "{foreign:?}");
        }
        let demo = Gateway::new("localhost:8443").unwrap();
        assert_eq!(demo.host("time.localhost:8443").as_deref(), Some("time.localhost:8443"));
        assert_eq!(demo.host("time.localhost"), None);
    }
}
