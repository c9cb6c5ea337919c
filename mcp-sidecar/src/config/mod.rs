//! Arguments and environment, in two steps: [`cli`] reads them as they are, `check` makes a checked [`Config`] of them.
//! The only reader of the environment; all faults are reported at once.

mod check;
pub mod cli;
mod cluster;
mod words;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::child::{self, Command};
use crate::cluster::ClusterConfig;
use crate::mcp::identity::{FromHeader, Place};
use crate::mcp::origin::OriginPolicy;
use crate::mcp::session_id::Owner;
use crate::mcp::version::{Era, ProtocolVersion};
use cli::Arguments;
pub(crate) use cluster::withheld;

#[derive(Clone, Debug)]
pub struct Config {
    pub host: String,
    pub port: u16,
    pub spawning: Spawning,
    pub era: EraSetting,
    pub limits: Limits,
    /// `loopback` is set once the address is known.
    pub origin: OriginPolicy,
    pub body: BodyLimits,
    /// How long a client may leave unread what it is sent.
    pub unread_timeout: Duration,
    pub require_user: bool,
    /// `None`: this is the only replica.
    pub cluster: Option<ClusterConfig>,
    /// `/sse` and `/messages` of 2024-11-05 are there.
    pub legacy_sse: bool,
    /// `/metrics` is there instead of on the main port.
    pub metrics_port: Option<u16>,
    /// How long balancers get to see that this sidecar is about to stop.
    pub shutdown_delay: Duration,
    /// How long calls in flight may take after SIGTERM.
    pub shutdown_timeout: Duration,
    pub log: LogConfig,
}

/// What is logged, and where besides standard error.
#[derive(Clone, Debug)]
pub struct LogConfig {
    pub level: log::LevelFilter,
    pub format: LogFormat,
    pub file: Option<PathBuf>,
    /// A line for each request.
    pub access: bool,
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for machines.
    Json,
}

/// What to start for a session, and how.
#[derive(Clone, Debug)]
pub struct Spawning {
    pub command: Command,
    pub limits: child::Limits,
    /// What a child is told about its user.
    pub told: Vec<FromHeader>,
    pub isolation: Isolation,
}

/// Who has a child of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    #[default]
    Session,
    User,
    Shared,
}

/// What sessions that share a child have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Common {
    pub(crate) owner: Owner,
    /// A child is asked for one revision, once, and «MUST respond with the same version» if it supports it
    /// (basic/lifecycle §Version Negotiation).
    pub(crate) requested: Option<ProtocolVersion>,
}

impl Isolation {
    /// What sessions that share a child have in common; `None`: none do. Who is told other things never shares one.
    pub(crate) fn key(self, owner: &Owner, requested: Option<ProtocolVersion>) -> Option<Common> {
        let owner = match self {
            Self::Session => return None,
            Self::User => owner.clone(),
            Self::Shared => owner.anybody(),
        };
        Some(Common { owner, requested })
    }

    /// The same for requests that stand alone and have no session to keep apart.
    pub(crate) fn pool_key(self, owner: &Owner) -> Cow<'_, Owner> {
        match self {
            Self::Session | Self::User => Cow::Borrowed(owner),
            Self::Shared => Cow::Owned(owner.anybody()),
        }
    }
}

impl Spawning {
    /// The same with the owner's values in their places.
    pub(crate) fn for_owner(&self, owner: &Owner) -> Self {
        let Self { command, limits, told, .. } = self;
        let mut command = command.clone();
        for (FromHeader { place, .. }, value) in told.iter().zip(owner.told_values()) {
            match place {
                Place::Env(name) => command.env.push((name.into(), value.as_ref().into())),
                Place::Arg(prefix) => command.args.push(format!("{prefix}={value}").into()),
            }
        }
        Self { command, limits: *limits, told: Vec::new(), isolation: self.isolation }
    }
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
    /// Spare children.
    pub warm: usize,
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
    /// Bytes from clients that the child has not read.
    pub unread_bytes: usize,
}

/// Of a request's body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    pub bytes: usize,
    /// One that is not complete by then is not coming.
    pub within: Duration,
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
        let mut faults = Vec::new();
        let config = arguments.over(vars).check(&mut faults);
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

#[cfg(test)]
mod tests;
