//! Logins begun by one and finished by another.

use reqwest::{StatusCode, header};

use crate::support::{
    Service,
    github::code_for,
    journey::{location, query},
};

async fn approved(service: &Service) -> (String, String) {
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let state = query(&location(&service.decide(&asked, "approve").await), "state").unwrap();
    (asked.cookie, state)
}

#[actix_web::test]
async fn state_replay_is_refused() {
    let service = Service::start().await;
    let (cookie, state) = approved(&service).await;
    let code = code_for("octocat");
    let pairs = [("code", code.as_str()), ("state", state.as_str())];
    assert!(query(&location(&service.callback(&cookie, &pairs).await), "code").is_some());
    let again = location(&service.callback(&cookie, &pairs).await);
    assert_eq!((again.path(), query(&again, "code")), ("/error", None));
    service.stop().await;
}

#[actix_web::test]
async fn state_of_another_browser_is_refused_and_not_used_up() {
    let service = Service::start().await;
    let (cookie, state) = approved(&service).await;
    let (foreign, _) = approved(&service).await;
    let code = code_for("octocat");
    let pairs = [("code", code.as_str()), ("state", state.as_str())];
    for foreign in [foreign.as_str(), "", "__Host-mcp-browser=short"] {
        assert_eq!(location(&service.callback(foreign, &pairs).await).path(), "/error", "{foreign}");
    }
    assert!(query(&location(&service.callback(&cookie, &pairs).await), "code").is_some());
    service.stop().await;
}

#[actix_web::test]
async fn consent_bypass_by_direct_callback_is_refused() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let code = code_for("octocat");
    let skipped = service.callback(&asked.cookie, &[("code", &code), ("state", &asked.state)]).await;
    assert_eq!(location(&skipped).path(), "/error");
    service.stop().await;
}

#[actix_web::test]
async fn consent_csrf_is_refused() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let form = [("state", asked.state.as_str()), ("decision", "approve")];
    let post = || service.http.post(service.at("/consent")).form(&form);
    // A foreign page can post, but SameSite keeps the cookie back; another browser has another cookie.
    assert_eq!(post().send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    let other = service.ask(&client.id, &[]).await;
    let with_other = post().header(header::COOKIE, &other.cookie).send().await.unwrap();
    assert_eq!(with_other.status(), StatusCode::BAD_REQUEST);
    // And what a foreign page cannot know is the state.
    let guessed = [("state", "A".repeat(43)), ("decision", "approve".to_owned())];
    let request = service.http.post(service.at("/consent")).header(header::COOKIE, &asked.cookie).form(&guessed);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    service.stop().await;
}

#[actix_web::test]
async fn clickjacked_consent_is_refused_by_its_headers() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let page = service.http.get(service.authorize_url(&client.id, &[])).send().await.unwrap();
    let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(header("x-frame-options"), "DENY");
    service.stop().await;
}
