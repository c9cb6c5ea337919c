//! Clients that need not register, through all three layers: the Python SDK's own code for each kind.

use std::{path::Path, process::Command};

use gateway_tests::harness::{Gateway, Setup, StoreKind, repository, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::journey::{assert_got_there, by_script};

/// Connects as `client`, calls a tool, and says which `client_id` it used.
fn connect(gateway: &Gateway, client: &Value) -> Value {
    let mut python = Command::new(tool("venv/bin/python"));
    let seen = by_script(gateway, python.args(["python/known.py", "client"]).arg(client.to_string()));
    assert_got_there(&seen);
    seen["client_id"].clone()
}

/// What docs/registration.md shows: `auth-server clients create`, while the gateway runs.
fn create(gateway: &Gateway, more: &[&str]) -> Value {
    let asked = ["clients", "create", "--json", "--name", "Nightly build", "--grant-type", "client_credentials"];
    let done = gateway.auth[0].command(&[&asked[..], more].concat()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn make_key(folder: &Path) {
    let mut python = Command::new(tool("venv/bin/python"));
    let made = python.arg(repository().join("tests/clients/python/known.py")).arg("key").arg(folder).status();
    assert!(made.unwrap().success());
}

fn gateway() -> Gateway {
    Setup::new(StoreKind::Redis).fixture("everything", &[]).start()
}

#[test]
fn the_python_sdk_comes_in_by_its_own_document() {
    let (folder, id) = (TempDir::new().unwrap(), "https://sdk.example/client.json");
    let document = json!({
        "client_id": id, "client_name": "Python SDK", "redirect_uris": ["http://127.0.0.1:33418/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
    });
    std::fs::write(folder.path().join("sdk.json"), document.to_string()).unwrap();
    let setup = Setup::new(StoreKind::Embedded).fixture("everything", &[]);
    let gateway = setup.var("CLIENT_METADATA_DIR", &folder.path().to_string_lossy()).start();
    assert_eq!(connect(&gateway, &json!({ "document": id })), id);
}

#[test]
fn the_python_sdk_comes_in_as_a_machine_with_a_secret() {
    let gateway = gateway();
    let made = create(&gateway, &["--scope", "mcp:everything"]);
    let known = json!({
        "client_id": made["client_id"], "secret": made["client_secret"], "issuer": gateway.issuer(),
    });
    assert_eq!(connect(&gateway, &known), made["client_id"]);
}

#[test]
fn the_python_sdk_comes_in_as_a_machine_with_a_key() {
    let (gateway, folder) = (gateway(), TempDir::new().unwrap());
    make_key(folder.path());
    let jwks = folder.path().join("jwks.json");
    let made = create(&gateway, &["--auth-method", "private_key_jwt", "--jwks", &jwks.to_string_lossy()]);
    let known = json!({
        "client_id": made["client_id"], "key": folder.path().join("key.pem"), "issuer": gateway.issuer(),
    });
    assert_eq!(connect(&gateway, &known), made["client_id"]);
}
