//! The consent page: who asks, for what, and where the answer goes, in words that a person can check.

use askama::Template;

use super::words;
use crate::oauth::{
    authorization::AuthorizationRequest, client_id_metadata, consent, gateway::Gateway, redirect_uri::RedirectUri,
    resource::Resource,
};

#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) style: &'static str,
    pub(crate) domain: &'a str,
    pub(crate) client_name: &'a str,
    /// Of a client that describes itself: the domain that vouches for its name, and nobody else.
    pub(crate) client_domain: Option<String>,
    pub(crate) services: Vec<AskedService<'a>>,
    pub(crate) scopes: Vec<AskedScope<'a>>,
    pub(crate) destination: Destination,
    /// Days for which this browser remembers an approval; `None`: it never does for such a client.
    pub(crate) remembered_days: Option<u64>,
    pub(crate) state: &'a str,
}

/// A service: what it does, and where it is.
pub(crate) struct AskedService<'a> {
    meaning: String,
    url: &'a str,
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
        gateway: &'a Gateway,
        client_name: &'a str,
        request: &'a AuthorizationRequest,
        scopes: Vec<&'a str>,
        state: &'a str,
    ) -> Self {
        Self {
            style: super::STYLE,
            domain: gateway.base_domain(),
            client_name,
            client_domain: client_id_metadata::domain(&request.client_id),
            services: request.resource.iter().map(|resource| AskedService::new(resource, gateway)).collect(),
            scopes: scopes.into_iter().map(AskedScope::new).collect(),
            destination: Destination::of(&request.redirect_uri),
            remembered_days: consent::may_be_remembered(&request.redirect_uri).then_some(consent::LIFETIME / 86_400),
            state,
        }
    }
}

impl<'a> AskedService<'a> {
    fn new(resource: &'a Resource, gateway: &Gateway) -> Self {
        let meaning = match resource.service(gateway) {
            Some(name) => format!("{name}: {}", words::service(name)),
            None => words::service("").to_owned(),
        };
        Self { meaning, url: resource.as_str() }
    }
}

impl<'a> AskedScope<'a> {
    fn new(token: &'a str) -> Self {
        Self { token, meaning: words::scope(token) }
    }
}

impl Destination {
    fn of(uri: &RedirectUri) -> Self {
        let (host, loopback) = (uri.display_host(), uri.is_loopback());
        let explanation = match host.as_str() {
            _ if uri.is_out_of_band() => "A page of this gateway shows you a code to copy into the application.",
            _ if loopback => "A program on this computer.",
            app if app.ends_with(':') => "The app on this device that opens such links.",
            _ => "A website.",
        };
        let host = if uri.is_out_of_band() { "No other site".to_owned() } else { host };
        Self { host, explanation, loopback }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(uri: &str) -> Destination {
        Destination::of(&RedirectUri::parse(uri).unwrap())
    }

    #[test]
    fn a_loopback_destination_is_said_to_be_one() {
        for uri in ["http://127.0.0.1:33418/cb", "http://localhost/cb", "http://[::1]:9/cb"] {
            assert!(destination(uri).loopback, "{uri}");
        }
    }

    #[test]
    fn the_host_is_shown_and_not_what_a_path_pretends() {
        assert_eq!(destination("https://evil.example/claude.ai").host, "evil.example");
        assert_eq!(
            destination("cursor://anysphere.cursor/cb").explanation,
            "The app on this device that opens such links."
        );
    }
}
