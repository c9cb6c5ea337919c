//! Requests as a client on the internet makes them: no redirects followed, certificates checked, bounded waits.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};

use super::Finding;

const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer that is looked at.
const MOST_BYTES: usize = 256 * 1024;
/// Tokens are refused by services whose clocks differ by more.
const SKEW: Duration = Duration::from_secs(30);

pub(super) struct Web {
    client: Client,
}

/// An answer, as far as it matters.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Web {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder().redirect(Policy::none()).timeout(PATIENCE).dns_resolver(Arc::new(Names));
        let agent = concat!("mcp-oauth-gateway-doctor/", env!("CARGO_PKG_VERSION"));
        client.user_agent(agent).build().map(|client| Self { client })
    }

    pub(super) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.ask(Method::GET, url, &[]).await
    }

    /// The error is a sentence with its causes: «certificate has expired» is what helps.
    pub(super) async fn ask(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        let request = self.client.request(method, url).header(header::ACCEPT, "application/json, text/event-stream");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request).await
    }

    pub(super) async fn post_as(
        &self,
        url: &str,
        (user, password): (&str, &str),
        body: String,
    ) -> Result<Answer, String> {
        let request = self.client.post(url).basic_auth(user, Some(password));
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, String> {
        let answer = request.send().await.map_err(|fault| causes(&fault))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = body(answer).await.map_err(|fault| causes(&fault))?;
        Ok(Answer { status, headers, body })
    }
}

async fn body(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(more) = answer.chunk().await? {
        body.extend_from_slice(&more);
        if body.len() > MOST_BYTES {
            break;
        }
    }
    Ok(body)
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// RFC 9110 §6.6.1. `None`: no `Date`, or one that cannot be read.
    pub(super) fn clock(&self, whose: &str, now: SystemTime) -> Option<Finding> {
        let date: actix_web::http::header::HttpDate = self.header("date")?.parse().ok()?;
        let theirs = SystemTime::from(date);
        let apart = now.duration_since(theirs).unwrap_or_else(|fault| fault.duration());
        let seen = format!("{} s from {whose}", apart.as_secs());
        let advice = "set this machine's clock: timedatectl set-ntp true";
        Some(Finding::judge("clock", apart <= SKEW, seen, advice))
    }
}

fn causes(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

/// The system's names; and those below `localhost`, which are this machine (RFC 6761 §6.3) though not every resolver
/// knows: the demo is there.
struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            if name.as_str() == "localhost" || name.as_str().ends_with(".localhost") {
                let here: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
                return Ok(here);
            }
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
