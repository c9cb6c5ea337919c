//! The request that Traefik asks about, from its `X-Forwarded-*` headers.

use std::borrow::Cow;

use super::gateway::Gateway;

const MAX_URI: usize = 16 * 1024;

/// The headers as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forwarded<'a> {
    /// `X-Forwarded-Method`
    pub method: Option<&'a str>,
    /// `X-Forwarded-Host`
    pub host: Option<&'a str>,
    /// `X-Forwarded-Uri`: path and query.
    pub uri: Option<&'a str>,
}

/// A request on a host of this gateway. The host is canonical; the path is as sent, without query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedRequest<'a> {
    method: &'a str,
    host: Cow<'a, str>,
    path: &'a str,
}

/// The headers are missing, malformed, or name a host that is not ours. Not the client's token's fault: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("X-Forwarded-Method, -Host and -Uri do not describe a request to this gateway")]
pub struct NotForwarded;

impl<'a> ForwardedRequest<'a> {
    pub fn parse(headers: &Forwarded<'a>, gateway: &Gateway) -> Result<Self, NotForwarded> {
        let (Some(method), Some(host), Some(uri)) = (headers.method, headers.host, headers.uri) else {
            return Err(NotForwarded);
        };
        let host = gateway.host(host).ok_or(NotForwarded)?;
        let is_method = !method.is_empty() && method.len() <= 32 && method.bytes().all(|b| b.is_ascii_alphabetic());
        let visible = uri.starts_with('/') && uri.len() <= MAX_URI && uri.bytes().all(|b| b.is_ascii_graphic());
        if !is_method || !visible {
            return Err(NotForwarded);
        }
        let path = uri.split(['?', '#']).next().unwrap_or_default();
        Ok(Self { method, host, path })
    }

    pub fn method(&self) -> &str {
        self.method
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn path(&self) -> &str {
        self.path
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::fixtures::gateway;

    fn parse<'a>(host: &'a str, uri: &'a str) -> Result<ForwardedRequest<'a>, NotForwarded> {
        ForwardedRequest::parse(&Forwarded { method: Some("POST"), host: Some(host), uri: Some(uri) }, &gateway())
    }

    #[test]
    fn host_is_canonical_and_the_query_is_dropped() {
        let request = parse("Time.example.com:443", "/mcp?token=x").unwrap();
        assert_eq!((request.method(), request.host(), request.path()), ("POST", "time.example.com", "/mcp"));
    }

    #[test]
    fn a_forged_or_malformed_forward_is_refused() {
        for (host, uri) in [
            ("evil.example", "/mcp"),
            ("time.example.com, evil.example", "/mcp"),
            ("time.example.com\r\nx: y", "/mcp"),
            ("time.example.com", "mcp"),
            ("time.example.com", "https://evil.example/mcp"),
            ("time.example.com", "/mcp\r\nX-User-Id: 1"),
            ("time.example.com", ""),
        ] {
            assert_eq!(parse(host, uri), Err(NotForwarded), "{host:?} {uri:?}");
        }
        assert_eq!(ForwardedRequest::parse(&Forwarded::default(), &gateway()), Err(NotForwarded));
    }

    proptest! {
        #[test]
        fn what_is_read_is_on_this_gateway_and_fits_in_a_log_line(host in "(time[.:])?(example.com)?\\PC{0,8}", uri in "/?\\PC{0,20}") {
            if let Ok(request) = parse(&host, &uri) {
                prop_assert!(request.host() == "example.com" || request.host().ends_with(".example.com"));
                prop_assert!(request.path().starts_with('/') && uri.starts_with(request.path()));
                prop_assert!(request.path().bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#'));
            }
        }
    }
}
