//! From text to checked values. Whatever is wrong is added to the faults, and a default goes on in its place, so that
//! all faults are found in one run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::cli::{Access, Arguments, Bounds, Log, Time, Wrapped};
use super::{
    BodyLimits, Config, EraSetting, Isolation, Limits, LogConfig, LogFormat, SessionLimits, Spawning, cluster, words,
};
use crate::child::{self, Command};
use crate::mcp::identity::FromHeader;
use crate::mcp::origin::{OriginPolicy, listed_host, listed_origin};
use crate::mcp::version::Era;

/// Lines on their way to a child that is busy, and events on their way from it.
const MAX_BODY: usize = 16 << 20;
/// Bodies of the largest size that a child may leave unread.
const BODIES_UNREAD: usize = 2;
const STDIN_QUEUE: usize = 256;
const STDOUT_QUEUE: usize = 256;

const ERAS: [(&str, EraSetting); 3] = [
    ("auto", EraSetting::Auto),
    ("legacy", EraSetting::Fixed(Era::Legacy)),
    ("modern", EraSetting::Fixed(Era::Modern)),
];

const ISOLATIONS: [(&str, Isolation); 3] =
    [("session", Isolation::Session), ("user", Isolation::User), ("shared", Isolation::Shared)];

impl Arguments {
    pub(super) fn check(self, faults: &mut Vec<String>) -> Option<Config> {
        let mut command = self.command(faults);
        let Self { listening, wrapped, access, time, bounds, replicas, log, .. } = self;
        let cluster = cluster::read(replicas, faults);
        if let Some(command) = command.as_mut().filter(|_| cluster.is_some()) {
            command.env.extend(cluster::withheld());
        }
        let limits = limits(&time, &bounds, faults);
        let told = told(&wrapped, faults);
        let isolation = one_of("--isolation", wrapped.isolation.as_deref(), &ISOLATIONS, faults);
        if limits.warm > 0 && !told.is_empty() {
            faults.push("--warm starts servers before their user is known: it cannot go with --env-from-header or --arg-from-header".to_owned());
        }
        let port = number("--port", listening.port.as_deref(), 3000, faults);
        let metrics_port = listening.metrics_port.map(|port| number("--metrics-port", Some(&port), 0, faults));
        if port != 0 && metrics_port == Some(port) {
            faults.push("--metrics-port is --port: leave it out, and /metrics is there".to_owned());
        }
        let require_user = access.require_user;
        Some(Config {
            host: listening.host.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port,
            era: one_of("--era", wrapped.era.as_deref(), &ERAS, faults),
            metrics_port,
            limits,
            origin: origin(access, faults),
            body: BodyLimits {
                bytes: at_least_one("--max-body", bounds.max_body.as_deref(), MAX_BODY, faults),
                within: some_seconds("--body-timeout", time.body_timeout.as_deref(), 60, faults),
            },
            unread_timeout: some_seconds("--unread-timeout", time.unread_timeout.as_deref(), 120, faults),
            require_user,
            cluster,
            legacy_sse: listening.legacy_sse,
            shutdown_delay: seconds("--shutdown-delay", time.shutdown_delay.as_deref(), 0, faults),
            shutdown_timeout: seconds("--shutdown-timeout", time.shutdown_timeout.as_deref(), 5, faults),
            log: self::log(log, faults),
            spawning: Spawning { limits: child_limits(&time, &bounds, faults), command: command?, told, isolation },
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

/// What would refuse everybody, since nothing is ever equal to it, is a fault.
fn origin(access: Access, faults: &mut Vec<String>) -> OriginPolicy {
    let mut listed = |option: &str, texts: Vec<String>, read: fn(&str) -> Option<String>, like: &str| -> Vec<String> {
        let read =
            |text: String| read(&text).ok_or_else(|| faults.push(format!("{option} {text:?} is no {like}"))).ok();
        texts.into_iter().filter_map(read).collect()
    };
    let host = "host name such as example.com or *.example.com: no scheme, port or path";
    let page = "origin such as https://app.example.com or https://app.example.com:8443, nor *";
    let mut hosts = listed("--allowed-host", access.allowed_host, listed_host, host);
    // It may carry a port for demos; host names do not.
    let domain = access.base_domain.map(|domain| match domain.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => domain,
    });
    for name in listed("BASE_DOMAIN", domain.into_iter().collect(), listed_host, host) {
        hosts.extend([format!("*.{name}"), name]);
    }
    let origins = listed("--allowed-origin or MCP_CORS_ORIGINS", access.allowed_origin, listed_origin, page);
    OriginPolicy { loopback: false, hosts, origins }
}

fn limits(time: &Time, bounds: &Bounds, faults: &mut Vec<String>) -> Limits {
    let idle_timeout = some_seconds("--timeout", time.timeout.as_deref(), 300, faults);
    let call_timeout = seconds("--call-timeout", time.call_timeout.as_deref(), 3600, faults);
    Limits {
        session: SessionLimits {
            idle_timeout,
            call_timeout: Some(call_timeout).filter(|timeout| !timeout.is_zero()),
            max_calls: at_least_one("--max-calls", bounds.max_calls.as_deref(), 256, faults),
            replay_bytes: number("--replay-bytes", bounds.replay_bytes.as_deref(), 1 << 20, faults),
            unread_bytes: BODIES_UNREAD.saturating_mul(number(
                "--max-body",
                bounds.max_body.as_deref(),
                MAX_BODY,
                &mut Vec::new(),
            )),
        },
        sessions: at_least_one("--max-sessions", bounds.max_sessions.as_deref(), 1000, faults),
        sessions_per_user: at_least_one(
            "--max-sessions-per-user",
            bounds.max_sessions_per_user.as_deref(),
            100,
            faults,
        ),
        warm: number("--warm", bounds.warm.as_deref(), 0, faults),
    }
}

fn log(log: Log, faults: &mut Vec<String>) -> LogConfig {
    let format = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    LogConfig {
        level: level(log.log_level.as_deref().unwrap_or("info"), faults),
        format: one_of("--log-format", log.log_format.as_deref(), &format, faults),
        file: log.log_file.map(PathBuf::from),
        access: one_of("--access-log", log.access_log.as_deref(), &[("on", true), ("off", false)], faults),
    }
}

fn child_limits(time: &Time, bounds: &Bounds, faults: &mut Vec<String>) -> child::Limits {
    child::Limits {
        max_line: at_least_one("--max-line", bounds.max_line.as_deref(), 64 << 20, faults),
        stdin_queue: STDIN_QUEUE,
        stdout_queue: STDOUT_QUEUE,
        stop_grace: seconds("--stop-timeout", time.stop_timeout.as_deref(), 5, faults),
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

fn some_seconds(option: &str, text: Option<&str>, default: u32, faults: &mut Vec<String>) -> Duration {
    let time = seconds(option, text, default, faults);
    if time.is_zero() {
        faults.push(format!("{option} must be more than 0 seconds"));
    }
    time
}

fn told(wrapped: &Wrapped, faults: &mut Vec<String>) -> Vec<FromHeader> {
    let env = wrapped.env_from_header.iter().map(|text| ("--env-from-header", text, FromHeader::env(text)));
    let arg = wrapped.arg_from_header.iter().map(|text| ("--arg-from-header", text, FromHeader::arg(text)));
    let valid = env.chain(arg).filter_map(|(option, text, place)| {
        place.map_err(|fault| faults.push(format!("{option} {text:?}: {fault}"))).ok()
    });
    valid.collect()
}

/// The first is the default.
fn one_of<T: Copy>(option: &str, text: Option<&str>, words: &[(&str, T)], faults: &mut Vec<String>) -> T {
    let (_, meant) = words[0];
    let Some(text) = text else { return meant };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map_or_else(
        || {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            faults.push(format!("{option} {text:?} is none of {}", known.join(", ")));
            meant
        },
        |(_, value)| *value,
    )
}

/// The names of `log`, and those that Python operators are used to.
fn level(text: &str, faults: &mut Vec<String>) -> log::LevelFilter {
    match text.to_ascii_lowercase().as_str() {
        "warning" => log::LevelFilter::Warn,
        "critical" => log::LevelFilter::Error,
        other => other.parse().unwrap_or_else(|_| {
            faults.push(format!("--log-level {text:?} is none of off, error, warn, info, debug, trace"));
            log::LevelFilter::Info
        }),
    }
}
