//! What reaches an MCP server behind the gateway: who the person is, and nothing the client made up.

use gateway_tests::{
    github::github_id,
    harness::{Gateway, Headers, Setup, StoreKind},
};
use reqwest::{RequestBuilder, StatusCode, header::HeaderName};
use serde_json::{Map, Value};

use crate::support::log_in;

/// A gateway in front of two servers that tell which headers reached them.
fn gateway() -> (Gateway, [Headers; 2]) {
    let servers = [Headers::start(), Headers::start()];
    let setup = Setup::new(StoreKind::Embedded).upstream("one", servers[0].url()).upstream("two", servers[1].url());
    (setup.start(), servers)
}

async fn seen(request: RequestBuilder) -> Map<String, Value> {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.headers());
    let mut seen: Value = answer.json().await.unwrap();
    serde_json::from_value(seen["headers"].take()).unwrap()
}

#[tokio::test]
async fn an_mcp_server_learns_who_the_person_is_and_never_sees_the_token() {
    let (gateway, _servers) = gateway();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let request = client.browser.http.post(gateway.mcp("one")).bearer_auth(&tokens.access_token).body("{}");
    let seen = seen(request).await;
    assert_eq!(seen["x-user-id"], github_id("octocat").to_string().as_str());
    assert_eq!(seen["x-user-name"], "octocat");
    assert_eq!(seen["x-client-id"], client.id.as_str());
    assert!(!seen.contains_key("authorization"));
    assert!(!seen.values().any(|value| value.as_str().unwrap().contains(&tokens.access_token)), "{seen:?}");
}

#[tokio::test]
async fn identity_headers_sent_by_a_client_never_arrive_in_any_spelling() {
    let (gateway, _servers) = gateway();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let mut request = client.browser.http.get(gateway.mcp("one")).bearer_auth(&tokens.access_token);
    for name in ["User-Id", "User-Name", "Client-Id", "Scope", "Auth-Token"] {
        let dashed = format!("x-{name}");
        for spelling in [dashed.clone(), dashed.to_uppercase(), dashed.replace('-', "_"), dashed.replace('-', ".")] {
            request = request.header(HeaderName::try_from(&spelling).unwrap(), "forged");
        }
        request = request.header(HeaderName::try_from(dashed.replacen('-', "_", 1)).unwrap(), "forged");
    }
    let seen = seen(request.header("Forwarded", "host=forged")).await;
    assert!(!seen.values().any(|value| value.as_str().unwrap().contains("forged")), "{seen:?}");
    assert_eq!(seen["x-user-id"], github_id("octocat").to_string().as_str());
}

#[tokio::test]
async fn a_token_for_one_server_is_refused_at_another_whatever_the_client_says_it_asked() {
    let (gateway, _servers) = gateway();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let (port, url) = (gateway.traefik.https_port, gateway.mcp("two"));
    let host = format!("one.localhost:{port}");
    for (name, value) in [
        ("x-unrelated", "plain"),
        ("x-forwarded-host", host.as_str()),
        ("x-forwarded-uri", "/.well-known/oauth-protected-resource"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-original-url", &gateway.mcp("one")),
        ("forwarded", &format!("host=\"{host}\"")),
    ] {
        let request = client.browser.http.get(&url).bearer_auth(&tokens.access_token).header(name, value);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}: {value}");
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains("error=\"invalid_token\"") && challenge.contains("https://two.localhost"),
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn asking_verify_from_outside_names_nobody() {
    let (gateway, _servers) = gateway();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let verify = format!("{}/verify", gateway.issuer());
    let answer = client.browser.http.get(verify).bearer_auth(&tokens.access_token).send().await.unwrap();
    let names: Vec<_> = answer.headers().keys().map(HeaderName::as_str).collect();
    assert!(!names.iter().any(|name| ["x-user-id", "x-user-name", "x-auth-token"].contains(name)), "{names:?}");
}
