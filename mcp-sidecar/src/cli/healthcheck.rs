//! `mcp-sidecar healthcheck`: asks a sidecar whether it is ready, for images that have no curl.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use super::{explain, misused, tell};
use crate::config::cli::{Arguments, local_url};
use crate::logging::one_line;

const EXAMPLES: &str = "\
Exit code: 0 when the answer is 200, else 1, with the reason on stderr.

Examples:
  mcp-sidecar healthcheck
  mcp-sidecar healthcheck --url http://127.0.0.1:8080/health
  HEALTHCHECK --timeout=35s CMD [\"mcp-sidecar\", \"healthcheck\"]     (in a Dockerfile)";

/// Asks a running sidecar whether its server would answer a client.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
struct Options {
    /// What to ask; /health instead of /ready asks for the sidecar alone (default: /ready on `MCP_PORT`, `PORT` or 3000)
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Seconds until the answer must be complete (default: 30)
    #[arg(long, value_name = "S")]
    timeout: Option<String>,
}

pub(super) fn main(
    words: impl Iterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(usage) => return explain(&usage),
    };
    let url = options.url.unwrap_or_else(|| local_url(Arguments::default().over(vars)));
    let Some(target) = Target::parse(&url) else {
        return misused(&format!("--url {url:?} is not http://HOST:PORT/PATH"));
    };
    let Some(timeout) = seconds(options.timeout.as_deref(), 30) else {
        return misused("--timeout is not a number of seconds above 0");
    };
    match target.ask(timeout) {
        Ok(Answer { status: 200, .. }) => ExitCode::SUCCESS,
        Ok(Answer { status, body }) => failed(&format!("{url} answered {status}: {}", one_line(body.trim_end()))),
        Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            failed(&format!("{url} gave no answer within {} s", timeout.as_secs_f64()))
        }
        Err(cause) => failed(&format!("{url} does not answer: {cause}")),
    }
}

fn failed(why: &str) -> ExitCode {
    tell(&mut io::stderr(), &format!("{why}\n"));
    ExitCode::FAILURE
}

/// `None` when it is no number of seconds.
pub(super) fn seconds(text: Option<&str>, default: u64) -> Option<Duration> {
    let Some(text) = text else { return Some(Duration::from_secs(default)) };
    let seconds: f64 = text.parse().ok()?;
    (0.001..=1e6).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// With its port.
    authority: String,
    path: String,
}

struct Answer {
    status: u16,
    body: String,
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.is_empty() || url.contains(|char: char| char.is_whitespace() || char.is_control()) {
            return None;
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        Some(Self { authority, path: format!("/{path}") })
    }

    fn ask(&self, timeout: Duration) -> io::Result<Answer> {
        let deadline = Instant::now() + timeout;
        let mut stream = connect(self.authority.to_socket_addrs()?, deadline)?;
        stream.set_write_timeout(Some(left(deadline)?))?;
        let Self { authority, path } = self;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        Until { stream, deadline }.take(1 << 16).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("that is not HTTP"))?;
        Ok(Answer { status, body: body.to_owned() })
    }
}

/// An answer must be complete by then: a byte now and then is none.
struct Until {
    stream: TcpStream,
    deadline: Instant,
}

impl Read for Until {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(into)
    }
}

/// Never zero, which would be for ever.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The first that is listened at: a sidecar at 127.0.0.1 is `localhost` too where that is ::1 first.
fn connect(addrs: impl Iterator<Item = SocketAddr>, deadline: Instant) -> io::Result<TcpStream> {
    let mut refused = io::ErrorKind::NotFound.into();
    for addr in addrs {
        match TcpStream::connect_timeout(&addr, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(cause) => refused = cause,
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    use socket2::{Domain, Socket, Type};

    #[test]
    fn every_address_of_a_name_is_tried() {
        let addr = |listener: &TcpListener| listener.local_addr().unwrap();
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        // Bound, so that it is nobody else's, but nobody listens.
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let nobody = bound.local_addr().unwrap().as_socket().unwrap();
        let at = |addrs: &[SocketAddr]| connect(addrs.iter().copied(), Instant::now() + Duration::from_secs(20));
        assert_eq!(at(&[nobody, addr(&listening)]).unwrap().peer_addr().unwrap(), addr(&listening));
        assert_eq!(at(&[nobody]).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_target_is_plain_http_with_a_host() {
        let target = |authority: &str, path: &str| Some(Target { authority: authority.into(), path: path.into() });
        assert_eq!(Target::parse("http://127.0.0.1:3000/ready"), target("127.0.0.1:3000", "/ready"));
        assert_eq!(Target::parse("http://[::1]:3000/health?ready"), target("[::1]:3000", "/health?ready"));
        assert_eq!(Target::parse("http://mcp-time"), target("mcp-time:80", "/"));
        for odd in ["https://x/", "http:///ready", "x:3000", "http://x/\r\nEvil: 1"] {
            assert_eq!(Target::parse(odd), None, "{odd}");
        }
    }
}
