//! What asking costs a whole request: Traefik asks auth-server, or a handler that always says yes, and passes it on.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use auth_server::oauth::secret::Secret;
use auth_server::store::{Backend, StoreConfig};
use gateway_tests::harness::tool;

use crate::cold::{self, ASKED};
use crate::compare::{Effort, Footprint, Measured, Subject, rounds};
use crate::http::request;
use crate::load::{HttpLoad, Load};
use crate::mint::{Mint, now};
use crate::places::command;
use crate::process::{Program, Running};
use crate::redis::Redis;
use crate::verify::{HOST, bare};

pub(crate) const OURS: &str = "Traefik asks auth-server";
pub(crate) const YES: &str = "Traefik asks a handler that says yes (limit)";
pub(crate) const LOADS: [(&str, usize); 2] = [("1 connection", 1), ("64 connections", 64)];

const OUR_HOST: &str = "ours.bench.localhost";
const YES_HOST: &str = "yes.bench.localhost";

pub(crate) async fn run(effort: Effort) -> Result<Vec<Measured>, Box<dyn Error>> {
    let (mint, redis, folder) = (Mint::new(format!("https://{HOST}"))?, Redis::start()?, tempfile::tempdir()?);
    let backend = Backend::Redis { url: Secret::new(redis.url(0)), password: None, timeout: Duration::from_secs(10) };
    mint.fill(&StoreConfig { backend, clock: now }, ASKED, 1).await?;
    let auth = cold::program(&mint, OURS, folder.path(), Some(redis.url(0))).start().await?;
    let (yes, upstream) = (bare()?.start().await?, bare()?.start().await?);
    let token = mint.token(ASKED, 0);
    let traefik = traefik(folder.path(), [(OUR_HOST, auth.addr), (YES_HOST, yes.addr)], upstream.addr, &token);
    let running = traefik.start().await?;
    let subjects = [(OURS, OUR_HOST), (YES, YES_HOST)].map(|(name, host)| Subject {
        name,
        running: None,
        loads: loads(&running, &ask(host, &token)),
        footprint: Footprint::default(),
        may_lose: false,
    });
    Ok(rounds(subjects.into(), effort).await?)
}

fn loads(traefik: &Running, ask: &[u8]) -> Vec<(&'static str, Load)> {
    let (addr, process) = (traefik.addr, traefik.id());
    let load =
        |connections| HttpLoad { addr, process, requests: vec![ask.to_vec(); connections], expected: "", every: None };
    LOADS.map(|(label, connections)| (label, Load::Http(load(connections)))).into()
}

fn ask(host: &str, token: &str) -> Vec<u8> {
    let headers = [("Authorization", &*format!("Bearer {token}")), ("Accept", "application/json, text/event-stream")];
    request("GET /mcp", host, &headers, "")
}

/// Without TLS, which would take the larger part: what asking costs shows the more.
fn traefik(folder: &Path, hosts: [(&str, SocketAddr); 2], upstream: SocketAddr, token: &str) -> Program {
    let routes = folder.join("routes.yml");
    let (mut routers, mut middlewares) = (String::new(), String::new());
    for (host, auth) in hosts {
        let name = host.split('.').next().unwrap_or_default();
        routers += &format!("    {name}: {{ rule: Host(`{host}`), service: upstream, middlewares: [{name}] }}\n");
        // The options are those of traefik/dynamic/middlewares.yml.
        middlewares += &format!(
            "    {name}:\n      forwardAuth:\n        address: http://{auth}/verify\n        trustForwardHeader: false\n\
             \x20       authRequestHeaders: [Accept, Authorization, Origin, User-Agent, X-Request-Id]\n\
             \x20       authResponseHeaders: [X-User-Id, X-User-Name, X-Client-Id, X-Scope, X-Auth-Token, Authorization]\n\
             \x20       maxResponseBodySize: 65536\n"
        );
    }
    let text = format!(
        "http:\n  routers:\n{routers}  middlewares:\n{middlewares}  services:\n    upstream:\n      loadBalancer:\n\
         \x20       servers: [{{ url: \"http://{upstream}\" }}]\n"
    );
    let folder = folder.to_owned();
    let start = move |port: u16| {
        let config = folder.join("traefik.yml");
        let entry = format!("entryPoints:\n  web:\n    address: 127.0.0.1:{port}\n");
        let told = format!(
            "global: {{ checkNewVersion: false, sendAnonymousUsage: false }}\n{entry}providers:\n  file:\n    filename: {}\nlog: {{ level: ERROR }}\n",
            routes.display()
        );
        fs::write(&routes, &text)
            .and_then(|()| fs::write(&config, told))
            .expect("a temporary folder can be written to");
        let mut command = command(&tool("bin/traefik"));
        command.arg(format!("--configFile={}", config.display()));
        command
    };
    Program { name: "Traefik", command: Box::new(start), probe: ask(OUR_HOST, token) }
}
