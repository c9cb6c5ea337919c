//! Success, error, and what a browser sees that opens an MCP address.

use askama::Template;

#[derive(Template)]
#[template(path = "success.html")]
pub(crate) struct SuccessPage<'a> {
    style: &'static str,
    domain: &'a str,
    code: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage<'a> {
    style: &'static str,
    domain: &'a str,
    heading: &'a str,
    explanation: &'a str,
    details: Vec<(&'static str, &'a str)>,
    advice: &'a str,
}

#[derive(Template)]
#[template(path = "unauthorized.html")]
pub(crate) struct UnauthorizedPage<'a> {
    style: &'static str,
    domain: &'a str,
    /// The MCP server's URL, when the request came for one.
    server: Option<&'a str>,
}

impl<'a> SuccessPage<'a> {
    pub(crate) fn new(domain: &'a str, code: Option<&'a str>) -> Self {
        Self { style: super::STYLE, domain, code }
    }
}

impl<'a> ErrorPage<'a> {
    pub(crate) fn new(domain: &'a str, heading: &'a str, explanation: &'a str) -> Self {
        let advice = "Go back to your application and start again. Nothing was allowed.";
        Self { style: super::STYLE, domain, heading, explanation, details: Vec::new(), advice }
    }

    pub(crate) fn detail(mut self, name: &'static str, value: &'a str) -> Self {
        self.details.push((name, value));
        self
    }

    pub(crate) fn advice(mut self, advice: &'a str) -> Self {
        self.advice = advice;
        self
    }
}

impl<'a> UnauthorizedPage<'a> {
    pub(crate) fn new(domain: &'a str, server: Option<&'a str>) -> Self {
        Self { style: super::STYLE, domain, server }
    }
}
