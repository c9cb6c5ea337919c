//! The whole line: Traefik with TLS, one or more auth-servers, sidecars, a store, and the stand-in for GitHub.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{Balancer, Certificate, Process, Redis, Traefik, binary, free_port, repository};
use crate::{
    client::Browser,
    github::{GitHub, OAuthApp},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    Embedded,
    Redis,
}

/// What a [`Gateway`] is to consist of.
#[derive(Debug)]
pub struct Setup {
    store: StoreKind,
    replicas: usize,
    balanced: bool,
    services: Vec<(String, Upstream)>,
    policies: Vec<String>,
    vars: Vec<(String, String)>,
    dynamic: Option<PathBuf>,
}

#[derive(Debug)]
enum Upstream {
    /// `mcp-sidecar` around this command.
    Sidecar(Vec<String>),
    /// Something that is already there.
    Url(String),
}

impl Setup {
    pub fn new(store: StoreKind) -> Self {
        let (services, policies, vars) = (Vec::new(), Vec::new(), Vec::new());
        Self { store, replicas: 1, balanced: false, services, policies, vars, dynamic: None }
    }

    /// A service made of a sidecar around the scripted fixture.
    pub fn fixture(self, name: &str, options: &[&str]) -> Self {
        let fixture = binary("stdio-fixture").to_string_lossy().into_owned();
        self.sidecar(name, [fixture].into_iter().chain(options.iter().map(|option| (*option).to_owned())))
    }

    /// A service made of a sidecar around `command`.
    pub fn sidecar(mut self, name: &str, command: impl IntoIterator<Item = String>) -> Self {
        self.services.push((name.to_owned(), Upstream::Sidecar(command.into_iter().collect())));
        self
    }

    /// A service that speaks HTTP itself.
    pub fn upstream(mut self, name: &str, url: String) -> Self {
        self.services.push((name.to_owned(), Upstream::Url(url)));
        self
    }

    /// What `service` asks beyond a good token (docs/policies.md): `scope=mcp:time&users=octocat`.
    pub fn policy(mut self, service: &str, query: &str) -> Self {
        self.policies.push(format!("{service}={query}"));
        self
    }

    /// Auth-servers on one store; Traefik asks the first.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// Traefik asks all of them, through a balancer.
    pub fn balanced(mut self) -> Self {
        self.balanced = true;
        self
    }

    /// One more variable, or another value, for the auth-servers.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Traefik reads these files instead of the project's own.
    pub fn dynamic(mut self, folder: &Path) -> Self {
        self.dynamic = Some(folder.to_owned());
        self
    }

    /// Starts everything and waits until it listens.
    pub fn start(self) -> Gateway {
        Gateway::start(self)
    }
}

/// A running gateway; dropping it ends all of it.
#[derive(Debug)]
pub struct Gateway {
    pub traefik: Traefik,
    pub auth: Vec<AuthServer>,
    /// In the order of their services.
    pub sidecars: Vec<Process>,
    pub github: GitHub,
    pub redis: Option<Redis>,
    pub certificate: Certificate,
    _balancer: Option<Balancer>,
    _data: TempDir,
}

impl Gateway {
    fn start(setup: Setup) -> Self {
        let mut traefik = Traefik::plan();
        traefik.dynamic = setup.dynamic;
        let domain = traefik.base_domain();
        let github = GitHub::start(OAuthApp::with_callback(format!("https://auth.{domain}/callback")));
        let redis = (setup.store == StoreKind::Redis).then(Redis::start);
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut vars = auth_vars(&domain, &github, data.path());
        vars.extend(redis.as_ref().map(|redis| ("REDIS_URL".to_owned(), redis.url())));
        // A Redis on a busy machine is no Redis that hangs.
        vars.push(("REDIS_TIMEOUT_SECONDS".to_owned(), "10".to_owned()));
        let named: Vec<_> = setup.services.iter().map(|(name, _)| name.as_str()).collect();
        vars.push(("MCP_SERVICES".to_owned(), named.join(",")));
        vars.extend(setup.vars);
        // One after the other: the first makes the signing key that all share.
        let auth: Vec<_> = (0..setup.replicas).map(|_| AuthServer::start(vars.clone(), data.path())).collect();
        let (mut sidecars, mut services) = (Vec::new(), Vec::new());
        for (name, upstream) in setup.services {
            let url = match upstream {
                Upstream::Url(url) => url,
                Upstream::Sidecar(command) => {
                    sidecars.push(sidecar(&name, &domain, &command));
                    let addr = sidecars.last_mut().map(Process::address).expect("just started");
                    format!("http://{addr}")
                }
            };
            services.push((name, url));
        }
        let names: Vec<_> = services.iter().map(|(name, _)| name.clone()).collect();
        let certificate = Certificate::make(&names);
        traefik.policies = setup.policies.join(" ");
        let urls: Vec<_> = auth.iter().map(AuthServer::url).collect();
        let balancer = setup.balanced.then(|| Balancer::start(&urls));
        traefik.start(&certificate, &balancer.as_ref().map_or_else(|| auth[0].url(), Balancer::url), &services);
        Self { traefik, auth, sidecars, github, redis, certificate, _balancer: balancer, _data: data }
    }

    /// `https://auth.localhost:8443`
    pub fn issuer(&self) -> String {
        format!("https://auth.{}", self.traefik.base_domain())
    }

    /// Where clients of `service` are pointed to.
    pub fn mcp(&self, service: &str) -> String {
        self.at(service, "/mcp")
    }

    pub fn at(&self, service: &str, path: &str) -> String {
        format!("https://{service}.{}{path}", self.traefik.base_domain())
    }

    /// Someone with a browser (cookies of their own) who trusts this gateway's certificate.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.certificate.authority())
    }
}

/// One auth-server, on a port that survives its restarts.
#[derive(Debug)]
pub struct AuthServer {
    pub process: Process,
    port: u16,
    vars: Vec<(String, String)>,
    folder: PathBuf,
}

impl AuthServer {
    fn start(vars: Vec<(String, String)>, folder: &Path) -> Self {
        let port = free_port();
        let process = Self::run(&vars, folder, port);
        Self { process, port, vars, folder: folder.to_owned() }
    }

    fn run(vars: &[(String, String)], folder: &Path, port: u16) -> Process {
        let mut serve = Command::new(binary("auth-server"));
        // An empty folder: no .env but ours.
        serve.args(["--port", &port.to_string()]).env_clear().envs(vars.iter().cloned()).current_dir(folder);
        let mut process = Process::start("auth-server", &mut serve);
        process.address();
        process
    }

    /// Past Traefik.
    pub fn url(&self) -> String {
        format!("http://{}", SocketAddr::from(([127, 0, 0, 1], self.port)))
    }

    /// Another command of the same program, in the same place and with the same settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("auth-server"));
        command.args(arguments).env_clear().envs(self.vars.iter().cloned()).current_dir(&self.folder);
        command
    }

    /// `DATA_DIR`, and where it was started.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// For its next start and for commands: another value, or `None`, for a variable.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.vars.retain(|(known, _)| known != name);
        self.vars.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Starts it anew, however it has ended.
    pub fn resume(&mut self) {
        self.process = Self::run(&self.vars, &self.folder, self.port);
    }
}

fn auth_vars(domain: &str, github: &GitHub, data: &Path) -> Vec<(String, String)> {
    let vars = [
        ("BASE_DOMAIN", domain),
        ("GITHUB_CLIENT_ID", "standin-client"),
        ("GITHUB_CLIENT_SECRET", "standin-secret"),
        ("GITHUB_BASE_URL", &github.url()),
        ("GITHUB_API_URL", &github.url()),
        ("ALLOWED_GITHUB_USERS", "*"),
        ("DATA_DIR", &data.to_string_lossy()),
        ("LOG_LEVEL", "debug"),
    ];
    vars.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn sidecar(name: &str, domain: &str, command: &[String]) -> Process {
    let mut run = Command::new(binary("mcp-sidecar"));
    run.args(["--port", "0", "--require-user", "--"]).args(command);
    run.env("BASE_DOMAIN", domain).current_dir(repository());
    Process::start(&format!("sidecar-{name}"), &mut run)
}
