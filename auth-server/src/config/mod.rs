//! Environment → [`Config`]: checked once, every fault reported at once, names as the Python service has them.
//!
//! Defaults are safe ones. Only the domain, the GitHub pair and who may log in have none.

mod access;
mod environment;
mod vars;

use std::{path::PathBuf, time::Duration};

pub use access::{AllowedOrigins, AllowedUsers};
pub use environment::environment;
use vars::Vars;

use crate::oauth::secret::Secret;

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
    /// `ALLOWED_GITHUB_USERS`
    pub allowed_users: AllowedUsers,
    /// `MCP_CORS_ORIGINS`
    pub allowed_origins: AllowedOrigins,
    pub storage: StorageConfig,
    pub signing: SigningConfig,
    pub lifetimes: Lifetimes,
    /// `FORWARD_AUTH_TOKEN`: also hand the bearer token to MCP servers, as the Python service did.
    pub forward_auth_token: bool,
    /// `REQUIRE_RESOURCE`: refuse tokens that name no resource (RFC 8707).
    pub require_resource: bool,
    pub log: LogConfig,
}

/// The upstream OAuth application.
#[derive(Clone, Debug)]
pub struct GitHubConfig {
    /// `GITHUB_CLIENT_ID`
    pub client_id: String,
    /// `GITHUB_CLIENT_SECRET`
    pub client_secret: Secret,
    /// `GITHUB_BASE_URL`: where people log in; another one for GitHub Enterprise Server.
    pub base_url: String,
    /// `GITHUB_API_URL`: where `/user` is.
    pub api_url: String,
}

/// Where records and generated keys live.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// `REDIS_URL`; unset: the embedded store.
    pub redis_url: Option<Secret>,
    /// `REDIS_PASSWORD`, when it is not part of the URL.
    pub redis_password: Option<Secret>,
    /// `DATA_DIR`: the embedded store's file and the generated signing key.
    pub data_dir: PathBuf,
}

/// What access tokens are signed with.
#[derive(Clone, Debug)]
pub struct SigningConfig {
    /// `JWT_ALGORITHM`: of tokens that exist. RS256 is what is issued; HS256 also accepts the old service's.
    pub algorithm: String,
    /// `JWT_PRIVATE_KEY_B64`: base64 of a PEM private key.
    pub private_key_b64: Option<Secret>,
    /// `JWT_PRIVATE_KEY_FILE`: the same as a file.
    pub private_key_file: Option<PathBuf>,
    /// `JWT_SECRET`, or `GATEWAY_JWT_SECRET` from an `.env` without compose: verifies HS256 tokens of the old service.
    pub secret: Option<Secret>,
}

/// How long things live.
#[derive(Clone, Debug)]
pub struct Lifetimes {
    /// `ACCESS_TOKEN_LIFETIME`, seconds.
    pub access_token: Duration,
    /// `REFRESH_TOKEN_LIFETIME`, seconds.
    pub refresh_token: Duration,
    /// `AUTHORIZATION_CODE_LIFETIME`, seconds.
    pub code: Duration,
    /// `CLIENT_LIFETIME`, seconds; 0 in the environment is `None`: never expires.
    pub client: Option<Duration>,
    /// From `/authorize` to GitHub's answer: 300 s, as the Python service has it.
    pub pending: Duration,
}

/// What is logged, and where besides standard error.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `LOG_LEVEL`; `--log-level` wins.
    pub level: log::LevelFilter,
    /// `LOG_FILE`
    pub file: Option<PathBuf>,
}

impl Config {
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigFaults> {
        let mut vars = Vars::new(vars);
        let base_domain = base_domain(&mut vars);
        let config = Self {
            host: "127.0.0.1".to_owned(),
            port: 8000,
            github: GitHubConfig::read(&mut vars),
            allowed_users: AllowedUsers::read(&mut vars),
            allowed_origins: AllowedOrigins::read(&vars, &base_domain),
            base_domain,
            storage: StorageConfig::read(&mut vars),
            signing: SigningConfig::read(&mut vars),
            lifetimes: Lifetimes::read(&mut vars),
            forward_auth_token: vars.flag("FORWARD_AUTH_TOKEN"),
            require_resource: vars.flag("REQUIRE_RESOURCE"),
            log: LogConfig::read(&mut vars),
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

impl GitHubConfig {
    fn read(vars: &mut Vars) -> Self {
        let whence = "make an OAuth App under GitHub → Settings → Developer settings";
        Self {
            client_id: vars.required("GITHUB_CLIENT_ID", whence),
            client_secret: Secret::new(vars.required("GITHUB_CLIENT_SECRET", whence)),
            base_url: vars.base_url("GITHUB_BASE_URL", "https://github.com"),
            api_url: vars.base_url("GITHUB_API_URL", "https://api.github.com"),
        }
    }
}

impl StorageConfig {
    fn read(vars: &mut Vars) -> Self {
        let redis_url = vars.text("REDIS_URL");
        if redis_url.as_ref().is_some_and(|url| !url.starts_with("redis://") && !url.starts_with("rediss://")) {
            // The value is not shown: it may hold the password.
            vars.fault("REDIS_URL", "is not a redis:// or rediss:// URL");
        }
        Self {
            redis_url: redis_url.map(Secret::new),
            redis_password: vars.text("REDIS_PASSWORD").map(Secret::new),
            data_dir: vars.text("DATA_DIR").unwrap_or_else(|| "./data".to_owned()).into(),
        }
    }
}

impl SigningConfig {
    fn read(vars: &mut Vars) -> Self {
        let algorithm = vars.text("JWT_ALGORITHM").unwrap_or_else(|| "RS256".to_owned());
        let secret = vars.text("JWT_SECRET").or_else(|| vars.text("GATEWAY_JWT_SECRET")).map(Secret::new);
        match algorithm.as_str() {
            "HS256" if secret.is_none() => {
                vars.fault("JWT_SECRET", "is not set, and JWT_ALGORITHM=HS256 checks the old tokens with it")
            }
            "RS256" | "HS256" => {}
            other => vars.fault("JWT_ALGORITHM", format_args!("«{other}» is not RS256 or HS256")),
        }
        Self {
            algorithm,
            private_key_b64: vars.text("JWT_PRIVATE_KEY_B64").map(Secret::new),
            private_key_file: vars.text("JWT_PRIVATE_KEY_FILE").map(Into::into),
            secret,
        }
    }
}

impl Lifetimes {
    fn read(vars: &mut Vars) -> Self {
        let client = vars.seconds("CLIENT_LIFETIME", 7_776_000);
        Self {
            access_token: positive(vars, "ACCESS_TOKEN_LIFETIME", 86_400),
            refresh_token: positive(vars, "REFRESH_TOKEN_LIFETIME", 2_592_000),
            code: positive(vars, "AUTHORIZATION_CODE_LIFETIME", 600),
            client: (!client.is_zero()).then_some(client),
            pending: Duration::from_secs(300),
        }
    }
}

fn positive(vars: &mut Vars, name: &str, default: u64) -> Duration {
    let seconds = vars.seconds(name, default);
    if seconds.is_zero() {
        vars.fault(name, "is 0: nothing could ever be used");
    }
    seconds
}

impl LogConfig {
    fn read(vars: &mut Vars) -> Self {
        let expected = "one of off, error, warn, info, debug, trace";
        // Python's names too: an old `.env` says WARNING.
        let level = match vars.text("LOG_LEVEL").map(|level| level.to_ascii_lowercase()).as_deref() {
            Some("warning") => log::LevelFilter::Warn,
            Some("critical") => log::LevelFilter::Error,
            _ => vars.parsed("LOG_LEVEL", expected, log::LevelFilter::Info),
        };
        Self { level, file: vars.text("LOG_FILE").map(Into::into) }
    }
}

#[cfg(test)]
mod tests;
