//! The account page in real Chromium: what is revoked there is refused by real Traefik at the next call.

use fantoccini::Locator;
use gateway_tests::{
    client::{Browser, Client, Login, Tokens},
    harness::{Chromium, Gateway, Headers, Look, Setup, StoreKind},
};
use reqwest::StatusCode;

use crate::{
    pages_support::{arrives, sign_in},
    support::SCOPE,
};

struct Household {
    gateway: Gateway,
    browser: Browser,
    _server: Headers,
}

impl Household {
    fn start(store: StoreKind) -> Self {
        let server = Headers::start();
        let gateway = Setup::new(store).upstream("time", server.url()).upstream("fetch", server.url()).start();
        Self { browser: gateway.browser(), gateway, _server: server }
    }

    /// An application that `octocat` lets in.
    async fn connect(&self, name: &str, service: &str) -> (Client, Tokens) {
        let client = Client::register(self.browser.clone(), &self.gateway.issuer(), name).await;
        let login = Login { user: "octocat", resource: &self.gateway.mcp(service), scope: SCOPE };
        let tokens = client.log_in(&login).await;
        (client, tokens)
    }

    /// What the service says to a call with this token.
    async fn call(&self, service: &str, tokens: &Tokens) -> StatusCode {
        let request = self.browser.http.get(self.gateway.mcp(service)).bearer_auth(&tokens.access_token);
        request.send().await.unwrap().status()
    }

    /// Signed in to the account page.
    async fn account(&self, look: Look) -> Chromium {
        let chromium = Chromium::start(look).await;
        chromium.page.goto(&self.gateway.at("auth", "/account")).await.unwrap();
        chromium.find(Locator::LinkText("Sign in with GitHub")).await.click().await.unwrap();
        sign_in(&chromium, "octocat").await;
        arrives(&chromium, &self.gateway.at("auth", "/account")).await;
        chromium.find(Locator::XPath("//button[normalize-space()='Sign out']")).await;
        chromium
    }
}

async fn person_revokes_one_then_all_and_signs_out(store: StoreKind) {
    let household = Household::start(store);
    let chromium = household.account(Look::Light).await;
    let (claude, of_claude) = household.connect("Claude Code", "time").await;
    let (_, of_cursor) = household.connect("Cursor", "fetch").await;
    let (_, of_inspector) = household.connect("MCP Inspector", "time").await;
    assert_eq!(household.call("fetch", &of_cursor).await, StatusCode::OK);
    chromium.page.goto(&household.gateway.at("auth", "/account")).await.unwrap();
    let shown = chromium.text().await;
    for expected in ["octocat", "Claude Code", "Cursor", "MCP Inspector", "fetch", "A moment ago"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
    chromium.screenshot("account-light").await;

    chromium.find(Locator::Css("button[aria-label='Revoke Claude Code']")).await.click().await.unwrap();
    chromium.find(Locator::Css("[role=status]")).await;
    assert!(!chromium.text().await.contains("Claude Code"));
    chromium.screenshot("account-revoked-light").await;
    assert_eq!(household.call("time", &of_claude).await, StatusCode::UNAUTHORIZED);
    let refreshed = claude.refresh(of_claude.refresh_token.as_deref().unwrap()).await;
    assert_eq!(refreshed.status(), StatusCode::BAD_REQUEST);
    assert_eq!(household.call("fetch", &of_cursor).await, StatusCode::OK);

    chromium.find(Locator::Css(".confirm summary")).await.click().await.unwrap();
    chromium.screenshot("account-revoke-all-light").await;
    chromium.press("Yes, revoke all").await;
    arrives(&chromium, &household.gateway.at("auth", "/account?notice=all-revoked")).await;
    assert_eq!(household.call("fetch", &of_cursor).await, StatusCode::UNAUTHORIZED);
    assert_eq!(household.call("time", &of_inspector).await, StatusCode::UNAUTHORIZED);
    chromium.reads("No application").await;
    chromium.screenshot("account-empty-light").await;

    chromium.press("Sign out").await;
    arrives(&chromium, &household.gateway.at("auth", "/account?notice=signed-out")).await;
    chromium.page.goto(&household.gateway.at("auth", "/account")).await.unwrap();
    chromium.find(Locator::LinkText("Sign in with GitHub")).await;
    chromium.screenshot("account-sign-in-light").await;
    chromium.close().await;
}

#[tokio::test]
async fn a_person_revokes_one_then_all_and_signs_out_on_the_embedded_store() {
    person_revokes_one_then_all_and_signs_out(StoreKind::Embedded).await;
}

#[tokio::test]
async fn a_person_revokes_one_then_all_and_signs_out_on_redis() {
    person_revokes_one_then_all_and_signs_out(StoreKind::Redis).await;
}

#[tokio::test]
async fn the_account_page_is_readable_in_the_dark_and_on_a_phone() {
    let household = Household::start(StoreKind::Embedded);
    household.connect("Claude Code", "time").await;
    household.connect("An-application-with-a-name-that-is-one-long-word-and-does-not-end-soon", "fetch").await;
    for (look, name) in [(Look::Dark, "dark"), (Look::Phone, "phone")] {
        let chromium = household.account(look).await;
        assert!(chromium.fits().await, "the {name} page scrolls sideways");
        chromium.screenshot(&format!("account-{name}")).await;
        chromium.close().await;
    }
}

#[tokio::test]
async fn a_person_who_says_no_at_github_is_told_and_not_signed_in() {
    let household = Household::start(StoreKind::Embedded);
    let chromium = Chromium::start(Look::Light).await;
    chromium.page.goto(&household.gateway.at("auth", "/account/sign-in")).await.unwrap();
    chromium.press("Cancel").await;
    chromium.find(Locator::Css("[role=alert]")).await;
    chromium.screenshot("account-not-signed-in-light").await;
    chromium.close().await;
}
