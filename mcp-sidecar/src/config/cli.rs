//! The command line and the environment as they are written; nothing is judged here but what clap must.

use std::collections::HashMap;
use std::ffi::OsString;

use clap::Parser;

const ENVIRONMENT: &str = "\
Environment (an option on the command line wins):
  MCP_BIND_HOST, MCP_PORT or PORT, LOG_FILE, LOG_LEVEL
  SERVER_COMMAND       the whole command line, when no COMMAND is given (quotes work, no shell runs)
  BASE_DOMAIN          names below it may be used as Host: --allowed-host *.BASE_DOMAIN
  MCP_CORS_ORIGINS     origins that may call, separated by commas: --allowed-origin

Examples:
  mcp-sidecar npx -y @modelcontextprotocol/server-everything
  mcp-sidecar --host 0.0.0.0 --port 3000 -- uvx mcp-server-time --local-timezone Europe/Vienna
  SERVER_COMMAND='python -m my.server' mcp-sidecar --port 8080

Everything after COMMAND belongs to it, options too. Clients then use http://HOST:PORT/mcp.";

/// Serves a stdio MCP server over Streamable HTTP: one process per session, nothing left behind.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "mcp-sidecar", version, after_help = ENVIRONMENT, max_term_width = 100)]
pub struct Arguments {
    /// Address to listen on (default: 127.0.0.1)
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Port to listen on; 0 takes a free one and logs it (default: 3000)
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// Seconds after which an unused session ends (default: 300)
    #[arg(long, value_name = "S")]
    timeout: Option<String>,
    /// off, error, warn, info, debug or trace (default: info)
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Seconds a call may go without a sign of life from the server; 0: no limit (default: 3600)
    #[arg(long, value_name = "S")]
    call_timeout: Option<String>,
    /// Seconds a server may take to end before SIGTERM, and again before SIGKILL (default: 5)
    #[arg(long, value_name = "S")]
    stop_timeout: Option<String>,
    /// Seconds that calls in flight may take after SIGTERM to the sidecar (default: 5)
    #[arg(long, value_name = "S")]
    shutdown_timeout: Option<String>,
    /// Sessions at once; the oldest idle one makes room for a new one (default: 1000)
    #[arg(long, value_name = "N")]
    max_sessions: Option<String>,
    /// Sessions at once of one X-User-Id (default: 100)
    #[arg(long, value_name = "N")]
    max_sessions_per_user: Option<String>,
    /// Requests in flight in one session (default: 256)
    #[arg(long, value_name = "N")]
    max_calls: Option<String>,
    /// What the server speaks: auto, legacy (up to 2025-11-25) or modern (2026-07-28); auto asks it (default: auto)
    #[arg(long, value_name = "ERA")]
    era: Option<String>,
    /// Bytes of a request's body (default: 16777216)
    #[arg(long, value_name = "BYTES")]
    max_body: Option<String>,
    /// Bytes of one message from the server (default: 67108864)
    #[arg(long, value_name = "BYTES")]
    max_line: Option<String>,
    /// Bytes of events kept per session for clients that come back (default: 1048576)
    #[arg(long, value_name = "BYTES")]
    replay_bytes: Option<String>,
    /// Host name that clients may use, besides addresses and localhost; *.example.com for all below it (repeatable)
    #[arg(long, value_name = "NAME")]
    allowed_host: Vec<String>,
    /// Origin of a web page that may call, such as `https://app.example.com`, or * (repeatable)
    #[arg(long, value_name = "ORIGIN")]
    allowed_origin: Vec<String>,
    /// Port for /metrics, which is then not on the main one; 0 takes a free one and logs it
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<String>,
    /// Refuse requests without X-User-Id
    #[arg(long)]
    require_user: bool,
    /// The stdio MCP server and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Arguments, with the environment where they are silent.
#[derive(Clone, Debug, Default)]
pub struct Cli {
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) log_file: Option<OsString>,
    pub(super) call_timeout: Option<String>,
    pub(super) stop_timeout: Option<String>,
    pub(super) shutdown_timeout: Option<String>,
    pub(super) max_sessions: Option<String>,
    pub(super) max_sessions_per_user: Option<String>,
    pub(super) max_calls: Option<String>,
    pub(super) era: Option<String>,
    pub(super) max_body: Option<String>,
    pub(super) max_line: Option<String>,
    pub(super) replay_bytes: Option<String>,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) allowed_origins: Vec<String>,
    pub(super) metrics_port: Option<String>,
    pub(super) require_user: bool,
    pub(super) command: Vec<OsString>,
    pub(super) server_command: Option<String>,
}

impl Arguments {
    /// # Errors
    /// clap's, which is also how help and version are asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }

    /// The same, completed from the environment. Variables that are empty are not set.
    pub fn over(self, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Cli {
        let vars: HashMap<OsString, OsString> = vars.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let os = |name: &str| vars.get(&OsString::from(name)).cloned();
        let text = |name: &str| os(name).map(|value| value.to_string_lossy().into_owned());
        let mut allowed_hosts = lower(self.allowed_host);
        if let Some(domain) = text("BASE_DOMAIN") {
            // It may carry a port for demos; host names do not.
            let name = domain.split(':').next().unwrap_or_default().to_ascii_lowercase();
            allowed_hosts.extend([format!("*.{name}"), name]);
        }
        let mut allowed_origins = self.allowed_origin;
        let listed = text("MCP_CORS_ORIGINS").unwrap_or_default();
        allowed_origins.extend(listed.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned));
        Cli {
            host: self.host.or_else(|| text("MCP_BIND_HOST")),
            port: self.port.or_else(|| text("MCP_PORT")).or_else(|| text("PORT")),
            timeout: self.timeout,
            log_level: self.log_level.or_else(|| text("LOG_LEVEL")),
            log_file: os("LOG_FILE"),
            call_timeout: self.call_timeout,
            stop_timeout: self.stop_timeout,
            shutdown_timeout: self.shutdown_timeout,
            max_sessions: self.max_sessions,
            max_sessions_per_user: self.max_sessions_per_user,
            max_calls: self.max_calls,
            era: self.era,
            max_body: self.max_body,
            max_line: self.max_line,
            replay_bytes: self.replay_bytes,
            allowed_hosts,
            allowed_origins,
            metrics_port: self.metrics_port,
            require_user: self.require_user,
            command: self.command,
            server_command: text("SERVER_COMMAND"),
        }
    }
}

fn lower(names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| name.to_ascii_lowercase()).collect()
}
