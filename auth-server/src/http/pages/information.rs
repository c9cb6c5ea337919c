//! `/docs`, `/policy`, `/terms`: short and true, since they are made from the configuration in force.

use std::time::Duration;

use askama::Template;

use super::words;
use crate::{
    config::Lifetimes,
    oauth::{consent, gateway::Gateway, people::People, scope::Scope},
};

#[derive(Template)]
#[template(path = "docs.html")]
pub(crate) struct DocsPage<'a> {
    style: &'static str,
    domain: &'a str,
    issuer: &'a str,
    scopes: Vec<(&'a str, String)>,
    access: String,
    refresh: String,
    code: String,
    client: Option<String>,
}

#[derive(Template)]
#[template(path = "policy.html")]
pub(crate) struct PolicyPage<'a> {
    style: &'static str,
    domain: &'a str,
    access: String,
    refresh: String,
    code: String,
    pending: String,
    remembered: String,
    client: Option<String>,
}

#[derive(Template)]
#[template(path = "terms.html")]
pub(crate) struct TermsPage<'a> {
    style: &'static str,
    domain: &'a str,
    open_to_all: bool,
}

impl<'a> DocsPage<'a> {
    pub(crate) fn new(gateway: &'a Gateway, scopes: &'a Scope, lifetimes: &Lifetimes) -> Self {
        Self {
            style: super::STYLE,
            domain: gateway.base_domain(),
            issuer: gateway.issuer(),
            scopes: scopes.iter().map(|token| (token, words::scope(token))).collect(),
            access: words::duration(lifetimes.access_token),
            refresh: words::duration(lifetimes.refresh_token),
            code: words::duration(lifetimes.code),
            client: lifetimes.client.map(words::duration),
        }
    }
}

impl<'a> PolicyPage<'a> {
    pub(crate) fn new(domain: &'a str, lifetimes: &Lifetimes) -> Self {
        Self {
            style: super::STYLE,
            domain,
            access: words::duration(lifetimes.access_token),
            refresh: words::duration(lifetimes.refresh_token),
            code: words::duration(lifetimes.code),
            pending: words::duration(lifetimes.pending),
            remembered: words::duration(Duration::from_secs(consent::LIFETIME)),
            client: lifetimes.client.map(words::duration),
        }
    }
}

impl<'a> TermsPage<'a> {
    pub(crate) fn new(domain: &'a str, allowed: &People) -> Self {
        Self { style: super::STYLE, domain, open_to_all: *allowed == People::Anyone }
    }
}
