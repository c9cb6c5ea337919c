//! The official SDKs' clients through the sidecar, in both eras: what differs between the eras, each does with its own
//! code (tests/clients/*/eras.*).

use std::process::Command;

use gateway_tests::client::{Client, Login};
use gateway_tests::harness::{Gateway, Process, Setup, StoreKind, binary, repository, tool};
use serde_json::{Value, json};

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// How the client opens, what the server speaks, and what they must come to.
const MEETINGS: [(&str, &str, &str); 5] = [
    ("legacy", "legacy", LEGACY),
    ("auto", "legacy", LEGACY),
    ("legacy", "dual", LEGACY),
    ("auto", "dual", MODERN),
    ("auto", "modern", MODERN),
];

struct Sidecar {
    url: String,
    _process: Process,
}

impl Sidecar {
    /// Around the scripted fixture.
    fn start(era: &str) -> Self {
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--host", "127.0.0.1", "--port", "0", "--"]).arg(binary("stdio-fixture")).args(["--era", era]);
        let mut process = Process::start(&format!("mcp-sidecar-{era}"), &mut run);
        Self { url: format!("http://{}/mcp", process.address()), _process: process }
    }
}

fn meets_every_server(client: &Command) {
    let sidecars = ["legacy", "dual", "modern"].map(|era| (era, Sidecar::start(era)));
    for (mode, era, protocol) in MEETINGS {
        let (_, sidecar) = sidecars.iter().find(|(known, _)| *known == era).expect("just started");
        let seen = report(client, &json!({ "url": sidecar.url, "mode": mode }));
        let met = format!("{mode} client, {era} server: {seen}");
        assert_eq!(seen["protocol"], protocol, "{met}");
        did_everything(&seen, protocol, &met);
    }
}

/// What a client printed that has done the plan.
fn report(client: &Command, plan: &Value) -> Value {
    let mut run = Command::new(client.get_program());
    let vars = client.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let output = run.args(client.get_args()).envs(vars).arg(plan.to_string()).output().expect("it can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{plan}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{plan}: {error}: {said}"))
}

fn did_everything(seen: &Value, protocol: &str, met: &str) {
    assert!(seen["tools"].as_array().is_some_and(|tools| tools.contains(&json!("echo"))), "{met}");
    assert_eq!(seen["echo"], "grüß Gott", "{met}");
    assert_eq!(seen["progress"].as_array().map(Vec::len), Some(3), "{met}");
    assert_eq!(seen["route"], json!({ "region": "eu", "priority": 7, "dryRun": true, "text": "grüß Gott" }), "{met}");
    assert_eq!(seen["answer"], json!({ "action": "accept", "content": { "answer": "Ada Lovelace" } }), "{met}");
    // The fixture asks as often as it is told to, but in a session once.
    let asked = if protocol == MODERN { json!(["who?", "who?"]) } else { json!(["who?"]) };
    assert_eq!(seen["asked"], asked, "{met}");
    assert_eq!(seen["cancelled"], true, "{met}");
}

fn python(interpreter: &str, client: &str) -> Command {
    let mut python = Command::new(tool(interpreter));
    python.arg(repository().join("tests/clients/python/eras.py")).arg(client);
    python
}

#[test]
fn the_python_sdk_meets_servers_of_every_era() {
    meets_every_server(&python("venv/bin/python", "mcp"));
}

#[test]
fn fastmcp_meets_servers_of_every_era() {
    meets_every_server(&python("clients/bin/python", "fastmcp"));
}

fn typescript() -> Command {
    let mut node = Command::new(tool("node/bin/node"));
    node.arg(repository().join("tests/clients/typescript/eras.mts"));
    node
}

#[test]
fn the_typescript_sdk_meets_servers_of_every_era() {
    meets_every_server(&typescript());
}

/// The other clients cannot be told which revision to ask for.
#[test]
fn the_typescript_sdk_is_served_in_the_older_revisions_that_it_asks_for() {
    let sidecar = Sidecar::start("legacy");
    for revision in ["2025-03-26", "2025-06-18"] {
        let seen = report(&typescript(), &json!({ "url": sidecar.url, "mode": revision }));
        assert_eq!(seen["protocol"], revision, "{seen}");
        did_everything(&seen, revision, revision);
    }
}

/// Its own code has logged in elsewhere (tests/e2e/journey.rs); here it is what comes after that counts.
async fn token(gateway: &Gateway) -> String {
    let client = Client::register(gateway.browser(), &gateway.issuer(), "Eras").await;
    let login = Login { user: "octocat", resource: &gateway.mcp("eras"), scope: "" };
    client.log_in(&login).await.access_token
}

#[tokio::test]
async fn clients_of_both_eras_share_one_server_behind_the_gateway() {
    let gateway = Setup::new(StoreKind::Embedded).fixture("eras", &["--era", "dual"]).start();
    let token = token(&gateway).await;
    let clients = repository().join("tests/clients");
    let (mut python, mut node) = (python("venv/bin/python", "mcp"), typescript());
    python.env("PYTHONPATH", clients.join("python/site")).env("GATEWAY_CA", gateway.certificate.authority());
    let names = format!("--require={}", clients.join("node/localhost.cjs").display());
    node.env("NODE_OPTIONS", names).env("NODE_EXTRA_CA_CERTS", gateway.certificate.authority());
    for client in [&python, &node] {
        for (mode, protocol) in [("legacy", LEGACY), ("auto", MODERN)] {
            let seen = report(client, &json!({ "url": gateway.mcp("eras"), "mode": mode, "token": token }));
            assert_eq!(seen["protocol"], protocol, "{seen}");
            did_everything(&seen, protocol, mode);
        }
    }
}
