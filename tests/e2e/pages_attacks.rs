//! Attacks on the person at the pages, tried in real Chromium.

use fantoccini::Locator;
use gateway_tests::harness::{Chromium, Gateway, Look, Setup, StoreKind};
use serde_json::{Value, json};
use url::Url;

use crate::pages_support::{authorize, listening_client};

/// Runs, if it runs at all, in three ways, and would leave a mark that a test can see.
const SCRIPT: &str = "\"'><script>document.title='run'</script><img src=x onerror=\"document.title='run'\"><svg onload=\"document.title='run'\">";

fn gateway() -> Gateway {
    Setup::new(StoreKind::Embedded).fixture("time", &[]).start()
}

async fn register(gateway: &Gateway, metadata: Value) -> String {
    let request = gateway.browser().http.post(format!("{}/register", gateway.issuer())).json(&metadata);
    let registered: Value = request.send().await.unwrap().json().await.unwrap();
    registered["client_id"].as_str().unwrap_or_else(|| panic!("{registered}")).to_owned()
}

/// Nothing of the attack became part of the page or was loaded by it.
async fn assert_harmless(chromium: &Chromium, what: &str) {
    assert_ne!(chromium.page.title().await.unwrap(), "run", "{what}");
    let script = "return document.querySelectorAll('script, img, svg[onload], [onerror], link, iframe, object').length \
                  + performance.getEntriesByType('resource').filter(entry => !entry.name.endsWith('/favicon.ico')).length";
    let found = chromium.page.execute(script, Vec::new()).await.unwrap();
    assert_eq!(found, json!(0), "{what}: {:?}", chromium.page.source().await);
}

#[tokio::test]
async fn xss_through_client_name_and_logo_uri_runs_and_loads_nothing() {
    let gateway = gateway();
    let redirect_uri = listening_client();
    let client = register(
        &gateway,
        json!({
            "client_name": SCRIPT, "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none",
            "logo_uri": gateway.at("time", "/?logo=%22%3E%3Cscript%3Edocument.title='run'%3C/script%3E"), "client_uri": gateway.at("time", "/"),
        }),
    )
    .await;
    let chromium = Chromium::start(Look::Light).await;
    chromium.page.goto(&authorize(&gateway, &client, &redirect_uri)).await.unwrap();
    assert!(chromium.text().await.contains("<script>"), "the name is shown as the text that it is");
    let source = chromium.page.source().await.unwrap();
    assert!(!source.contains(&gateway.at("time", "/?logo")), "a logo tells its owner who looks at this page: {source}");
    assert_harmless(&chromium, "consent").await;
    assert!(chromium.fits().await);
    chromium.screenshot("consent-attack-light").await;
    chromium.close().await;
}

#[tokio::test]
async fn xss_through_client_id_error_error_description_and_code_runs_nothing() {
    let gateway = gateway();
    let chromium = Chromium::start(Look::Light).await;
    for (path, parameters) in [
        ("/authorize", &["client_id"][..]),
        ("/authorize", &["client_id", "redirect_uri", "state", "scope"]),
        ("/error", &["error", "error_description"]),
        ("/success", &["code", "state"]),
        ("/callback", &["error", "error_description", "state", "code"]),
        ("/account", &["notice"]),
    ] {
        let pairs = parameters.iter().map(|name| (*name, SCRIPT));
        let url = Url::parse_with_params(&gateway.at("auth", path), pairs).unwrap();
        chromium.page.goto(url.as_str()).await.unwrap();
        chromium.find(Locator::Css("h1")).await;
        assert_harmless(&chromium, path).await;
    }
    chromium.close().await;
}

#[tokio::test]
async fn clickjacked_consent_shows_nothing_in_a_foreign_frame() {
    let gateway = gateway();
    let redirect_uri = listening_client();
    let metadata = json!({"redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none"});
    let client = register(&gateway, metadata).await;
    let chromium = Chromium::start(Look::Light).await;
    for url in [authorize(&gateway, &client, &redirect_uri), gateway.at("auth", "/account")] {
        let framing =
            format!("data:text/html,<h1>Win a prize</h1><iframe src=\"{}\"></iframe>", url.replace('%', "%25"));
        chromium.page.goto(&framing).await.unwrap();
        chromium.find(Locator::Css("iframe")).await;
        chromium.page.clone().enter_frame(0).await.unwrap();
        let framed = chromium.page.source().await.unwrap();
        assert!(!framed.contains("<form") && !framed.contains("MCP Gateway"), "{framed}");
        chromium.page.clone().enter_parent_frame().await.unwrap();
    }
    chromium.close().await;
}
