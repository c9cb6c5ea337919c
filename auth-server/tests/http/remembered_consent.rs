//! A person who allowed a client is not asked the same again in the same browser; everything else is asked.

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    Service,
    github::code_for,
    journey::{location, query},
};

const WEB: &str = "https://app.example/callback";

/// One browser: its cookies, and the client that sends it.
struct Browser<'a> {
    service: &'a Service,
    client: String,
    redirect_uri: &'a str,
    cookies: Vec<String>,
}

impl<'a> Browser<'a> {
    async fn new(service: &'a Service, redirect_uri: &'a str) -> Self {
        let body = json!({"redirect_uris": [redirect_uri], "client_name": "App", "token_endpoint_auth_method": "none"});
        let answer = service.http.post(service.at("/register")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let client = answer["client_id"].as_str().unwrap().to_owned();
        Self { service, client, redirect_uri, cookies: Vec::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let response = request.header(header::COOKIE, self.cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let name = cookie.split('=').next().unwrap();
            self.cookies.retain(|old| !old.starts_with(&format!("{name}=")));
            self.cookies.push(cookie.to_owned());
        }
        response
    }

    async fn authorize(&mut self, more: &[(&str, &str)]) -> Response {
        let pairs = [&[("redirect_uri", self.redirect_uri)], more].concat();
        let url = self.service.authorize_url(&self.client, &pairs);
        self.send(self.service.http.get(url)).await
    }

    /// Presses «Allow» on the page; where that leads.
    async fn allow(&mut self, page: Response) -> Response {
        assert_eq!(page.status(), StatusCode::OK);
        let html = page.text().await.unwrap();
        let state = html.split_once("name=\"state\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let form = [("state", state.as_str()), ("decision", "approve")];
        self.send(self.service.http.post(self.service.at("/consent")).form(&form)).await
    }

    /// GitHub sends the browser back as `login`.
    async fn return_as(&mut self, login: &str, to_github: &Response) -> Response {
        let state = query(&location(to_github), "state").unwrap();
        let mut url = url::Url::parse(&self.service.at("/callback")).unwrap();
        url.query_pairs_mut().extend_pairs([("code", code_for(login).as_str()), ("state", &state)]);
        self.send(self.service.http.get(url)).await
    }

    /// The whole way, with the page.
    async fn consent_as(&mut self, login: &str) {
        let page = self.authorize(&[]).await;
        let to_github = self.allow(page).await;
        let back = self.return_as(login, &to_github).await;
        assert!(query(&location(&back), "code").is_some());
    }

    /// Whether the person would see the page.
    async fn is_asked(&mut self, more: &[(&str, &str)]) -> bool {
        self.authorize(more).await.status() == StatusCode::OK
    }
}

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
    let mut second = Browser::new(&service, WEB).await;
    second.cookies.clone_from(&first.cookies);
    assert!(second.is_asked(&[]).await);
    service.stop().await;
}
