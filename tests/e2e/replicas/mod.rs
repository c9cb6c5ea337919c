//! Several sidecars around one MCP service: one Redis, one balancer, nothing sticky.

mod away;
mod behind_traefik;
mod ended;
mod guarded;
mod load;
mod misled;
mod passed_on;
mod sharing;

use std::process::Command;

use gateway_tests::{
    client::McpClient,
    harness::{Balancer, Process, Redis, binary, eventually, free_port},
};
use reqwest::{Client, StatusCode, header::HeaderMap};
use serde_json::json;

pub(crate) use crate::support::SOON;

/// One sidecar around the scripted server, on a port that survives its restarts.
pub(crate) struct Replica {
    pub(crate) process: Process,
    port: u16,
    redis_url: String,
    options: Vec<String>,
    http: Client,
}

impl Replica {
    fn start(redis_url: &str, options: &[&str]) -> Self {
        let (port, options) = (free_port(), options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>());
        let process = Self::run(port, redis_url, &options);
        Self { process, port, redis_url: redis_url.to_owned(), options, http: Client::new() }
    }

    fn run(port: u16, redis_url: &str, options: &[String]) -> Process {
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--port", &port.to_string()]).args(options);
        run.arg("--").arg(binary("stdio-fixture")).env("REDIS_URL", redis_url).env("LOG_LEVEL", "debug");
        let mut process = Process::start("mcp-sidecar", &mut run);
        process.address();
        process
    }

    /// Starts it anew, however it has ended.
    pub(crate) fn resume(&mut self) {
        self.process = Self::run(self.port, &self.redis_url, &self.options);
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/mcp", self.base())
    }

    /// The value of one series of `/metrics`.
    pub(crate) async fn metric(&self, series: &str) -> u64 {
        let asked = self.http.get(format!("{}/metrics", self.base())).send().await;
        let text = asked.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {series} in {text}"))
    }
}

pub(crate) struct Replicas {
    pub(crate) redis: Redis,
    pub(crate) replicas: Vec<Replica>,
}

impl Drop for Replicas {
    /// All at once, which takes a second instead of two.
    fn drop(&mut self) {
        for replica in &mut self.replicas {
            replica.process.ask_to_end();
        }
    }
}

impl Replicas {
    pub(crate) fn start(options: &[&str]) -> Self {
        let redis = Redis::start();
        // As after hours of use: what is not there is not there.
        redis.cli(&["SET", "redis:replicas:epoch", "1"]);
        let replicas = [0, 1].map(|_| Replica::start(&redis.url(), options)).into();
        let mut started = Self { redis, replicas };
        started.replicas.iter_mut().for_each(announced);
        started
    }

    pub(crate) fn balancer(&self) -> Balancer {
        Balancer::over(&self.replicas.iter().map(Replica::base).collect::<Vec<_>>(), "/ready")
    }

    /// A session at one replica, and the same session through the other one.
    pub(crate) async fn session(&self, at: usize) -> (McpClient, McpClient) {
        let here = session(&self.replicas[at].url(), "alice").await;
        let there = here.through(&self.replicas[1 - at].url());
        (here, there)
    }

    /// No log of any replica has this in it.
    pub(crate) fn never_logged(&self, secret: &str) {
        assert!(!secret.is_empty());
        for replica in &self.replicas {
            assert!(!replica.process.log().contains(secret), "{}", replica.process.log());
        }
    }
}

fn announced(replica: &mut Replica) {
    replica.process.within("announce itself", |log| log.contains("replica announced").then_some(()));
}

pub(crate) fn person(name: &str) -> Client {
    let headers = HeaderMap::from_iter([("x-user-id".parse().unwrap(), name.parse().unwrap())]);
    Client::builder().default_headers(headers).timeout(SOON).build().unwrap()
}

pub(crate) async fn session(url: &str, user: &str) -> McpClient {
    McpClient::connect(&person(user), url, "no token needed here").await
}

/// How a small request in the session ends.
pub(crate) async fn pinged(client: &McpClient) -> StatusCode {
    client.post(&client.request("ping", json!({}))).await.status()
}

/// Until a request in the session ends so.
pub(crate) async fn until(client: &McpClient, status: StatusCode) {
    let ends_so = async || (pinged(client).await == status).then_some(());
    eventually(SOON, &format!("a ping is answered with {status}"), ends_so).await;
}
