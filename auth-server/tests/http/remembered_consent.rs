//! A person who allowed a client is not asked the same again in the same browser; everything else is asked.

use reqwest::StatusCode;

use crate::support::{
    Service,
    browser::{Browser, WEB},
    journey::{location, query},
};

async fn service() -> Service {
    Service::start_with(&[("ALLOWED_GITHUB_USERS", "*")]).await
}

#[actix_web::test]
async fn the_same_request_in_the_same_browser_goes_to_github_without_the_page() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.consent_as("octocat").await;
    let to_github = browser.authorize(&[]).await;
    assert_eq!(to_github.status(), StatusCode::TEMPORARY_REDIRECT);
    assert!(location(&to_github).as_str().starts_with(&service.github.url));
    let back = browser.return_as("octocat", &to_github).await;
    assert!(query(&location(&back), "code").is_some());
    assert!(!browser.is_asked(&[("scope", "openid")]).await, "less than was allowed");
    service.stop().await;
}

#[actix_web::test]
async fn more_than_was_allowed_or_a_client_that_demands_it_shows_the_page() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.consent_as("octocat").await;
    for more in [
        [("scope", "openid profile email offline_access")],
        [("resource", "https://fetch.example.com/mcp")],
        [("resource", "")],
        [("prompt", "consent")],
    ] {
        assert!(browser.is_asked(&more).await, "{more:?}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn another_browser_or_a_cookie_that_was_made_up_shows_the_page() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.consent_as("octocat").await;
    browser.cookies = vec![format!("__Host-mcp-consent=octocat.{}", "A".repeat(43))];
    assert!(browser.is_asked(&[]).await);
    browser.cookies.clear();
    assert!(browser.is_asked(&[]).await);
    service.stop().await;
}

#[actix_web::test]
async fn somebody_else_at_the_same_browser_is_asked_before_a_code_is_issued() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.consent_as("octocat").await;
    let to_github = browser.authorize(&[]).await;
    let page = browser.return_as("hubot", &to_github).await;
    let to_github = browser.allow(page).await;
    let back = browser.return_as("hubot", &to_github).await;
    assert!(query(&location(&back), "code").is_some());
    service.stop().await;
}

#[actix_web::test]
async fn a_program_on_the_persons_computer_shows_the_page_every_time() {
    let service = service().await;
    for uri in ["http://127.0.0.1:33418/callback", "cursor://anysphere.cursor/callback"] {
        let mut browser = Browser::new(&service, uri).await;
        browser.consent_as("octocat").await;
        assert!(browser.is_asked(&[]).await, "{uri}");
        assert!(!browser.cookies.iter().any(|cookie| cookie.contains("consent")), "{uri}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn another_client_shows_the_page_though_it_uses_the_same_address() {
    let service = service().await;
    let mut first = Browser::new(&service, WEB).await;
    first.consent_as("octocat").await;
    let mut second = Browser::of("Another app", &service, WEB).await;
    second.cookies.clone_from(&first.cookies);
    assert!(second.is_asked(&[]).await);
    service.stop().await;
}
