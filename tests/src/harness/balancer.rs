//! Several auth-servers, or several replicas of an MCP service, behind one address: another real Traefik, as small as it
//! can be. One after the other gets a request; no cookie makes any of them somebody's.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::{Process, free_port, tool, wait::within};

/// Who is asked whether a server answers has this long: then it does not.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Asks each server every second whether it is ready, and tries the next one when a connection is refused.
#[derive(Debug)]
pub struct Balancer {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Balancer {
    pub fn start(servers: &[String]) -> Self {
        Self::over(servers, "/health/ready")
    }

    /// `ready`: the path that answers 200 while a server is to get requests.
    pub fn over(servers: &[String], ready: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let (fixed, routes) = (folder.path().join("traefik.yml"), folder.path().join("routes.yml"));
        // What the first Traefik says of a request must come through.
        let trusted = "{ trustedIPs: ['127.0.0.1/32'] }";
        let listen = format!("entryPoints: {{ web: {{ address: '127.0.0.1:{port}', forwardedHeaders: {trusted} }} }}");
        let provide = format!("providers: {{ file: {{ filename: '{}' }} }}", routes.display());
        fs::write(&fixed, format!("{listen}\n{provide}\n")).expect("a file");
        let urls: Vec<_> = servers.iter().map(|url| format!("{{ url: '{url}' }}")).collect();
        // A server that is slow, because the machine is, is not away.
        let check = format!("{{ path: {ready}, interval: 1s, timeout: 20s }}");
        let balanced = format!("{{ servers: [{}], healthCheck: {check} }}", urls.join(", "));
        let router = "{ rule: 'PathPrefix(`/`)', service: auth, middlewares: [again] }";
        let routing = format!(
            "http:\n  routers: {{ all: {router} }}\n  middlewares: {{ again: {{ retry: {{ attempts: 10 }} }} }}\n  \
             services: {{ auth: {{ loadBalancer: {balanced} }} }}\n"
        );
        fs::write(&routes, routing).expect("a file");
        let mut run = Command::new(tool("bin/traefik"));
        run.arg(format!("--configFile={}", fixed.display()));
        let balancer = Self { port, _process: Process::start("balancer", &mut run), _folder: folder };
        within(Duration::from_secs(60), "the balancer does not lead anywhere", || answers(port).then_some(()));
        balancer
    }

    /// Makes it hear which connections have been closed until now. What it sends down one that a killed server has closed
    /// is lost, for it sends nothing twice, and 502 says so: until it has looked at all of them.
    pub fn hear_of_the_dead(&self) {
        let hears = || (0..20).all(|_| answers(self.port)).then_some(());
        within(Duration::from_secs(60), "the balancer goes on asking the dead", hears);
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut status = [0; 12];
    stream.set_read_timeout(Some(ANSWERS_WITHIN)).is_ok()
        && stream.write_all(b"GET /health HTTP/1.1\r\nHost: auth\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut status).is_ok_and(|()| &status == b"HTTP/1.1 200")
}
