//! Resource indicators: a token for one reaches nothing beside it, however the path is written.

use auth_server::oauth::resource::Resource;
use url::Url;

use crate::service::{GATEWAY, JWT, claims, decide, forwarded};

/// Three lines: the resource a client asks for, and host and URI of a request with its token.
pub fn resource(bytes: &[u8]) {
    let Some([indicator, host, uri]) = crate::lines(bytes) else { return };
    let Ok(resource) = Resource::parse(indicator, &GATEWAY) else { return };
    assert_eq!(Resource::parse(resource.as_str(), &GATEWAY).as_ref(), Ok(&resource), "the canonical form is stable");
    let audience = Url::parse(resource.as_str()).expect("a resource is a URL");
    let domain = audience.host_str().expect("with a host");
    assert!(domain == "example.com" || domain.ends_with(".example.com"), "{resource:?}");

    let Some(request) = forwarded("POST", host, uri) else { return };
    let token = JWT.sign(&claims(resource.as_str())).expect("signed");
    decide(&token, &request, |_permit| {
        assert!(audience.port().is_none() && request.host() == domain, "{resource:?} {request:?}");
        // What a server makes of the path that resolves dot segments and escapes (WHATWG URL §4.4).
        let reached = Url::parse(&format!("https://{}{}", request.host(), request.path())).expect("a request's URL");
        let prefix = audience.path().trim_end_matches('/');
        let below = reached.path().strip_prefix(prefix).expect("below the resource");
        assert!(below.is_empty() || below.starts_with('/'), "{resource:?} {request:?}");
    });
}
