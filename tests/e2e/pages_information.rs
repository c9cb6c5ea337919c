//! What anybody may read before signing in, in real Chromium through real Traefik.

use fantoccini::Locator;
use gateway_tests::harness::{Chromium, Gateway, Headers, Look, Setup, StoreKind};
use reqwest::StatusCode;
use serde_json::Value;

fn gateway() -> (Gateway, Headers) {
    let server = Headers::start();
    let setup = Setup::new(StoreKind::Embedded);
    (setup.upstream("time", server.url()).upstream("fetch", server.url()).start(), server)
}

#[tokio::test]
async fn the_landing_page_names_the_services_and_the_line_that_connects_each_client() {
    let (gateway, _server) = gateway();
    for (look, name) in [(Look::Light, "light"), (Look::Dark, "dark"), (Look::Phone, "phone")] {
        let chromium = Chromium::start(look).await;
        chromium.page.goto(&gateway.at("auth", "/")).await.unwrap();
        let shown = chromium.text().await;
        for expected in ["time", "Reads web pages", &gateway.mcp("time"), &gateway.mcp("fetch")] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        chromium.screenshot(&format!("landing-{name}")).await;
        chromium.find(Locator::XPath("//summary[contains(., 'Claude Code')]")).await.click().await.unwrap();
        let line = format!("claude mcp add --transport http time {}", gateway.mcp("time"));
        assert!(chromium.text().await.contains(&line), "{line}");
        chromium.screenshot(&format!("landing-open-{name}")).await;
        assert!(chromium.fits().await, "a {name} page scrolls sideways");
        chromium.close().await;
    }
}

#[tokio::test]
async fn the_pages_that_the_metadata_names_are_there_and_say_what_is_configured() {
    let (gateway, _server) = gateway();
    let http = gateway.browser().http;
    let metadata = http.get(gateway.at("auth", "/.well-known/oauth-authorization-server")).send().await.unwrap();
    let metadata: Value = metadata.json().await.unwrap();
    let chromium = Chromium::start(Look::Phone).await;
    for (member, says) in [
        ("service_documentation", "/.well-known/oauth-protected-resource/mcp"),
        ("op_policy_uri", "30 days after its last use"),
        ("op_tos_uri", "Everybody with a GitHub account"),
    ] {
        let url = metadata[member].as_str().unwrap();
        let answer = http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"), "{url}");
        chromium.page.goto(url).await.unwrap();
        let shown = chromium.text().await;
        assert!(shown.contains(says), "{says} in {shown}");
        assert!(chromium.fits().await, "{url} scrolls sideways");
        chromium.screenshot(member).await;
    }
    chromium.close().await;
}
