//! Who may use which service, through real Traefik: MCP_POLICIES as docs/policies.md shows it.

use gateway_tests::{
    client::{Client, Login},
    github::Membership,
    harness::{Gateway, Headers, Setup, StoreKind},
};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::support::claims;

/// `time` needs a scope of its own, `files` is for a team, `broken` has a policy that nobody can keep to.
fn gateway() -> (Gateway, Headers) {
    let server = Headers::start();
    let names = ["time", "files", "broken", "open"];
    let setup = names.iter().fold(Setup::new(StoreKind::Embedded), |setup, name| setup.upstream(name, server.url()));
    let setup = setup.policy("time", "scope=mcp:time").policy("files", "scope=mcp:files&teams=acme/devs");
    let gateway = setup.policy("broken", "user=octocat").var("GITHUB_READ_ORGS", "true").start();
    let team = Membership { orgs: vec!["Acme".to_owned()], teams: vec!["Acme/Devs".to_owned()] };
    gateway.github.join("mona", team);
    (gateway, server)
}

async fn log_in(gateway: &Gateway, user: &str, service: &str, scope: &str) -> (Client, String) {
    // A client of its own: the same metadata would be the same client.
    let name = format!("{user} at {service} for {scope}");
    let client = Client::register(gateway.browser(), &gateway.issuer(), &name).await;
    let token = again(&client, gateway, Login { user, resource: &gateway.mcp(service), scope }).await;
    (client, token)
}

async fn again(client: &Client, gateway: &Gateway, login: Login<'_>) -> String {
    let browser = gateway.browser();
    Client { browser, ..client.clone() }.log_in(&login).await.access_token
}

async fn call(client: &Client, url: &str, token: &str) -> Response {
    client.browser.http.get(url).bearer_auth(token).send().await.unwrap()
}

fn challenge(answer: &Response) -> &str {
    answer.headers()["www-authenticate"].to_str().unwrap()
}

/// What a client reads from a challenge.
fn scope_in(challenge: &str) -> &str {
    challenge.split_once("scope=\"").unwrap().1.split('"').next().unwrap()
}

#[tokio::test]
async fn a_client_steps_up_from_403_to_the_union_of_scopes_to_200() {
    let (gateway, _server) = gateway();
    let (client, token) = log_in(&gateway, "octocat", "time", "openid offline_access").await;
    let (url, metadata) = (gateway.mcp("time"), gateway.at("time", "/.well-known/oauth-protected-resource/mcp"));

    // A query that the client writes is no policy.
    for url in [url.clone(), format!("{url}?scope=openid"), format!("{url}?service=open&users=octocat")] {
        let refused = call(&client, &url, &token).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{url}");
        assert!(challenge(&refused).contains("error=\"insufficient_scope\""), "{}", challenge(&refused));
        assert!(challenge(&refused).contains(&format!("resource_metadata=\"{metadata}\"")), "{}", challenge(&refused));
        assert_eq!(scope_in(challenge(&refused)), "mcp:time");
    }
    let document: Value = client.browser.http.get(metadata).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["scopes_supported"], serde_json::json!(["email", "mcp:time", "openid", "profile"]));

    let login = Login { user: "octocat", resource: &url, scope: "openid offline_access mcp:time" };
    let token = again(&client, &gateway, login).await;
    assert_eq!(claims(&token)["scope"], "mcp:time offline_access openid");
    let answer = call(&client, &url, &token).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["headers"]["x-scope"], "mcp:time offline_access openid");
}

#[tokio::test]
async fn the_first_challenge_names_all_that_the_service_asks() {
    let (gateway, _server) = gateway();
    let answer = gateway.browser().http.get(gateway.mcp("time")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let scope = scope_in(challenge(&answer)).to_owned();
    assert_eq!(scope, "email mcp:time openid profile");
    let (client, token) = log_in(&gateway, "octocat", "time", &scope).await;
    assert_eq!(call(&client, &gateway.mcp("time"), &token).await.status(), StatusCode::OK);
    // The catch-all of the same host is behind the same policy.
    let (client, token) = log_in(&gateway, "octocat", "time", "openid").await;
    let elsewhere = call(&client, &gateway.at("time", "/mcp/other"), &token).await;
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_service_for_a_team_lets_its_members_in_and_nobody_else() {
    let (gateway, _server) = gateway();
    let (client, token) = log_in(&gateway, "mona", "files", "openid mcp:files").await;
    assert_eq!(call(&client, &gateway.mcp("files"), &token).await.status(), StatusCode::OK);

    let (client, token) = log_in(&gateway, "octocat", "files", "openid mcp:files").await;
    let refused = call(&client, &gateway.mcp("files"), &token).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(!refused.headers().contains_key("www-authenticate"), "no other token would help: {:?}", refused.headers());
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"], "access_denied");
}

#[tokio::test]
async fn a_policy_that_cannot_be_understood_lets_nobody_in() {
    let (gateway, _server) = gateway();
    let (client, token) = log_in(&gateway, "octocat", "broken", "openid mcp:broken").await;
    let refused = call(&client, &gateway.mcp("broken"), &token).await;
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!refused.text().await.unwrap().contains("\"headers\""));
    let (client, token) = log_in(&gateway, "octocat", "open", "openid").await;
    assert_eq!(call(&client, &gateway.mcp("open"), &token).await.status(), StatusCode::OK);
}
