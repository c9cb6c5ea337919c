//! Answers of the identity provider, read up to a limit: a hostile or broken one cannot fill the memory.

use std::time::Instant;

use reqwest::{Request, Response};

use super::IdentityError;
use crate::{metrics::METRICS, outgoing::Outgoing};

/// GitHub's `/user` is about 2 kB.
const MAX_BODY: usize = 256 * 1024;

pub(super) async fn send(http: &Outgoing, request: Request) -> Result<(Response, Vec<u8>), IdentityError> {
    let begun = Instant::now();
    let answer = exchange(http, request).await;
    METRICS.github_request(answer.is_ok(), begun);
    answer
}

async fn exchange(http: &Outgoing, request: Request) -> Result<(Response, Vec<u8>), IdentityError> {
    // `without_url`: the URL is configuration, and a log line needs no query string.
    let failed = |error: reqwest::Error| IdentityError::ProviderFailed(describe(&error.without_url()));
    let http = http.get().map_err(|fault| IdentityError::ProviderFailed(fault.to_string()))?;
    let mut response = http.execute(request).await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(IdentityError::ProviderFailed(format!("answer of more than {MAX_BODY} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response, body))
}

/// reqwest keeps the interesting half («connection refused», «timed out») in the sources.
fn describe(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
