//! Arguments and environment, in two steps: [`cli`] reads them as they are, here they become a checked [`Config`].
//! The only reader of the environment; all faults are reported at once.

pub mod cli;
mod words;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::child::{self, Command};
use crate::mcp::origin::OriginPolicy;
use crate::mcp::version::Era;
use cli::{Arguments, Cli};

/// Lines on their way to a child that is busy, and events on their way from it.
const STDIN_QUEUE: usize = 256;
const STDOUT_QUEUE: usize = 256;

#[derive(Clone, Debug)]
pub struct Config {
    pub host: String,
    pub port: u16,
    pub spawning: Spawning,
    pub era: EraSetting,
    pub limits: Limits,
    /// `loopback` is set once the address is known.
    pub origin: OriginPolicy,
    /// Bytes of a request's body.
    pub max_body: usize,
    pub require_user: bool,
    /// `/metrics` is there instead of on the main port.
    pub metrics_port: Option<u16>,
    /// How long calls in flight may take after SIGTERM.
    pub shutdown_timeout: Duration,
    pub log_level: log::LevelFilter,
    pub log_file: Option<PathBuf>,
}

/// What to start for a session, and how.
#[derive(Clone, Debug)]
pub struct Spawning {
    pub command: Command,
    pub limits: child::Limits,
}

/// Whether the wrapped server is asked which era it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraSetting {
    Auto,
    Fixed(Era),
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub session: SessionLimits,
    pub sessions: usize,
    pub sessions_per_user: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    pub idle_timeout: Duration,
    /// For a call about which the child says nothing. `None`: for ever.
    pub call_timeout: Option<Duration>,
    /// Requests in flight.
    pub max_calls: usize,
    /// Bytes of events that a client may ask for again.
    pub replay_bytes: usize,
}

/// Everything that is wrong, each a sentence that names the option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|fault| writeln!(f, "  - {fault}"))
    }
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Unusable {
    /// Help was asked for, or the command line cannot be read at all.
    Usage(clap::Error),
    Faults(Faults),
}

impl Config {
    /// From the program's arguments (its own name first) and the environment.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn from_args(
        arguments: impl IntoIterator<Item = OsString>,
        vars: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Unusable> {
        let arguments = Arguments::read(arguments).map_err(Unusable::Usage)?;
        let cli = arguments.over(vars);
        let mut faults = Vec::new();
        let config = cli.check(&mut faults);
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(Unusable::Faults(Faults(faults))),
        }
    }

    /// From this process.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn from_process() -> Result<Self, Unusable> {
        Self::from_args(std::env::args_os(), std::env::vars_os())
    }
}

impl Cli {
    fn check(self, faults: &mut Vec<String>) -> Option<Config> {
        let command = self.command(faults);
        let max_line = number("--max-line", self.max_line.as_deref(), 64 << 20, faults);
        let session = SessionLimits {
            idle_timeout: seconds("--timeout", self.timeout.as_deref(), 300, faults),
            call_timeout: Some(seconds("--call-timeout", self.call_timeout.as_deref(), 3600, faults))
                .filter(|timeout| !timeout.is_zero()),
            max_calls: at_least_one("--max-calls", self.max_calls.as_deref(), 256, faults),
            replay_bytes: number("--replay-bytes", self.replay_bytes.as_deref(), 1 << 20, faults),
        };
        if session.idle_timeout.is_zero() {
            faults.push("--timeout must be more than 0 seconds".to_owned());
        }
        let limits = Limits {
            session,
            sessions: at_least_one("--max-sessions", self.max_sessions.as_deref(), 1000, faults),
            sessions_per_user: at_least_one(
                "--max-sessions-per-user",
                self.max_sessions_per_user.as_deref(),
                100,
                faults,
            ),
        };
        let stop_grace = seconds("--stop-timeout", self.stop_timeout.as_deref(), 5, faults);
        let log_level = self.log_level.as_deref().unwrap_or("info");
        let log_level = level(log_level).unwrap_or_else(|| {
            faults.push(format!("--log-level {log_level:?} is none of off, error, warn, info, debug, trace"));
            log::LevelFilter::Info
        });
        let child_limits = child::Limits { max_line, stdin_queue: STDIN_QUEUE, stdout_queue: STDOUT_QUEUE, stop_grace };
        Some(Config {
            host: self.host.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: number("--port", self.port.as_deref(), 3000, faults),
            era: era(self.era.as_deref(), faults),
            limits,
            origin: OriginPolicy { loopback: false, hosts: self.allowed_hosts, origins: self.allowed_origins },
            max_body: at_least_one("--max-body", self.max_body.as_deref(), 16 << 20, faults),
            metrics_port: self.metrics_port.map(|port| number("--metrics-port", Some(&port), 0, faults)),
            require_user: self.require_user,
            shutdown_timeout: seconds("--shutdown-timeout", self.shutdown_timeout.as_deref(), 5, faults),
            log_level,
            log_file: self.log_file.map(PathBuf::from),
            spawning: Spawning { command: command?, limits: child_limits },
        })
    }

    fn command(&self, faults: &mut Vec<String>) -> Option<Command> {
        let words = match (&self.command[..], &self.server_command) {
            ([], Some(line)) => match words::split(line) {
                Ok(words) => words.into_iter().map(OsString::from).collect(),
                Err(fault) => {
                    faults.push(format!("SERVER_COMMAND {fault}"));
                    return None;
                }
            },
            (words, _) => words.to_vec(),
        };
        let mut words = words.into_iter();
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            faults.push("no command: name the MCP server to run, as arguments or in SERVER_COMMAND".to_owned());
            return None;
        };
        Some(Command { program, args: words.collect(), env: Vec::new() })
    }
}

fn number<T: std::str::FromStr>(option: &str, text: Option<&str>, default: T, faults: &mut Vec<String>) -> T {
    match text.map(str::parse) {
        None => default,
        Some(Ok(number)) => number,
        Some(Err(_)) => {
            faults.push(format!("{option} {:?} is not a number in range", text.unwrap_or_default()));
            default
        }
    }
}

fn at_least_one(option: &str, text: Option<&str>, default: usize, faults: &mut Vec<String>) -> usize {
    let number = number(option, text, default, faults);
    if number == 0 {
        faults.push(format!("{option} must be at least 1"));
    }
    number
}

fn seconds(option: &str, text: Option<&str>, default: u32, faults: &mut Vec<String>) -> Duration {
    match text.map(str::parse::<f64>) {
        None => Duration::from_secs(default.into()),
        Some(Ok(seconds)) if (0.0..=1e9).contains(&seconds) => Duration::from_secs_f64(seconds),
        Some(_) => {
            faults.push(format!("{option} {:?} is not a number of seconds", text.unwrap_or_default()));
            Duration::from_secs(default.into())
        }
    }
}

fn era(text: Option<&str>, faults: &mut Vec<String>) -> EraSetting {
    match text.unwrap_or("auto") {
        "auto" => EraSetting::Auto,
        "legacy" => EraSetting::Fixed(Era::Legacy),
        "modern" => EraSetting::Fixed(Era::Modern),
        other => {
            faults.push(format!("--era {other:?} is none of auto, legacy, modern"));
            EraSetting::Auto
        }
    }
}

/// The names of `log`, and those that Python operators are used to.
fn level(text: &str) -> Option<log::LevelFilter> {
    match text.to_ascii_lowercase().as_str() {
        "warning" => Some(log::LevelFilter::Warn),
        "critical" => Some(log::LevelFilter::Error),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
