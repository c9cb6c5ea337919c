//! `mcp-sidecar probe COMMAND…`: starts a stdio server and says what it is, before anybody serves it.

mod advice;
mod heard;
mod report;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::{Builder, Handle, Runtime};

use super::healthcheck::seconds;
use super::{explain, misused, tell};
use crate::child::reap;
use crate::config::{Config, Unusable, withheld};
use crate::session::description::{Description, describe};
use crate::session::handshake::Unanswered;
use heard::Heard;
use report::Report;

const EXAMPLES: &str = "\
Exit code: 0 when the server answers, 1 when it does not, 64 when the command line is wrong.

Examples:
  mcp-sidecar probe npx -y @modelcontextprotocol/server-everything
  mcp-sidecar probe --json -- uvx mcp-server-time | jq '.tools[].name'
  API_KEY=… mcp-sidecar probe my-server --stdio

Everything after COMMAND belongs to it, options too. To wrap a program that is called probe: mcp-sidecar -- probe";

/// Which server. The other variables say how a sidecar serves: they may be wrong here.
const SERVER: &str = "SERVER_COMMAND";

/// Starts a stdio MCP server and shows what it is: eras, versions, tools, prompts, resources, and how it behaves.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
struct Options {
    /// JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Seconds until it must have introduced itself and listed what it has; npx and uvx may fetch a package first
    /// (default: 120)
    #[arg(long, value_name = "S")]
    timeout: Option<String>,
    /// Ask in one era only: legacy or modern (default: auto)
    #[arg(long, value_name = "ERA")]
    era: Option<OsString>,
    /// Seconds that the server may take to end once its input is closed, and again after SIGTERM (default: 2)
    #[arg(long, value_name = "S")]
    stop_timeout: Option<OsString>,
    /// The stdio MCP server and its arguments (default: `SERVER_COMMAND`)
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn main(
    words: impl Iterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(usage) => return explain(&usage),
    };
    let Some(patience) = seconds(options.timeout.as_deref(), 120) else {
        return misused("--timeout is not a number of seconds above 0");
    };
    let json = options.json;
    let vars: Vec<_> = vars.into_iter().collect();
    // Served with others, it would not be told of their Redis either.
    let is_one_of_many = vars.iter().any(|(name, value)| name == "REDIS_URL" && !value.is_empty());
    let vars = vars.into_iter().filter(|(name, _)| name == SERVER);
    let mut config = match Config::from_args(options.into_sidecar(), vars) {
        Ok(config) => config,
        Err(Unusable::Usage(usage)) => return explain(&usage),
        Err(Unusable::Faults(faults)) => return misused(&format!("probe cannot start:\n{faults}")),
    };
    if is_one_of_many {
        config.spawning.command.env.extend(withheld());
    }
    let heard = Heard::listen();
    let described = runtime().map(|runtime| runtime.block_on(asked(&config, patience)));
    let outcome = described.unwrap_or_else(|cause| Err(cause.to_string()));
    let is_found = outcome.as_ref().is_ok_and(|found| !found.is_silent);
    let report = Report { command: &config.spawning.command, outcome, stderr: heard.lines() };
    tell(&mut io::stdout(), &if json { report.json() } else { report.text() });
    if is_found { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Options {
    /// The same server, as the sidecar's own command line names it.
    fn into_sidecar(self) -> Vec<OsString> {
        let stop_timeout = self.stop_timeout.unwrap_or_else(|| "2".into());
        let era = self.era.unwrap_or_else(|| "auto".into());
        let words = ["mcp-sidecar".into(), "--stop-timeout".into(), stop_timeout, "--era".into(), era, "--".into()];
        words.into_iter().chain(self.command).collect()
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// Whatever comes, nothing of the server is left afterwards.
async fn asked(config: &Config, patience: Duration) -> Result<Description, String> {
    let supervisor = Handle::current();
    reap::adopt_orphans(&supervisor).map_err(|cause| cause.to_string())?;
    let described = describe(&config.spawning, config.era, patience, &supervisor).await;
    reap::none_left().await;
    described.map_err(|cause| match cause {
        Unanswered::Silent => format!("the MCP server did not answer within {} s", patience.as_secs_f64()),
        cause => cause.to_string(),
    })
}
