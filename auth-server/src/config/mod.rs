//! Environment → [`Config`]: checked once, every fault reported at once, names as the Python service has them.
//!
//! Defaults are safe ones. Only the domain, the GitHub pair and who may log in have none.

mod access;
mod clients;
mod environment;
mod github;
mod lifetimes;
mod logging;
mod metrics;
mod services;
mod signing;
mod storage;
mod vars;

use std::time::Duration;

pub use access::AllowedOrigins;
pub use clients::ClientDocuments;
pub use environment::environment;
pub use github::GitHubConfig;
pub use lifetimes::Lifetimes;
pub use logging::{LogConfig, LogFormat};
pub use signing::SigningConfig;
pub use storage::StorageConfig;
use vars::Vars;

use crate::oauth::people::People;

/// Everything that is wrong with the configuration, one sentence each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {}", .0.join("; "))]
pub struct ConfigFaults(pub Vec<String>);

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; `--host`, `--port`. Port 0 takes a free one.
    pub host: String,
    pub port: u16,
    /// `BASE_DOMAIN`, lower case; may carry a port (`localhost:8443`).
    pub base_domain: String,
    pub github: GitHubConfig,
    /// `ALLOWED_GITHUB_USERS`, `ALLOWED_GITHUB_ORGS`, `ALLOWED_GITHUB_TEAMS`
    pub people: People,
    /// `MCP_CORS_ORIGINS`
    pub allowed_origins: AllowedOrigins,
    /// `MCP_SERVICES`: named on the landing page.
    pub services: Vec<String>,
    pub client_documents: ClientDocuments,
    pub storage: StorageConfig,
    pub signing: SigningConfig,
    pub lifetimes: Lifetimes,
    /// `MAX_CLIENTS`: dynamic registrations at a time; beyond it registration answers 503.
    pub max_clients: usize,
    /// `FORWARD_AUTH_TOKEN`: also hand the bearer token to MCP servers, as the Python service did.
    pub forward_auth_token: bool,
    /// `REQUIRE_RESOURCE`: refuse tokens that name no resource (RFC 8707).
    pub require_resource: bool,
    pub log: LogConfig,
    /// `SHUTDOWN_DELAY`: after the stop signal, «not ready» is said this long before the listener closes.
    pub shutdown_delay: Duration,
    /// `METRICS_ADDR`: host and port of `/metrics`; `None`: nobody is told.
    pub metrics_addr: Option<String>,
}

impl Config {
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars::new(vars);
        let base_domain = base_domain(&mut vars);
        let people = access::people(&mut vars);
        let config = Self {
            host: "127.0.0.1".to_owned(),
            port: 8000,
            github: GitHubConfig::read(&mut vars, &people),
            people,
            allowed_origins: AllowedOrigins::read(&vars, &base_domain),
            services: services::read(&mut vars),
            base_domain,
            client_documents: ClientDocuments::read(&mut vars),
            storage: StorageConfig::read(&mut vars),
            signing: SigningConfig::read(&mut vars),
            lifetimes: Lifetimes::read(&mut vars),
            max_clients: vars.parsed("MAX_CLIENTS", "a whole number", 10_000),
            forward_auth_token: vars.flag("FORWARD_AUTH_TOKEN"),
            require_resource: vars.flag("REQUIRE_RESOURCE"),
            log: LogConfig::read(&mut vars),
            shutdown_delay: vars.seconds("SHUTDOWN_DELAY", 0),
            metrics_addr: metrics::addr(&mut vars),
        };
        vars.finish().map(|()| config)
    }

    /// `iss` of everything: one string everywhere, byte for byte, without a trailing slash (RFC 8414 §2).
    pub fn issuer(&self) -> String {
        format!("https://auth.{}", self.base_domain)
    }
}

fn base_domain(vars: &mut Vars) -> String {
    let domain = vars.required("BASE_DOMAIN", "the domain below which auth.… and the MCP hosts live").to_lowercase();
    let url = url::Url::parse(&format!("https://auth.{domain}"));
    if !domain.is_empty()
        && !url.is_ok_and(|url| url.path() == "/" && url.username().is_empty() && !domain.ends_with('/'))
    {
        vars.fault("BASE_DOMAIN", format_args!("«{domain}» is not a domain name: no scheme, no path (example.com)"));
    }
    domain
}

#[cfg(test)]
mod tests;
