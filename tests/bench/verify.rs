//! `/verify` with a valid token, as Traefik asks it: ours on both stores, the Python original, and a bare handler.

use std::error::Error;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gateway_tests::github::{GitHub, OAuthApp};
use tempfile::TempDir;

use crate::compare::{Effort, Measured, Subject, footprints, rounds};
use crate::http::request;
use crate::load::{HttpLoad, Load};
use crate::login;
use crate::places::{built, command, original};
use crate::process::{Program, Running};
use crate::redis::Redis;

pub(crate) const EMBEDDED: &str = "auth-server, embedded store";
pub(crate) const ON_REDIS: &str = "auth-server, Redis";
pub(crate) const ORIGINAL: &str = "Python original, Redis";
pub(crate) const BARE: &str = "bare actix handler (limit)";
pub(crate) const LOADS: [&str; 3] = ["1 connection", "64 connections", "64 connections, 10,000 requests/s together"];
/// Of each paced connection.
const EVERY: Duration = Duration::from_micros(6400);

pub(crate) const DOMAIN: &str = "bench.localhost";
pub(crate) const HOST: &str = "auth.bench.localhost";

/// What the programs need while they run.
struct Surroundings {
    redis: Redis,
    github: GitHub,
    folder: TempDir,
}

pub(crate) async fn run(effort: Effort) -> Result<Vec<Measured>, Box<dyn Error>> {
    let around = Surroundings {
        redis: Redis::start()?,
        github: GitHub::start(OAuthApp::with_callback(format!("https://{HOST}/callback"))),
        folder: tempfile::tempdir()?,
    };
    let (key, original_token) = around.original_credentials()?;
    let programs = [
        around.auth_server(EMBEDDED, None)?,
        around.auth_server(ON_REDIS, Some(around.redis.url(0)))?,
        around.original(key)?,
        bare()?,
    ];
    let mut subjects = Vec::new();
    for (program, footprint) in programs.iter().zip(footprints(&programs, effort).await?) {
        let running = program.start().await?;
        let ours = [EMBEDDED, ON_REDIS].contains(&program.name);
        let token = if ours { login::access_token(running.addr, HOST).await? } else { original_token.clone() };
        let loads = loads(&running, &token, program.name == ORIGINAL);
        subjects.push(Subject { name: program.name, running: Some(running), loads, footprint, may_lose: false });
    }
    Ok(rounds(subjects, effort).await?)
}

impl Surroundings {
    fn auth_server(&self, name: &'static str, redis: Option<String>) -> io::Result<Program> {
        let binary = built("auth-server");
        let data = self.folder.path().join(name);
        let github = self.github.url();
        let start = move |port: u16| {
            let mut command = serve(&binary, port);
            settings(&mut command).env("GITHUB_BASE_URL", &github).env("GITHUB_API_URL", &github);
            command.env("DATA_DIR", &data).envs(redis.iter().map(|url| ("REDIS_URL", url)));
            command
        };
        Ok(Program { name, command: Box::new(start), probe: probe() })
    }

    fn original(&self, key: String) -> io::Result<Program> {
        let (binary, folder, redis) = (original("mcp-oauth-server"), self.folder.path().to_owned(), self.redis.url(1));
        let start = move |port: u16| {
            let mut command = serve(&binary, port);
            settings(&mut command).env("REDIS_URL", &redis).env("JWT_PRIVATE_KEY_B64", &key).current_dir(&folder);
            command
        };
        Ok(Program { name: ORIGINAL, command: Box::new(start), probe: probe() })
    }

    /// A signing key, and a token that the original's own code issued with it.
    fn original_credentials(&self) -> Result<(String, String), Box<dyn Error>> {
        let mut mint = command(&original("python"));
        settings(&mut mint).env("REDIS_URL", self.redis.url(1)).current_dir(self.folder.path());
        let output = mint.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/bench/original.py")).output()?;
        let printed = String::from_utf8(output.stdout)?;
        let (key, token) =
            printed.trim().split_once(' ').ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok((key.to_owned(), token.to_owned()))
    }
}

pub(crate) fn bare() -> io::Result<Program> {
    let binary = std::env::current_exe()?;
    let start = move |port: u16| {
        let mut command = command(&binary);
        command.args(["--bare", &port.to_string()]);
        command
    };
    Ok(Program { name: BARE, command: Box::new(start), probe: probe() })
}

pub(crate) fn serve(binary: &Path, port: u16) -> Command {
    let mut command = command(binary);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    command
}

/// The original demands every one of these; ours takes the same.
pub(crate) fn settings(command: &mut Command) -> &mut Command {
    command.envs([
        ("BASE_DOMAIN", DOMAIN),
        ("GITHUB_CLIENT_ID", "standin-client"),
        ("GITHUB_CLIENT_SECRET", "standin-secret"),
        ("JWT_SECRET", "benchmark-benchmark-benchmark-benchmark"),
        ("JWT_ALGORITHM", "RS256"),
        ("REDIS_PASSWORD", ""),
        // What is late is slow, and no error: that is what is measured.
        ("REDIS_TIMEOUT_SECONDS", "30"),
        ("ACCESS_TOKEN_LIFETIME", "86400"),
        ("REFRESH_TOKEN_LIFETIME", "86400"),
        ("SESSION_TIMEOUT", "300"),
        ("CLIENT_LIFETIME", "86400"),
        ("ALLOWED_GITHUB_USERS", "*"),
        ("MCP_PROTOCOL_VERSION", "2025-11-25"),
    ])
}

pub(crate) fn probe() -> Vec<u8> {
    request("GET /.well-known/oauth-authorization-server", HOST, &[("X-Forwarded-Host", HOST)], "")
}

/// The original answers a fraction of what is sent at a pace.
fn loads(server: &Running, token: &str, original: bool) -> Vec<(&'static str, Load)> {
    let ask = verify_request(token);
    let load = |connections, every| {
        let requests = vec![ask.clone(); connections];
        Load::Http(HttpLoad { addr: server.addr, process: server.id(), requests, expected: "", every })
    };
    let all = LOADS.into_iter().zip([load(1, None), load(64, None), load(64, Some(EVERY))]);
    all.filter(|(label, _)| !original || *label != LOADS[2]).collect()
}

/// What Traefik's ForwardAuth sends for a `POST /mcp` to the service `time`.
pub(crate) fn verify_request(token: &str) -> Vec<u8> {
    let headers = [
        ("Authorization", &*format!("Bearer {token}")),
        ("X-Forwarded-Method", "POST"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "time.bench.localhost"),
        ("X-Forwarded-Uri", "/mcp"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Accept", "application/json, text/event-stream"),
    ];
    request("GET /verify", HOST, &headers, "")
}
