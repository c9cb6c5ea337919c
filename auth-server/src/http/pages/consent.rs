//! The consent page: who asks, for what, and where the answer goes, in words that a person can check.

use askama::Template;
use url::{Host, Url};

use crate::oauth::authorization::AuthorizationRequest;

#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) style: &'static str,
    pub(crate) domain: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) services: Vec<&'a str>,
    pub(crate) scopes: Vec<AskedScope<'a>>,
    pub(crate) destination: Destination,
    pub(crate) state: &'a str,
}

/// A scope token and what it means to a person.
pub(crate) struct AskedScope<'a> {
    token: &'a str,
    meaning: String,
}

/// Where the browser goes with the answer; the host is what a person can recognise, so it is shown plainly.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    host: String,
    explanation: &'static str,
    loopback: bool,
}

impl<'a> ConsentPage<'a> {
    pub(crate) fn new(
        domain: &'a str,
        client_name: &'a str,
        request: &'a AuthorizationRequest,
        state: &'a str,
    ) -> Self {
        Self {
            style: super::STYLE,
            domain,
            client_name,
            services: request.resource.iter().map(|resource| resource.as_str()).collect(),
            scopes: request.scope.iter().map(AskedScope::new).collect(),
            destination: Destination::of(request.redirect_uri.as_str()),
            state,
        }
    }
}

impl<'a> AskedScope<'a> {
    fn new(token: &'a str) -> Self {
        let meaning = match token {
            "openid" => "Know that it is you".to_owned(),
            "profile" => "See your GitHub name and login".to_owned(),
            "email" => "See your e-mail address, if it is public on GitHub".to_owned(),
            "offline_access" => "Stay connected without asking you again".to_owned(),
            other => match other.strip_prefix("mcp:") {
                Some(service) => format!("Use the service {service}"),
                None => "A permission of its own".to_owned(),
            },
        };
        Self { token, meaning }
    }
}

impl Destination {
    fn of(redirect_uri: &str) -> Self {
        if redirect_uri.starts_with("urn:") {
            let explanation = "A page here shows you a code to copy into the application.";
            return Self { host: "This gateway".to_owned(), explanation, loopback: false };
        }
        let Ok(url) = Url::parse(redirect_uri) else {
            return Self { host: redirect_uri.to_owned(), explanation: "", loopback: false };
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        match url.host() {
            Some(host) if matches!(url.scheme(), "http" | "https") => {
                let loopback = is_loopback(&host);
                let explanation = if loopback { "A program on this computer." } else { "A website." };
                Self { host: format!("{host}{port}"), explanation, loopback }
            }
            _ => {
                let explanation = "The app on this device that opens such links.";
                Self { host: format!("{}://", url.scheme()), explanation, loopback: false }
            }
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_destination_is_said_to_be_one() {
        for uri in ["http://127.0.0.1:33418/cb", "http://localhost/cb", "http://[::1]:9/cb"] {
            assert!(Destination::of(uri).loopback, "{uri}");
        }
        assert_eq!(Destination::of("http://127.0.0.1:33418/cb").host, "127.0.0.1:33418");
    }

    #[test]
    fn the_host_is_shown_and_not_what_a_path_or_userinfo_pretends() {
        assert_eq!(Destination::of("https://claude.ai@evil.example/claude.ai").host, "evil.example");
        assert_eq!(Destination::of("cursor://anysphere.cursor/cb").host, "cursor://");
    }

    #[test]
    fn an_international_look_alike_is_shown_in_ascii() {
        assert_eq!(Destination::of("https://сlaude.ai/cb").host, "xn--laude-0ye.ai");
    }
}
