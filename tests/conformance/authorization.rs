//! The suite's `authorization` mode against auth-server behind real Traefik, for every revision of the protocol.
//!
//! It prints the URL that a person is to open, and waits for the redirect on a port of its own; our browser is the
//! person. No failure and no warning is expected, so there is no list of expected ones.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_tests::harness::{Gateway, Process, Setup, StoreKind, artifacts, free_port, repository, tool};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::stands::node;
use crate::suite::PACKAGE;

const REVISIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

#[derive(Debug, Deserialize)]
struct Check {
    id: String,
    status: String,
}

#[tokio::test]
async fn the_suites_authorization_mode_passes_for_every_revision() {
    let gateway = Setup::new(StoreKind::Embedded).fixture("everything", &[]).start();
    for revision in REVISIONS {
        let (folder, log) = run(&gateway, revision).await;
        let checks = checks(&folder);
        assert!(checks.iter().all(|check| check.status == "SUCCESS"), "{revision}: {checks:?} {log}");
        let seen: Vec<_> = checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(seen, expected(revision), "{log}");
    }
}

/// Nothing that the suite asks may be left out without being noticed.
fn expected(revision: &str) -> Vec<&'static str> {
    let mut checks = vec!["authorization-code-grant", "authorization-server-metadata"];
    if revision >= "2025-11-25" {
        checks.push("authorization-server-metadata-cimd");
    }
    checks
}

/// Where the suite left its checks, and what it said.
async fn run(gateway: &Gateway, revision: &str) -> (PathBuf, String) {
    let kept = format!("conformance/{revision}/authorization");
    fs::remove_dir_all(artifacts(&kept)).expect("artifacts is writable");
    let (folder, port) = (artifacts(&kept), free_port());
    let client = register(gateway, port).await;
    let mut suite = node();
    suite.env("NODE_EXTRA_CA_CERTS", gateway.certificate.authority());
    suite.arg("--require").arg(repository().join("tests/clients/node/localhost.cjs"));
    suite.arg(tool(&format!("{PACKAGE}/dist/index.js"))).args(["authorization", "--url", &gateway.issuer()]);
    suite.args(["--client-id", &client, "--resource", &gateway.mcp("everything"), "--port", &port.to_string()]);
    suite.args(["--spec-version", revision, "--output-dir"]).arg(&folder);
    let mut suite = Process::start("conformance-authorization", &mut suite);
    let authorize = format!("{}/authorize?", gateway.issuer());
    let url = suite.within("ask for a login", |log| {
        let line = log.lines().find(|line| line.starts_with(&authorize))?;
        Url::parse(line.trim()).ok()
    });
    let last = gateway.browser().log_in(&url, "octocat").await.page();
    assert!(last.html.contains("You can close this page"), "{}: {}", last.url, last.html);
    assert!(suite.ended().success(), "{}", suite.log());
    (folder, suite.log())
}

/// A public client: the suite authenticates no other way when the metadata lists `none`.
async fn register(gateway: &Gateway, port: u16) -> String {
    let uri = format!("http://127.0.0.1:{port}/callback");
    let metadata =
        json!({ "client_name": "Conformance", "redirect_uris": [uri], "token_endpoint_auth_method": "none" });
    let request = gateway.browser().http.post(format!("{}/register", gateway.issuer())).json(&metadata);
    let registered: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    registered["client_id"].as_str().expect("a client_id").to_owned()
}

/// Of every scenario, by name.
fn checks(folder: &Path) -> Vec<Check> {
    let scenarios = fs::read_dir(folder).expect("just written").map(|entry| entry.expect("readable").path());
    let mut checks: Vec<Check> = scenarios.flat_map(|scenario| read(&scenario.join("checks.json"))).collect();
    checks.sort_by(|one, other| one.id.cmp(&other.id));
    checks
}

fn read(path: &Path) -> Vec<Check> {
    serde_json::from_slice(&fs::read(path).expect("the suite wrote it")).expect("checks.json is a list of checks")
}
