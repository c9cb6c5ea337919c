//! The command line and the environment as they are written; nothing is judged here but what clap must.

use std::collections::HashMap;
use std::ffi::OsString;

use clap::{Args, Parser};

use crate::cluster::RedisAddress;

const ENVIRONMENT: &str = "\
Other commands (each has its own --help):
  mcp-sidecar probe COMMAND   starts a server and shows what it is: run this first
  mcp-sidecar healthcheck     asks a running sidecar whether its server answers

Environment (an option on the command line wins):
  MCP_BIND_HOST, MCP_PORT or PORT, LOG_FILE, LOG_LEVEL, LOG_FORMAT
  SERVER_COMMAND       the whole command line, when no COMMAND is given (quotes work, no shell runs)
  BASE_DOMAIN          names below it may be used as Host: --allowed-host *.BASE_DOMAIN
  SHUTDOWN_DELAY       --shutdown-delay
  REDIS_URL            redis://HOST:PORT/DB that several replicas share; REDIS_PASSWORD if it is not in the URL
  MCP_CORS_ORIGINS     origins that are let in, separated by commas: --allowed-origin

Examples:
  mcp-sidecar npx -y @modelcontextprotocol/server-everything
  mcp-sidecar --host 0.0.0.0 --port 3000 -- uvx mcp-server-time --local-timezone Europe/Vienna
  SERVER_COMMAND='python -m my.server' mcp-sidecar --port 8080

Everything after COMMAND belongs to it, options too. Clients then use http://HOST:PORT/mcp.";

/// Serves a stdio MCP server over Streamable HTTP: one process per session, nothing left behind.
// Numbers stay text here: `check` judges all of them and reports every fault at once. An option is named here once,
// and once more where it is judged.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "mcp-sidecar", version, after_help = ENVIRONMENT, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) listening: Listening,
    #[command(flatten)]
    pub(super) wrapped: Wrapped,
    #[command(flatten)]
    pub(super) access: Access,
    #[command(flatten)]
    pub(super) time: Time,
    #[command(flatten)]
    pub(super) bounds: Bounds,
    #[command(flatten)]
    pub(super) replicas: Replicas,
    #[command(flatten)]
    pub(super) log: Log,
    /// The stdio MCP server and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND", help_heading = None)]
    pub(super) command: Vec<OsString>,
    #[arg(skip)]
    pub(super) server_command: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Where it listens")]
pub(super) struct Listening {
    /// Address to listen on (default: 127.0.0.1)
    #[arg(long, value_name = "HOST")]
    pub(super) host: Option<String>,
    /// Port to listen on; 0 takes a free one and logs it (default: 3000)
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<String>,
    /// Port for /metrics, which is then not on the main one; 0 takes a free one and logs it
    #[arg(long, value_name = "PORT")]
    pub(super) metrics_port: Option<String>,
    /// Also serve the transport of 2024-11-05: GET /sse and POST /messages
    #[arg(long)]
    pub(super) legacy_sse: bool,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The wrapped server")]
pub(super) struct Wrapped {
    /// What the server speaks: auto, legacy (up to 2025-11-25) or modern (2026-07-28); auto asks it (default: auto)
    #[arg(long, value_name = "ERA")]
    pub(super) era: Option<String>,
    /// Who has a process of their own: each session, each user (X-User-Id), or nobody: shared (default: session)
    #[arg(long, value_name = "WHO")]
    pub(super) isolation: Option<String>,
    /// Tell the server its user: the variable NAME gets the value of X-User-Id, X-User-Name, X-Client-Id or X-Scope
    /// (repeatable)
    #[arg(long, value_name = "NAME=HEADER")]
    pub(super) env_from_header: Vec<String>,
    /// The same as one more argument at the end, PREFIX=value: --arg-from-header --user=X-User-Id (repeatable)
    #[arg(long, value_name = "PREFIX=HEADER", allow_hyphen_values = true)]
    pub(super) arg_from_header: Vec<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Who may call")]
pub(super) struct Access {
    /// Host name that clients may use, besides addresses and localhost; *.example.com for all below it (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(super) allowed_host: Vec<String>,
    /// Origin of a web page whose requests are let in, such as `https://app.example.com`, or *; CORS headers are the
    /// proxy's to send (repeatable)
    #[arg(long, value_name = "ORIGIN")]
    pub(super) allowed_origin: Vec<String>,
    /// Refuse requests without X-User-Id
    #[arg(long)]
    pub(super) require_user: bool,
    #[arg(skip)]
    pub(super) base_domain: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "How long things may take")]
pub(super) struct Time {
    /// Seconds after which an unused session ends (default: 300)
    #[arg(long, value_name = "S")]
    pub(super) timeout: Option<String>,
    /// Seconds a call may go without an answer or progress, and ten times that in all; 0: no limit (default: 3600)
    #[arg(long, value_name = "S")]
    pub(super) call_timeout: Option<String>,
    /// Seconds in which a request's body must be complete (default: 60)
    #[arg(long, value_name = "S")]
    pub(super) body_timeout: Option<String>,
    /// Seconds a client may leave unread what it is sent; then its connection is reset (default: 120)
    #[arg(long, value_name = "S")]
    pub(super) unread_timeout: Option<String>,
    /// Seconds a server may take to end before SIGTERM, and again before SIGKILL (default: 5)
    #[arg(long, value_name = "S")]
    pub(super) stop_timeout: Option<String>,
    /// Seconds of going on after SIGTERM while /ready says 503, for balancers that look (default: 0)
    #[arg(long, value_name = "S")]
    pub(super) shutdown_delay: Option<String>,
    /// Seconds that calls in flight may take after SIGTERM to the sidecar (default: 5)
    #[arg(long, value_name = "S")]
    pub(super) shutdown_timeout: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "How much there may be")]
pub(super) struct Bounds {
    /// Sessions at once; the oldest idle one makes room for a new one (default: 1000)
    #[arg(long, value_name = "N")]
    pub(super) max_sessions: Option<String>,
    /// Sessions at once of one X-User-Id (default: 100)
    #[arg(long, value_name = "N")]
    pub(super) max_sessions_per_user: Option<String>,
    /// Server processes started ahead, so that a new session need not wait for npx (default: 0)
    #[arg(long, value_name = "N")]
    pub(super) warm: Option<String>,
    /// Requests in flight in one session (default: 256)
    #[arg(long, value_name = "N")]
    pub(super) max_calls: Option<String>,
    /// Bytes of a request's body (default: 16777216)
    #[arg(long, value_name = "BYTES")]
    pub(super) max_body: Option<String>,
    /// Bytes of one message from the server (default: 67108864)
    #[arg(long, value_name = "BYTES")]
    pub(super) max_line: Option<String>,
    /// Bytes of events kept per session for clients that come back (default: 1048576)
    #[arg(long, value_name = "BYTES")]
    pub(super) replay_bytes: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The log")]
pub(super) struct Log {
    /// off, error, warn, info, debug or trace (default: info)
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,
    /// text, or json for machines (default: text)
    #[arg(long, value_name = "FORMAT")]
    pub(super) log_format: Option<String>,
    /// on or off: a line for each request, with user, method and tool, never arguments (default: on)
    #[arg(long, value_name = "ON|OFF")]
    pub(super) access_log: Option<String>,
    #[arg(skip)]
    pub(super) log_file: Option<OsString>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "One of several replicas, with REDIS_URL")]
pub(super) struct Replicas {
    /// host:port at which the others reach this one (default: what it listens on, or the interface towards Redis)
    #[arg(long, value_name = "ADDRESS")]
    pub(super) advertise: Option<String>,
    /// Judged at once, because what comes of it shows no password.
    #[arg(skip)]
    pub(super) redis: Option<Result<RedisAddress, &'static str>>,
}

impl Arguments {
    /// # Errors
    /// clap's, which is also how help and version are asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }

    /// The same, completed from the environment where they are silent. Variables that are empty are not set.
    #[must_use]
    pub fn over(mut self, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let vars: HashMap<OsString, OsString> = vars.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let os = |name: &str| vars.get(&OsString::from(name)).cloned();
        let text = |name: &str| os(name).map(|value| value.to_string_lossy().into_owned());
        let listening = &mut self.listening;
        listening.host = listening.host.take().or_else(|| text("MCP_BIND_HOST"));
        listening.port = listening.port.take().or_else(|| text("MCP_PORT")).or_else(|| text("PORT"));
        self.access.base_domain = text("BASE_DOMAIN");
        let listed = text("MCP_CORS_ORIGINS").unwrap_or_default();
        let origins = listed.split(',').map(str::trim).filter(|one| !one.is_empty());
        self.access.allowed_origin.extend(origins.map(str::to_owned));
        self.log.log_level = self.log.log_level.take().or_else(|| text("LOG_LEVEL"));
        self.log.log_format = self.log.log_format.take().or_else(|| text("LOG_FORMAT"));
        self.log.log_file = os("LOG_FILE");
        self.time.shutdown_delay = self.time.shutdown_delay.take().or_else(|| text("SHUTDOWN_DELAY"));
        let password = text("REDIS_PASSWORD");
        self.replicas.redis = text("REDIS_URL").map(|url| RedisAddress::parse(&url, password.as_deref()));
        self.server_command = text("SERVER_COMMAND");
        self
    }
}

/// Where a sidecar with these arguments says, on the same machine, whether it is ready.
pub(crate) fn local_url(arguments: Arguments) -> String {
    let Listening { host, port, .. } = arguments.listening;
    let host = match host.as_deref() {
        None | Some("0.0.0.0") => "127.0.0.1".to_owned(),
        Some("::") => "[::1]".to_owned(),
        Some(v6) if v6.contains(':') => format!("[{v6}]"),
        Some(name) => name.to_owned(),
    };
    format!("http://{host}:{}/ready", port.as_deref().unwrap_or("3000"))
}
