//! The HTTPS client for URLs that strangers name: clients' metadata documents and keys.
//!
//! A request forged through us reaches nothing but the public internet: https to a name only, every address of the name
//! globally routable or none is used, and the addresses that were checked are those that are connected to, because the
//! check sits inside the connection's own name resolution. No redirects, no proxy, a limit on size and on time.

mod public_address;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::http::header::HttpDate;
pub(crate) use public_address::is_public;
use reqwest::{
    Certificate, Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect,
};
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::{
    clock,
    oauth::client_id_metadata::{Freshness, lifetime},
    outgoing::Outgoing,
};

/// From the name's resolution to the last byte.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Fetches under way at a time. A server that answers slowly holds one for as long as [`TOTAL_TIMEOUT`].
const MOST_AT_ONCE: usize = 32;

/// Which addresses may be connected to: [`is_public`], except in tests.
pub(crate) type AddressPolicy = fn(IpAddr) -> bool;

pub(crate) struct Fetcher {
    http: Outgoing,
    permits: Semaphore,
    total_timeout: Duration,
}

/// A document, and how long it may be kept.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) body: Vec<u8>,
    pub(crate) lifetime: Duration,
}

/// Why there is no document. Nothing of an answer is in it: what a forged request meets, nobody is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("it is not at an https URL with a host name")]
    NotHttps,
    #[error("its host has an address that is not on the public internet")]
    ForbiddenAddress,
    #[error("its host could not be reached")]
    Unreachable,
    #[error("its host answered with status {0}")]
    Status(u16),
    #[error("its host answered with something that is not JSON")]
    NotJson,
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    #[error("its host took too long")]
    TooSlow,
}

impl FetchError {
    /// The host says that there is nothing, or something else: trying again, or an older copy, would not be right.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::NotHttps | Self::Status(404 | 410))
    }
}

impl Fetcher {
    /// `roots`: trusted besides the system's.
    pub(crate) fn new(policy: AddressPolicy, names: Names, roots: Vec<Certificate>) -> std::io::Result<Self> {
        let http = Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .dns_resolver(Arc::new(Checked { policy, names }))
            // A connection that is kept is a check that is kept: each fetch resolves and checks anew.
            .pool_max_idle_per_host(0)
            // Content delivery networks refuse requests that do not say who asks.
            .user_agent(concat!("mcp-oauth-gateway/", env!("CARGO_PKG_VERSION")));
        let http = roots.into_iter().fold(http, |http, root| http.add_root_certificate(root));
        Ok(Self { http: Outgoing::new(http)?, permits: Semaphore::new(MOST_AT_ONCE), total_timeout: TOTAL_TIMEOUT })
    }

    /// The JSON at `url`, at most `limit` bytes of it.
    pub(crate) async fn json(&self, url: &Url, limit: usize) -> Result<Fetched, FetchError> {
        // An address written as a number would go around the resolution that checks it.
        if url.scheme() != "https" || !matches!(url.host(), Some(Host::Domain(_))) {
            return Err(FetchError::NotHttps);
        }
        let whole = async {
            let _permit = self.permits.acquire().await.map_err(|_| FetchError::Unreachable)?;
            self.exchange(url, limit).await
        };
        tokio::time::timeout(self.total_timeout, whole).await.map_err(|_| FetchError::TooSlow)?
    }

    async fn exchange(&self, url: &Url, limit: usize) -> Result<Fetched, FetchError> {
        let http = self.http.get().map_err(|_| FetchError::Unreachable)?;
        let request = http.get(url.clone()).header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| reason(&error))?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        if !is_json(&response) {
            return Err(FetchError::NotJson);
        }
        let lifetime = lifetime(&freshness(&response, clock::now()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, lifetime })
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("permits", &self.permits.available_permits()).finish_non_exhaustive()
    }
}

#[cfg(test)]
type Script = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// Where names are looked up.
#[derive(Clone)]
pub(crate) enum Names {
    System,
    #[cfg(test)]
    Scripted(Script),
}

impl Names {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 443)).await?.map(|found| found.ip()).collect()),
            #[cfg(test)]
            Self::Scripted(answer) => Ok(answer(name)),
        }
    }
}

/// Name resolution that gives the connection either checked addresses or none.
struct Checked {
    policy: AddressPolicy,
    names: Names,
}

#[derive(Debug, thiserror::Error)]
#[error("an address of the host is not on the public internet")]
struct Forbidden;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, names) = (self.policy, self.names.clone());
        Box::pin(async move {
            let addresses = names.addresses(name.as_str()).await?;
            // All of them: a name that also leads inside has no business here, and connecting tries each in turn.
            if !addresses.iter().all(|address| policy(*address)) {
                return Err(Forbidden.into());
            }
            // Port 0 stands for the URL's.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

fn reason(error: &reqwest::Error) -> FetchError {
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    if causes.any(|cause| cause.is::<Forbidden>()) { FetchError::ForbiddenAddress } else { FetchError::Unreachable }
}

/// `application/json`, or JSON under a name of its own (RFC 6839 §3.1).
fn is_json(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn freshness(response: &Response, now: SystemTime) -> Freshness<'_> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let expires = text(header::EXPIRES).map(|text| {
        // RFC 9111 §5.3: a date that cannot be read is in the past.
        text.parse::<HttpDate>()
            .ok()
            .and_then(|date| SystemTime::from(date).duration_since(now).ok())
            .unwrap_or_default()
    });
    Freshness {
        cache_control: text(header::CACHE_CONTROL),
        age: text(header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0),
        expires_in: expires.map(|left| left.as_secs()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
