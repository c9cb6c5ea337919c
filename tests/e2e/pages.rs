//! The pages a person meets, in real Chromium, with their own content security policy in force.

use gateway_tests::harness::{Chromium, Gateway, Look, Setup, StoreKind};

use crate::pages_support::{allow_and_sign_in, arrives, authorize, listening_client, parameter, register, sign_in};

const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

fn gateway() -> Gateway {
    Setup::new(StoreKind::Embedded).fixture("time", &[]).start()
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
    chromium.reads(&code).await;
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
    assert!(chromium.text().await.contains("remove this connection and add it again"));
    chromium.screenshot("error-light").await;
    let shown = chromium.text().await;
    assert!(!shown.contains("evil.example"), "{shown}");
    chromium.close().await;
}

#[tokio::test]
async fn a_client_on_the_web_is_allowed_once_and_then_goes_to_github_directly() {
    let gateway = gateway();
    let redirect_uri = gateway.at("auth", "/docs");
    let client = register(&gateway, "Claude", &redirect_uri).await;
    let url = authorize(&gateway, &client, &redirect_uri);
    let chromium = Chromium::start(Look::Light).await;
    chromium.page.goto(&url).await.unwrap();
    assert!(chromium.text().await.contains("This browser remembers your answer for 30 days."));
    chromium.screenshot("consent-web-light").await;
    allow_and_sign_in(&chromium, "web").await;
    let first = arrives(&chromium, &redirect_uri).await;

    chromium.page.goto(&url).await.unwrap();
    sign_in(&chromium, "octocat").await;
    let second = arrives(&chromium, &redirect_uri).await;
    assert!(parameter(&second, "code").is_some() && parameter(&first, "code") != parameter(&second, "code"));

    chromium.page.goto(&url).await.unwrap();
    sign_in(&chromium, "hubot").await;
    // Somebody else is asked …
    chromium.find(fantoccini::Locator::XPath("//h1[starts-with(., 'Allow Claude')]")).await;
    // … and so is everybody when the client demands it.
    chromium.page.goto(&format!("{url}&prompt=consent")).await.unwrap();
    assert!(chromium.text().await.contains("Allow Claude"));
    chromium.close().await;
}
