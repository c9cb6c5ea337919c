//! One `.env`, one Redis, one Traefik in front of one port: what stands on that port is swapped.

use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use gateway_tests::{
    client::Browser,
    github::{GitHub, OAuthApp},
    harness::{Certificate, Headers, Process, Redis, Traefik, binary, free_port, python_service},
};
use reqwest::{Response, header};
use serde_json::Value;
use tempfile::TempDir;

/// The MCP server behind the gateway: says which headers have reached it.
const SERVICE: &str = "echo";
/// Apart from the URL, as compose passes it.
const REDIS_PASSWORD: &str = "a-password-of-redis";

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) traefik: Traefik,
    redis: Redis,
    pub(crate) certificate: Certificate,
    pub(crate) vars: Vec<(String, String)>,
    echo: Headers,
    port: u16,
    serving: Option<Process>,
    folder: TempDir,
    _github: GitHub,
}

impl Stage {
    /// With the Python service on it. `algorithm`: RS256 or HS256, what it signs with.
    pub(crate) fn of_python(algorithm: &str) -> Self {
        Self::empty(algorithm).open(Self::swap_to_python)
    }

    pub(crate) fn of_ours(algorithm: &str) -> Self {
        Self::empty(algorithm).open(Self::swap_to_ours)
    }

    fn empty(algorithm: &str) -> Self {
        let traefik = Traefik::plan();
        let domain = traefik.base_domain();
        let github = GitHub::start(OAuthApp::with_callback(format!("https://auth.{domain}/callback")));
        let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
        assert_eq!(redis.cli(&["CONFIG", "SET", "requirepass", REDIS_PASSWORD]), "OK");
        let vars = dotenv(&domain, &github, &redis, algorithm);
        let lines: String = vars.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        std::fs::write(folder.path().join(".env"), lines).unwrap();
        let certificate = Certificate::make(&[SERVICE.to_owned()]);
        let (echo, port) = (Headers::start(), free_port());
        Self { traefik, redis, certificate, vars, echo, port, serving: None, folder, _github: github }
    }

    fn open(mut self, serve: impl FnOnce(&mut Self)) -> Self {
        serve(&mut self);
        let (auth, services) = (format!("http://127.0.0.1:{}", self.port), self.services());
        self.traefik.start(&self.certificate, &auth, &services);
        self
    }

    pub(crate) fn swap_to_python(&mut self) {
        self.serving = None;
        self.serving = Some(python_service(self.port, &self.vars));
    }

    /// Ours gets nothing but the `.env` of the Python service.
    pub(crate) fn swap_to_ours(&mut self) {
        self.serving = None;
        let mut serve = Command::new(binary("auth-server"));
        serve.args(["--port", &self.port.to_string()]).env_clear().current_dir(self.folder.path());
        let mut process = Process::start("auth-server", &mut serve);
        process.address();
        self.serving = Some(process);
    }

    pub(crate) fn services(&self) -> Vec<(String, String)> {
        vec![(SERVICE.to_owned(), self.echo.url())]
    }

    /// Every key in Redis, one a line.
    pub(crate) fn keys(&self) -> String {
        self.redis.cli(&["--no-auth-warning", "-a", REDIS_PASSWORD, "--raw", "KEYS", "*"])
    }

    pub(crate) fn issuer(&self) -> String {
        format!("https://auth.{}", self.traefik.base_domain())
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.certificate.authority())
    }

    /// Asks the MCP server through this stage's Traefik.
    pub(crate) async fn call(&self, token: &str) -> Seen {
        call(&self.browser(), &self.traefik, token).await
    }
}

/// What became of a request to the MCP server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It got there as this person: id and login.
    Passed(String, String),
    Refused(u16),
}

impl Seen {
    pub(crate) fn octocat() -> Self {
        Self::Passed(gateway_tests::github::github_id("octocat").to_string(), "octocat".to_owned())
    }
}

/// Asks the MCP server behind `traefik`.
pub(crate) async fn call(browser: &Browser, traefik: &Traefik, token: &str) -> Seen {
    let url = format!("https://{SERVICE}.{}/mcp", traefik.base_domain());
    let request = browser.http.get(url).bearer_auth(token).header(header::ACCEPT, "application/json");
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    if status != 200 {
        return Seen::Refused(status);
    }
    let seen: Value = answer.json().await.unwrap();
    let text = |name: &str| seen["headers"][name].as_str().unwrap_or_default().to_owned();
    Seen::Passed(text("x-user-id"), text("x-user-name"))
}

/// Status and JSON of an answer; null when it holds none.
pub(crate) async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

/// As a person had it for the Python service, and GITHUB_…_URL for the stand-in.
fn dotenv(domain: &str, github: &GitHub, redis: &Redis, algorithm: &str) -> Vec<(String, String)> {
    let (github, redis, key) = (github.url(), redis.url(), signing_key());
    let vars = [
        ("GITHUB_CLIENT_ID", "standin-client"),
        ("GITHUB_CLIENT_SECRET", "standin-secret"),
        ("JWT_SECRET", "a-secret-of-the-python-service-0123456789"),
        ("JWT_ALGORITHM", algorithm),
        ("JWT_PRIVATE_KEY_B64", &key),
        ("BASE_DOMAIN", domain),
        ("REDIS_URL", &redis),
        ("REDIS_PASSWORD", REDIS_PASSWORD),
        ("ACCESS_TOKEN_LIFETIME", "86400"),
        ("REFRESH_TOKEN_LIFETIME", "2592000"),
        ("SESSION_TIMEOUT", "3600"),
        ("CLIENT_LIFETIME", "7776000"),
        ("ALLOWED_GITHUB_USERS", "octocat,hubot"),
        ("MCP_PROTOCOL_VERSION", "2025-06-18"),
        ("MCP_CORS_ORIGINS", "*"),
        ("LOG_LEVEL", "INFO"),
        ("GITHUB_BASE_URL", &github),
        ("GITHUB_API_URL", &github),
    ];
    vars.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn signing_key() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let mut generate = Command::new(binary("auth-server"));
    let made = generate.args(["keys", "generate", "--out"]).arg(&path).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    STANDARD.encode(std::fs::read(path).unwrap())
}
