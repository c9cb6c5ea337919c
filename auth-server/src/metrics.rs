//! Every metric, declared once, for Prometheus (OpenMetrics 1.0 text). docs/operations.md has them as a table.
//!
//! One registry for the process, as there is one log: what counts is deep in places that know nothing of each other.
//! What `/verify` counts is a relaxed addition to a counter that is there already.

mod labels;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

pub(crate) use labels::{
    AuthorizationOutcome, Counts, GrantType, Label, RegistrationOutcome, TokenOutcome, VerifyOutcome,
};
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

use crate::{clock, logging::DROPPED};

/// What the text is (OpenMetrics 1.0 §4.1); Prometheus understands it.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

type Tokens = Family<[(&'static str, &'static str); 2], Counter>;
type GitHub = Family<[(&'static str, &'static str); 1], Histogram>;
type Requests = Family<[(&'static str, String); 3], Histogram>;

#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) verify: Counts<VerifyOutcome>,
    pub(crate) verify_cache_hits: Counter,
    pub(crate) verify_cache_misses: Counter,
    pub(crate) authorizations: Counts<AuthorizationOutcome>,
    pub(crate) registrations: Counts<RegistrationOutcome>,
    pub(crate) revocations: Counter,
    pub(crate) refresh_reuse: Counter,
    pub(crate) code_reuse: Counter,
    pub(crate) store_errors: Counter,
    tokens: Tokens,
    github: GitHub,
    requests: Requests,
    registry: Registry,
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::default();
        process(&mut registry);
        registry.register("auth_log_lines_dropped", "Lines of the log that were not written", DROPPED.clone());
        let r = &mut registry;
        Self {
            verify: Counts::register(r, "auth_verify_requests", "Answers of /verify"),
            verify_cache_hits: counter(r, "auth_verify_cache_hits", "Tokens that were known"),
            verify_cache_misses: counter(r, "auth_verify_cache_misses", "Tokens that had to be checked in full"),
            authorizations: Counts::register(r, "auth_authorizations", "Authorization requests that came to an end"),
            registrations: Counts::register(r, "auth_registrations", "Client registrations (RFC 7591, RFC 7592)"),
            revocations: counter(r, "auth_revocations", "Revocation requests that revoked something (RFC 7009)"),
            refresh_reuse: counter(r, "auth_refresh_reuse", "Security: spent refresh tokens that came back"),
            code_reuse: counter(r, "auth_code_reuse", "Security: spent authorization codes that came back"),
            store_errors: counter(r, "auth_store_errors", "Requests that failed because the store was unavailable"),
            tokens: tokens(r),
            github: github(r),
            requests: requests(r),
            registry,
        }
    }

    pub(crate) fn token_request(&self, grant_type: GrantType, outcome: TokenOutcome) {
        self.tokens.get_or_create(&token_labels(grant_type, outcome)).inc();
    }

    /// `since`: when the request to GitHub was sent.
    pub(crate) fn github_request(&self, answered: bool, since: Instant) {
        self.github.get_or_create(&github_labels(answered)).observe(since.elapsed().as_secs_f64());
    }

    /// `route`: the pattern from the route table, never the path.
    pub(crate) fn http_request(&self, method: &str, route: Option<String>, status: u16, took: Duration) {
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("other");
        let route = route.unwrap_or_else(|| "none".to_owned());
        let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// For the scraper. Errors: none that a `String` could make.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn tokens(registry: &mut Registry) -> Tokens {
    let tokens = Tokens::default();
    for grant_type in GrantType::ALL {
        for outcome in TokenOutcome::ALL {
            drop(tokens.get_or_create(&token_labels(*grant_type, *outcome)));
        }
    }
    registry.register("auth_token_requests", "Token requests", tokens.clone());
    tokens
}

fn token_labels(grant_type: GrantType, outcome: TokenOutcome) -> [(&'static str, &'static str); 2] {
    [("grant_type", grant_type.name()), ("outcome", outcome.name())]
}

fn github(registry: &mut Registry) -> GitHub {
    let github = GitHub::new_with_constructor(histogram);
    for answered in [true, false] {
        drop(github.get_or_create(&github_labels(answered)));
    }
    registry.register("auth_github_requests_seconds", "Requests to GitHub", github.clone());
    github
}

fn github_labels(answered: bool) -> [(&'static str, &'static str); 1] {
    [("outcome", if answered { "answered" } else { "failed" })]
}

fn requests(registry: &mut Registry) -> Requests {
    let requests = Requests::new_with_constructor(histogram);
    registry.register("auth_http_requests_seconds", "Requests other than /verify", requests.clone());
    requests
}

/// From what an embedded store needs to what GitHub may take.
fn histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

fn process(registry: &mut Registry) {
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("auth_build", "What runs", version);
    let started = Gauge::<i64, std::sync::atomic::AtomicI64>::default();
    started.set(i64::try_from(clock::unix(clock::now())).unwrap_or_default());
    registry.register("process_start_time_seconds", "When it started, since the Unix epoch", started);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../docs/operations.md");

    /// Rows of the page's table of metrics: name, the rest.
    fn documented() -> impl Iterator<Item = (&'static str, &'static str)> {
        let (_, section) = PAGE.split_once("## Numbers").unwrap();
        let section = section.split("\n## ").next().unwrap();
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
    }

    #[test]
    fn the_page_has_every_metric_and_no_other() {
        METRICS.http_request("GET", None, 404, Duration::ZERO);
        let text = METRICS.text().unwrap();
        let declared = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let declared = declared.map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        });
        assert_eq!(declared.collect::<BTreeSet<_>>(), documented().map(|(name, _)| name.to_owned()).collect());
    }

    #[test]
    fn the_page_has_every_value_of_every_label() {
        fn is_documented<L: Label>(metric: &str) {
            let (_, row) = documented().find(|(name, _)| *name == metric).unwrap();
            let words: BTreeSet<_> = row.split([' ', ',', ';', '|']).collect();
            for label in L::ALL {
                assert!(words.contains(label.name()), "{metric} {}", label.name());
            }
        }
        is_documented::<VerifyOutcome>("auth_verify_requests_total");
        is_documented::<GrantType>("auth_token_requests_total");
        is_documented::<TokenOutcome>("auth_token_requests_total");
        is_documented::<AuthorizationOutcome>("auth_authorizations_total");
        is_documented::<RegistrationOutcome>("auth_registrations_total");
    }
}
