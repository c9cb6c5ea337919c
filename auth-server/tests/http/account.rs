//! The account page: who is signed in, what they see, and what they end.

use reqwest::{StatusCode, header};

use crate::support::{
    Service,
    browser::{Browser, WEB},
    github::code_for,
    journey::{location, query},
};

async fn service() -> Service {
    Service::start_with(&[("ALLOWED_GITHUB_USERS", "*")]).await
}

/// The hidden token of the page's forms.
fn token(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"token\" value=\"").unwrap_or_else(|| panic!("no form in {html}"));
    rest.split_once('"').unwrap().0.to_owned()
}

async fn page(browser: &mut Browser<'_>) -> String {
    let response = browser.get("/account").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    response.text().await.unwrap()
}

#[actix_web::test]
async fn a_person_revokes_one_application_and_the_others_go_on() {
    let service = service().await;
    let mut first = Browser::new(&service, WEB).await;
    let (access, refresh) = first.tokens_of("octocat").await;
    let mut second = Browser::of("Another app", &service, WEB).await;
    let (other, _) = second.tokens_of("octocat").await;

    let back = first.sign_in_as("octocat").await;
    assert_eq!(location(&back).as_str(), "https://auth.example.com/account");
    let html = page(&mut first).await;
    for shown in ["octocat", "<dd>time</dd>", "See your GitHub name and login", "A moment ago"] {
        assert!(html.contains(shown), "«{shown}» missing in {html}");
    }
    let client = first.client.id.clone();
    assert!(html.contains(&client) && html.contains(&second.client.id));
    let done = first.post("/account/revoke", &[("token", &token(&html)), ("client_id", &client)]).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);

    assert_eq!(service.verify(Some(&access)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.refresh(&first.client, &refresh).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(service.verify(Some(&other)).await.status(), StatusCode::OK);
    let html = page(&mut first).await;
    assert!(!html.contains(&client) && html.contains(&second.client.id));
    assert!(first.is_asked(&[]).await, "a revoked application does not come back unasked");
    service.stop().await;
}

#[actix_web::test]
async fn a_person_revokes_everything_at_once() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    let (access, _) = browser.tokens_of("octocat").await;
    browser.sign_in_as("octocat").await;
    let form = token(&page(&mut browser).await);
    browser.post("/account/revoke-all", &[("token", &form)]).await;
    assert_eq!(service.verify(Some(&access)).await.status(), StatusCode::UNAUTHORIZED);
    assert!(browser.is_asked(&[]).await);
    assert!(page(&mut browser).await.contains("No application"));
    service.stop().await;
}

#[actix_web::test]
async fn account_csrf_is_refused() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    let (access, _) = browser.tokens_of("octocat").await;
    browser.sign_in_as("octocat").await;
    let mut other = Browser::new(&service, WEB).await;
    other.sign_in_as("hubot").await;
    let foreign = token(&page(&mut other).await);
    let client = browser.client.id.clone();
    for form in [&[("client_id", client.as_str())][..], &[("client_id", &client), ("token", &foreign)]] {
        for path in ["/account/revoke", "/account/revoke-all", "/account/sign-out"] {
            assert_eq!(browser.post(path, form).await.status(), StatusCode::BAD_REQUEST, "{path} {form:?}");
        }
    }
    assert_eq!(service.verify(Some(&access)).await.status(), StatusCode::OK);
    assert!(page(&mut browser).await.contains(&client), "still signed in");
    service.stop().await;
}

#[actix_web::test]
async fn nobody_revokes_or_sees_what_another_person_allowed() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    let (access, _) = browser.tokens_of("octocat").await;
    let mut other = Browser::new(&service, WEB).await;
    other.sign_in_as("hubot").await;
    let html = page(&mut other).await;
    assert!(!html.contains(&browser.client.id));
    other.tokens_of("hubot").await;
    let form = token(&page(&mut other).await);
    other.post("/account/revoke", &[("token", &form), ("client_id", &browser.client.id)]).await;
    other.post("/account/revoke-all", &[("token", &form)]).await;
    assert_eq!(service.verify(Some(&access)).await.status(), StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn account_login_csrf_is_refused() {
    let service = service().await;
    let mut attacker = Browser::new(&service, WEB).await;
    let state = query(&location(&attacker.get("/account/sign-in").await), "state").unwrap();
    let code = code_for("octocat");
    let pairs = [("code", code.as_str()), ("state", state.as_str())];
    let mut victim = Browser::new(&service, WEB).await;
    victim.get("/account/sign-in").await;
    for cookies in [victim.cookies.join("; "), String::new()] {
        let answer = service.callback(&cookies, &pairs).await;
        assert_eq!(location(&answer).path(), "/error");
        assert!(!answer.headers().contains_key(header::SET_COOKIE));
    }
    // It was not used up by that, and works once where it began.
    let url = format!("/callback?code={code}&state={state}");
    assert_eq!(location(&attacker.get(&url).await).path(), "/account");
    assert_eq!(location(&attacker.get(&url).await).path(), "/error");
    service.stop().await;
}

#[actix_web::test]
async fn signing_out_or_in_again_ends_the_session_before() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.sign_in_as("octocat").await;
    let fixed = browser.cookies.clone();
    browser.sign_in_as("octocat").await;
    let mut before = Browser::new(&service, WEB).await;
    before.cookies = fixed;
    assert!(page(&mut before).await.contains("Sign in with GitHub"));
    let kept = browser.cookies.clone();
    let form = token(&page(&mut browser).await);
    browser.post("/account/sign-out", &[("token", &form)]).await;
    browser.cookies = kept;
    assert!(page(&mut browser).await.contains("Sign in with GitHub"));
    service.stop().await;
}

#[actix_web::test]
async fn an_account_session_is_no_token_and_a_refusal_at_github_signs_nobody_in() {
    let service = service().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.sign_in_as("octocat").await;
    let session = browser.cookies.iter().find_map(|cookie| cookie.strip_prefix("__Host-mcp-account=")).unwrap();
    assert_eq!(service.verify(Some(session)).await.status(), StatusCode::UNAUTHORIZED);
    for end in ["error=access_denied", "code=code-broken", "code=unknown"] {
        let mut other = Browser::new(&service, WEB).await;
        let state = query(&location(&other.get("/account/sign-in").await), "state").unwrap();
        let back = other.get(&format!("/callback?state={state}&{end}")).await;
        assert_eq!(location(&back).as_str(), "https://auth.example.com/account?notice=not-signed-in");
        let html = other.get("/account?notice=not-signed-in").await.text().await.unwrap();
        assert!(html.contains("role=\"alert\"") && html.contains("Sign in with GitHub"), "{html}");
    }
    service.stop().await;
}
