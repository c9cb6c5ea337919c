//! What a sidecar leaves behind when it ends, or when a session does: nothing.

use std::process::Command;

use gateway_tests::{
    client::McpClient,
    harness::{Family, Process, binary, eventually},
};
use nix::sys::signal::Signal;
use reqwest::{Client, header::HeaderMap};
use serde_json::json;

use crate::support::SOON;

/// A shell, the server, two shells of its own and what each of them runs: as many as `npx` and a careless server leave,
/// per session.
const TREE: usize = 6;

/// A sidecar binary around `sh -c 'stdio-fixture --tree …'`, without anything in front of it.
struct Sidecar {
    process: Process,
    family: Family,
    url: String,
    http: Client,
}

impl Sidecar {
    fn start(options: &str) -> Self {
        let server = format!("{} --tree {options}; :", binary("stdio-fixture").display());
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--port", "0", "--stop-timeout", "1", "--shutdown-timeout", "1", "--", "sh", "-c", &server]);
        let family = Family::of(&mut run);
        let mut process = Process::start("mcp-sidecar", &mut run);
        let url = format!("http://{}/mcp", process.address());
        let person = HeaderMap::from_iter([("x-user-id".parse().unwrap(), "1".parse().unwrap())]);
        let http = Client::builder().default_headers(person).timeout(SOON).build().unwrap();
        Self { process, family, url, http }
    }

    async fn session(&self) -> McpClient {
        McpClient::connect(&self.http, &self.url, "no token needed here").await
    }

    /// How many belong to the trees, the sidecar and its watchdog not counted.
    fn tree(&self) -> usize {
        self.family.members().iter().filter(|(_, command)| !command.contains("mcp-sidecar")).count()
    }

    /// A server answers before its children have children of their own.
    async fn grows_to(&self, size: usize) {
        let grown = async || (self.tree() == size).then_some(());
        eventually(SOON, "the trees are complete", grown).await;
    }

    async fn nothing_is_left(&self) {
        let empty = async || self.family.members().is_empty().then_some(());
        let what = "the sidecar and every descendant are gone";
        eventually(SOON, what, empty).await;
    }
}

#[tokio::test]
async fn sigterm_to_the_sidecar_leaves_no_child_and_no_grandchild() {
    let mut sidecar = Sidecar::start("");
    let sessions = [sidecar.session().await, sidecar.session().await];
    assert_eq!(sessions[0].call("echo", json!({ "text": "alive" })).await, "alive");
    sidecar.grows_to(2 * TREE).await;
    assert!(sidecar.process.terminate().success());
    sidecar.nothing_is_left().await;
}

#[tokio::test]
async fn sigterm_leaves_nothing_even_of_a_server_that_ignores_both_the_end_of_stdin_and_sigterm() {
    let mut sidecar = Sidecar::start("--ignore-term --ignore-eof");
    let _session = sidecar.session().await;
    sidecar.grows_to(TREE).await;
    assert!(sidecar.process.terminate().success());
    sidecar.nothing_is_left().await;
}

#[tokio::test]
async fn sigkill_of_the_sidecar_leaves_no_child_and_no_grandchild() {
    let mut sidecar = Sidecar::start("--ignore-term --ignore-eof");
    let _sessions = [sidecar.session().await, sidecar.session().await];
    sidecar.grows_to(2 * TREE).await;
    sidecar.process.signal(Signal::SIGKILL);
    sidecar.process.ended();
    sidecar.nothing_is_left().await;
}

#[tokio::test]
async fn deleting_a_session_ends_its_tree_and_no_other() {
    let sidecar = Sidecar::start("--ignore-eof");
    let (ending, staying) = (sidecar.session().await, sidecar.session().await);
    sidecar.grows_to(2 * TREE).await;
    assert!(ending.delete().await.is_success());
    let one_left = async || (sidecar.tree() == TREE).then_some(());
    eventually(SOON, "the deleted session's tree is gone", one_left).await;
    assert_eq!(staying.call("echo", json!({ "text": "still here" })).await, "still here");
}
