//! Everything that the suite is pointed at, started once and ended with the value.

use std::path::PathBuf;
use std::process::Command;

use gateway_tests::client::{Client, Login, http_client};
use gateway_tests::harness::{Gateway, Process, Setup, StoreKind, binary, tool};
use url::Url;

use crate::front::{Changes, Front};
use crate::runs::{Child, Run, Through};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/fixture");

pub(crate) struct Stands {
    servers: Vec<(Through, Child, Process, Url)>,
    gateway: Gateway,
    /// Of one person, for each service behind the gateway.
    tokens: Vec<(Child, String)>,
}

impl Stands {
    pub(crate) fn start() -> Self {
        let mut servers: Vec<_> = [Child::Legacy, Child::Modern].map(native).into();
        servers.extend([Child::Legacy, Child::Modern, Child::Dual].map(sidecar));
        let gateway = gateway();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let tokens = [Child::Legacy, Child::Modern].map(|child| (child, runtime.block_on(log_in(&gateway, child))));
        Self { servers, gateway, tokens: tokens.into() }
    }

    /// What `run` talks to, as it is to be talked to.
    pub(crate) fn front(&self, run: &Run) -> Front {
        Front::start(match run.through {
            Through::Gateway => self.through_gateway(run),
            _ => self.direct(run),
        })
    }

    fn direct(&self, run: &Run) -> Changes {
        let found = self.servers.iter().find(|(through, child, ..)| (*through, *child) == (run.through, run.child));
        let (.., url) = found.expect("every run has its server");
        // Node's servers close idle connections early, and maybe just when the next request is on its way.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client needs nothing");
        Changes { target: url.clone(), revision: run.revision, token: None, http }
    }

    fn through_gateway(&self, run: &Run) -> Changes {
        let token = self.tokens.iter().find(|(child, _)| *child == run.child).map(|(_, token)| token.clone());
        let target = Url::parse(&self.gateway.mcp(run.child.name())).expect("a URL");
        let http = http_client(&self.gateway.certificate.authority()).build().expect("a client");
        Changes { target, revision: run.revision, token, http }
    }
}

/// By the SDK's own HTTP transport.
fn native(child: Child) -> (Through, Child, Process, Url) {
    let mut node = node();
    started(Through::Nothing, child, node.arg(format!("{FIXTURE}/{}/http.cjs", child.folder())).arg("0"))
}

fn sidecar(child: Child) -> (Through, Child, Process, Url) {
    let mut sidecar = Command::new(binary("mcp-sidecar"));
    sidecar.args(["--host", "127.0.0.1", "--port", "0", "--"]).args(command(child));
    started(Through::Sidecar, child, &mut sidecar)
}

fn started(through: Through, child: Child, command: &mut Command) -> (Through, Child, Process, Url) {
    let mut process = Process::start(&format!("{through:?}-{}", child.name()), command);
    let url = Url::parse(&format!("http://localhost:{}/mcp", process.address().port())).expect("a URL");
    (through, child, process, url)
}

/// Both services behind Traefik and auth-server.
fn gateway() -> Gateway {
    let setup = Setup::new(StoreKind::Embedded);
    let children = [Child::Legacy, Child::Modern];
    children.into_iter().fold(setup, |setup, child| setup.sidecar(child.name(), command(child))).start()
}

async fn log_in(gateway: &Gateway, child: Child) -> String {
    let client = Client::register(gateway.browser(), &gateway.issuer(), &format!("Conformance {}", child.name())).await;
    let login = Login { user: "octocat", resource: &gateway.mcp(child.name()), scope: "" };
    client.log_in(&login).await.access_token
}

/// The fixture over stdio.
fn command(child: Child) -> Vec<String> {
    let modules = format!("NODE_PATH={}", tool("npm/node_modules").display());
    let script = format!("{FIXTURE}/{}/stdio.cjs", child.folder());
    let node = node_path().to_string_lossy().into_owned();
    let options = match child {
        Child::Legacy => None,
        Child::Modern => Some("reject"),
        Child::Dual => Some("serve"),
    };
    ["/usr/bin/env".to_owned(), modules, node, script].into_iter().chain(options.map(str::to_owned)).collect()
}

pub(crate) fn node() -> Command {
    let mut node = Command::new(node_path());
    node.env("NODE_PATH", tool("npm/node_modules"));
    node
}

fn node_path() -> PathBuf {
    tool("node/bin/node")
}
