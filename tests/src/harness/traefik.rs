//! Real Traefik from the project's own files, through `scripts/traefik-run`.

use std::{path::PathBuf, process::Command, time::Duration};

use super::{Certificate, Process, free_port, repository, tool, wait::within};
use crate::client::raw_get;

/// What Traefik has to know before it starts.
#[derive(Debug)]
pub struct Traefik {
    pub http_port: u16,
    pub https_port: u16,
    /// `MCP_POLICIES`
    pub policies: String,
    ping_port: u16,
    /// Instead of `traefik/dynamic`.
    pub dynamic: Option<PathBuf>,
    process: Option<Process>,
}

impl Traefik {
    /// Chooses the ports; the domain and so the issuer depend on them.
    pub fn plan() -> Self {
        Self {
            http_port: free_port(),
            https_port: free_port(),
            policies: String::new(),
            ping_port: free_port(),
            dynamic: None,
            process: None,
        }
    }

    /// `localhost:8443`
    pub fn base_domain(&self) -> String {
        format!("localhost:{}", self.https_port)
    }

    /// `services`: name and URL of each.
    pub fn start(&mut self, certificate: &Certificate, auth_url: &str, services: &[(String, String)]) {
        tool("bin/traefik");
        let services: Vec<_> = services.iter().map(|(name, url)| format!("{name}={url}")).collect();
        let mut run = Command::new(repository().join("scripts/traefik-run"));
        run.env("HTTP_PORT", self.http_port.to_string())
            .env("HTTPS_PORT", self.https_port.to_string())
            .env("PING_PORT", self.ping_port.to_string())
            .env("TLS_CERT", certificate.chain())
            .env("TLS_KEY", certificate.key())
            .env("BASE_DOMAIN", self.base_domain())
            .env("AUTH_URL", auth_url)
            .env("AUTH_RATE_LIMIT", "1000")
            .env("MCP_SERVICES", services.join(","))
            .env("MCP_POLICIES", &self.policies);
        if let Some(folder) = &self.dynamic {
            run.env("DYNAMIC_DIRECTORY", folder);
        }
        self.process = Some(Process::start("traefik", &mut run));
        // It listens before it has read its certificate and routes; what counts is that a request gets through. The Python
        // service has no /health, but keys as ours has.
        let host = format!("auth.{}", self.base_domain());
        within(Duration::from_secs(60), "Traefik does not lead to auth-server", || {
            raw_get(&certificate.authority(), &host, "/jwks").starts_with("HTTP/1.1 200").then_some(())
        });
    }
}
