//! The pages a person meets, in real Chromium, with their own content security policy in force.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use gateway_tests::{
    client::{VERIFIER, challenge},
    harness::{Chromium, Gateway, Look, Setup, StoreKind},
};
use serde_json::{Value, json};
use url::Url;

const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

fn gateway() -> Gateway {
    Setup::new(StoreKind::Embedded).fixture("time", &[]).start()
}

/// A client on this computer: answers whoever comes back from the login.
fn listening_client() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _asked = connection.read(&mut [0; 8192]);
            let page =
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Back at the client</h1>";
            let _gone = connection.write_all(page.as_bytes());
        }
    });
    format!("http://{address}/callback")
}

async fn register(gateway: &Gateway, name: &str, redirect_uri: &str) -> String {
    let metadata =
        json!({ "client_name": name, "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none" });
    let request = gateway.browser().http.post(format!("{}/register", gateway.issuer())).json(&metadata);
    let registered: Value = request.send().await.unwrap().json().await.unwrap();
    registered["client_id"].as_str().unwrap().to_owned()
}

fn authorize(gateway: &Gateway, client_id: &str, redirect_uri: &str) -> String {
    let challenge = challenge(VERIFIER);
    let resource = gateway.mcp("time");
    let query = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("state", "the-clients-state"),
        ("scope", "openid profile email offline_access"),
        ("resource", &resource),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&format!("{}/authorize", gateway.issuer()), query).unwrap().into()
}

/// From the consent page, which is shown, to GitHub and back.
async fn allow_and_sign_in(chromium: &Chromium, look: &str) {
    chromium.press("Allow").await;
    chromium.type_into("input[name=login]", "octocat").await;
    chromium.screenshot(&format!("login-{look}")).await;
    chromium.find(fantoccini::Locator::Css("button[value=approve]")).await.click().await.unwrap();
}

/// Where the browser is, once that is below `prefix`.
async fn arrives(chromium: &Chromium, prefix: &str) -> Url {
    for _ in 0..500 {
        let url = chromium.page.current_url().await.unwrap();
        if url.as_str().starts_with(prefix) {
            return url;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{prefix} was never reached, but {}", chromium.page.current_url().await.unwrap());
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_person_allows_a_client_signs_in_and_is_back_at_the_client() {
    let gateway = gateway();
    let redirect_uri = listening_client();
    let client = register(&gateway, "Claude Code", &redirect_uri).await;
    let chromium = Chromium::start(Look::Light).await;
    chromium.page.goto(&authorize(&gateway, &client, &redirect_uri)).await.unwrap();
    let shown = chromium.text().await;
    for expected in ["Claude Code", "127.0.0.1", "your own computer", "time"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
    chromium.screenshot("consent-light").await;

    allow_and_sign_in(&chromium, "light").await;
    let back = arrives(&chromium, &redirect_uri).await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("the-clients-state"));
    assert_eq!(parameter(&back, "iss"), Some(gateway.issuer()));
    assert!(parameter(&back, "code").is_some_and(|code| code.len() >= 43), "{back}");
    chromium.close().await;
}

#[tokio::test]
async fn a_person_who_denies_is_back_at_the_client_with_access_denied() {
    let gateway = gateway();
    let redirect_uri = listening_client();
    let client = register(&gateway, "Claude Code", &redirect_uri).await;
    let chromium = Chromium::start(Look::Phone).await;
    chromium.page.goto(&authorize(&gateway, &client, &redirect_uri)).await.unwrap();
    chromium.find(fantoccini::Locator::Css("button[value=deny]")).await;
    chromium.screenshot("consent-phone").await;
    chromium.press("Deny").await;
    let back = arrives(&chromium, &redirect_uri).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "code"), None);
    chromium.close().await;
}

#[tokio::test]
async fn a_code_to_copy_is_shown_on_the_success_page() {
    let gateway = gateway();
    let client = register(&gateway, "A command line", OUT_OF_BAND).await;
    let chromium = Chromium::start(Look::Dark).await;
    chromium.page.goto(&authorize(&gateway, &client, OUT_OF_BAND)).await.unwrap();
    chromium.find(fantoccini::Locator::Css("button[value=approve]")).await;
    chromium.screenshot("consent-dark").await;
    allow_and_sign_in(&chromium, "dark").await;
    let arrived = arrives(&chromium, &format!("{}/success", gateway.issuer())).await;
    let code = parameter(&arrived, "code").unwrap();
    assert!(chromium.text().await.contains(&code));
    chromium.screenshot("success-dark").await;
    chromium.close().await;
}

#[tokio::test]
async fn markup_in_a_client_name_is_shown_as_text_and_runs_nothing() {
    let gateway = gateway();
    let name = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>";
    let redirect_uri = listening_client();
    let client = register(&gateway, name, &redirect_uri).await;
    let chromium = Chromium::start(Look::Light).await;
    chromium.page.goto(&authorize(&gateway, &client, &redirect_uri)).await.unwrap();
    assert!(chromium.text().await.contains("<script>document.title='run'</script>"));
    assert_ne!(chromium.page.title().await.unwrap(), "run");
    chromium.close().await;
}

#[tokio::test]
async fn an_unknown_client_gets_a_page_and_goes_nowhere() {
    let gateway = gateway();
    let chromium = Chromium::start(Look::Light).await;
    let url = authorize(&gateway, "client_that_nobody_registered", "https://evil.example/callback");
    chromium.page.goto(&url).await.unwrap();
    assert_eq!(chromium.page.current_url().await.unwrap().as_str(), url);
    chromium.screenshot("error-light").await;
    let shown = chromium.text().await;
    assert!(!shown.contains("evil.example"), "{shown}");
    chromium.close().await;
}
