//! `auth-server doctor` finds what is wrong with a real gateway, and nothing where nothing is.

use std::{fs, path::Path};

use gateway_tests::harness::{Gateway, Headers, Setup, StoreKind, repository};
use serde_json::Value;
use tempfile::TempDir;

/// What it found, and its exit code. `vars`: changed for this command alone.
fn doctor(gateway: &Gateway, vars: &[(&str, &str)]) -> (Vec<Value>, i32) {
    let port = gateway.traefik.http_port.to_string();
    let mut command = gateway.auth[0].command(&["doctor", "--json", "--http-port", &port]);
    command.env("SSL_CERT_FILE", gateway.certificate.authority()).envs(vars.iter().copied());
    let output = command.output().unwrap();
    let found = serde_json::from_slice(&output.stdout);
    (found.unwrap_or_else(|fault| panic!("{fault}: {output:?}")), output.status.code().unwrap())
}

/// Names of what is wrong; each must say what to do.
fn wrong(found: &[Value]) -> Vec<&str> {
    let bad = found.iter().filter(|finding| finding["grade"] == "wrong");
    bad.inspect(|finding| assert_ne!(finding["advice"], "", "{finding}"))
        .map(|f| f["check"].as_str().unwrap())
        .collect()
}

/// The project's own files, with one text replaced in one of them.
pub(crate) fn changed(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository().join("traefik/dynamic")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has changed: {from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    folder
}

fn gateway(dynamic: Option<&Path>) -> (Gateway, Headers) {
    let server = Headers::start();
    let setup = Setup::new(StoreKind::Redis).upstream("one", server.url());
    (dynamic.into_iter().fold(setup, Setup::dynamic).start(), server)
}

#[test]
fn a_gateway_that_works_is_found_to_work() {
    let (mut gateway, _server) = gateway(None);
    let (found, code) = doctor(&gateway, &[]);
    assert_eq!((wrong(&found), code), (vec![], 0), "{found:#?}");
    for check in ["configuration", "keys", "store", "Redis version", "GitHub", "GitHub App", "clock", "http"] {
        assert!(found.iter().any(|finding| finding["check"] == check), "{check}: {found:#?}");
    }
    for check in ["resource metadata one", "challenge one", "forged identity one", "/verify from outside"] {
        assert!(found.iter().any(|f| f["check"] == check && f["grade"] == "fine"), "{check}: {found:#?}");
    }
    let text =
        gateway.auth[0].command(&["doctor"]).env("SSL_CERT_FILE", gateway.certificate.authority()).output().unwrap();
    assert!(String::from_utf8(text.stdout).unwrap().contains("\nok     challenge one"));

    gateway.redis.as_mut().unwrap().stop();
    let (found, code) = doctor(&gateway, &[]);
    assert!(code == 1 && wrong(&found).contains(&"store"), "{found:#?}");
}

#[test]
fn each_thing_outside_the_gateway_that_is_wrong_is_named() {
    let (gateway, _server) = gateway(None);
    let nobody = "http://127.0.0.1:1";
    for (vars, expected) in [
        (&[("GITHUB_BASE_URL", nobody), ("GITHUB_API_URL", nobody)][..], &["GitHub", "GitHub API"][..]),
        (&[("GITHUB_CLIENT_ID", "")], &["configuration"]),
        (&[("JWT_PRIVATE_KEY_FILE", "/nowhere/key.pem")], &["keys"]),
        (&[("MCP_SERVICES", "one,gone")], &["challenge gone"]),
    ] {
        let (found, code) = doctor(&gateway, vars);
        assert_eq!(code, 1, "{vars:?}");
        for check in expected {
            assert!(wrong(&found).contains(check), "{vars:?}: {found:#?}");
        }
    }
    let (found, code) = doctor(&gateway, &[("BASE_DOMAIN", "localhost:1")]);
    assert!(code == 1 && wrong(&found).contains(&"discovery auth.localhost:1"), "{found:#?}");
}

#[test]
fn a_challenge_that_is_stripped_on_its_way_is_noticed() {
    let strip = "mcp-cors:\n      headers:\n        customResponseHeaders: { WWW-Authenticate: \"\" }\n";
    let folder = changed("middlewares.yml", "mcp-cors:\n      headers:\n", strip);
    let (gateway, _server) = gateway(Some(folder.path()));
    let (found, code) = doctor(&gateway, &[]);
    assert_eq!((wrong(&found), code), (vec!["challenge one"], 1), "{found:#?}");
}

#[test]
fn a_service_without_a_guard_is_noticed() {
    let folder =
        changed("middlewares.yml", "middlewares: [mcp-cors, mcp-auth{{ $suffix }}]", "middlewares: [mcp-cors]");
    let (gateway, _server) = gateway(Some(folder.path()));
    let (found, code) = doctor(&gateway, &[]);
    assert_eq!((wrong(&found), code), (vec!["challenge one", "forged identity one"], 1), "{found:#?}");
}

#[test]
fn a_verify_endpoint_that_believes_outsiders_is_noticed() {
    let from = "    auth-verify:\n";
    let published = "    believed:
      rule: '{{ $host }} && Path(`/verify`)'
      priority: 100
      service: auth
      middlewares: [as-if-from-traefik]
    auth-verify:
";
    let folder = changed("auth.yml", from, published);
    // What a proxy in front does that passes clients' headers on, to a Traefik that trusts it.
    let middleware = r#"
http:
  middlewares:
    as-if-from-traefik:
      headers:
        customRequestHeaders:
          X-Forwarded-Method: OPTIONS
          X-Forwarded-Host: doctor.{{ env "BASE_DOMAIN" }}
          X-Forwarded-Uri: /mcp
"#;
    fs::write(folder.path().join("believed.yml"), middleware).unwrap();
    let (gateway, _server) = gateway(Some(folder.path()));
    let (found, code) = doctor(&gateway, &[]);
    assert_eq!((wrong(&found), code), (vec!["/verify from outside"], 1), "{found:#?}");
}
