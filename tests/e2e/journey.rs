//! From nothing but a URL to a tool's answer, through all three layers: by hand, and by the SDKs' own OAuth code.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use gateway_tests::{
    client::{Browser, Client, Login, McpClient},
    harness::{Gateway, Setup, StoreKind, repository, tool},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::SCOPE;

fn gateway(store: StoreKind) -> Gateway {
    Setup::new(store).fixture("everything", &[]).start()
}

/// The parameters of a `WWW-Authenticate: Bearer` header.
async fn challenge(browser: &Browser, url: &str) -> Vec<(String, String)> {
    let answer = browser.http.post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let header = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let parameters = header.strip_prefix("Bearer ").unwrap_or_else(|| panic!("not Bearer: {header}"));
    let pairs = parameters.split("\", ").map(|pair| pair.split_once("=\"").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned())).collect()
}

async fn json_at(browser: &Browser, url: &str) -> Value {
    let answer = browser.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{url}");
    answer.json().await.unwrap()
}

async fn a_plain_client_gets_there(store: StoreKind) {
    let gateway = gateway(store);
    let (browser, url) = (gateway.browser(), gateway.mcp("everything"));

    let challenge = challenge(&browser, &url).await;
    let parameter = |name: &str| challenge.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(parameter("error"), None, "RFC 6750 §3.1: no error code when no token was sent");
    assert!(parameter("scope").is_some_and(|scope| !scope.is_empty()));
    let resource = json_at(&browser, &parameter("resource_metadata").unwrap()).await;
    assert_eq!(resource["resource"], url.as_str());
    assert_eq!(resource["authorization_servers"], json!([gateway.issuer()]));
    let server = json_at(&browser, &format!("{}/.well-known/oauth-authorization-server", gateway.issuer())).await;
    assert_eq!(server["issuer"], gateway.issuer().as_str());
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));

    let client = Client::register(browser.clone(), &gateway.issuer(), "A plain client").await;
    let tokens = client.log_in(&Login { user: "octocat", resource: &url, scope: SCOPE }).await;
    let mcp = McpClient::connect(&browser.http, &url, &tokens.access_token).await;
    let tools = mcp.ask("tools/list", json!({})).await;
    assert!(tools["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "echo"));
    assert_eq!(mcp.call("echo", json!({ "text": "grüß Gott" })).await, "grüß Gott");
    assert_eq!(mcp.delete().await.as_u16() / 100, 2);
}

/// Runs a client script; it prints what it saw as one line of JSON.
pub(crate) fn by_script(gateway: &Gateway, command: &mut Command) -> Value {
    let limit = Duration::from_secs(120);
    let mut script = Command::new("timeout");
    script.arg(limit.as_secs().to_string()).arg(command.get_program()).args(command.get_args());
    script
        .env("GATEWAY_URL", gateway.mcp("everything"))
        .env("GATEWAY_CA", gateway.certificate.authority())
        .env("NODE_EXTRA_CA_CERTS", gateway.certificate.authority())
        .env("GATEWAY_USER", "octocat")
        .env("GATEWAY_ARGUMENTS", json!({ "text": "grüß Gott" }).to_string())
        .current_dir(repository().join("tests/clients"))
        .stdin(Stdio::null());
    let output = script.output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {complained}", output.status);
    serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{error} in {said}; {complained}"))
}

pub(crate) fn assert_got_there(seen: &Value) {
    assert_eq!(seen["answer"], "grüß Gott");
    assert!(seen["tools"].as_array().unwrap().contains(&json!("echo")), "{seen}");
}

fn python(gateway: &Gateway) {
    let mut python = Command::new(tool("venv/bin/python"));
    assert_got_there(&by_script(gateway, python.arg("python/journey.py")));
}

/// `package`: the SDK that the script asks for.
fn typescript(gateway: &Gateway, script: &str, package: &str) {
    tool(&format!("npm/node_modules/@modelcontextprotocol/{package}"));
    let mut node = Command::new(tool("node/bin/node"));
    node.args(["--require", "./node/localhost.cjs"]).arg(format!("typescript/{script}"));
    assert_got_there(&by_script(gateway, &mut node));
}

#[tokio::test]
async fn a_plain_client_gets_from_401_to_a_tools_answer_on_the_embedded_store() {
    a_plain_client_gets_there(StoreKind::Embedded).await;
}

#[tokio::test]
async fn a_plain_client_gets_from_401_to_a_tools_answer_on_redis() {
    a_plain_client_gets_there(StoreKind::Redis).await;
}

#[test]
fn the_python_sdk_logs_in_and_calls_a_tool_on_the_embedded_store() {
    python(&gateway(StoreKind::Embedded));
}

#[test]
fn the_python_sdk_logs_in_and_calls_a_tool_on_redis() {
    python(&gateway(StoreKind::Redis));
}

#[test]
fn the_typescript_sdk_logs_in_and_calls_a_tool_on_the_embedded_store() {
    typescript(&gateway(StoreKind::Embedded), "journey.mts", "sdk");
}

#[test]
fn the_typescript_sdk_logs_in_and_calls_a_tool_on_redis() {
    typescript(&gateway(StoreKind::Redis), "journey.mts", "sdk");
}

#[test]
fn the_typescript_sdk_2_logs_in_and_calls_a_tool() {
    typescript(&gateway(StoreKind::Embedded), "journey-v2.mts", "client");
}

/// It refuses `initialize`, so that whoever gets there speaks 2026-07-28.
fn gateway_to_a_server_without_sessions() -> Gateway {
    Setup::new(StoreKind::Embedded).fixture("everything", &["--era", "modern"]).start()
}

#[test]
fn the_python_sdk_logs_in_and_calls_a_tool_of_a_server_without_sessions() {
    python(&gateway_to_a_server_without_sessions());
}

#[test]
fn the_typescript_sdk_2_logs_in_and_calls_a_tool_of_a_server_without_sessions() {
    typescript(&gateway_to_a_server_without_sessions(), "journey-v2.mts", "client");
}

#[tokio::test]
async fn rmcp_logs_in_and_calls_a_tool_on_the_embedded_store() {
    assert_got_there(&crate::journey_rmcp::journey(&gateway(StoreKind::Embedded)).await);
}

#[tokio::test]
async fn rmcp_logs_in_and_calls_a_tool_on_redis() {
    assert_got_there(&crate::journey_rmcp::journey(&gateway(StoreKind::Redis)).await);
}
