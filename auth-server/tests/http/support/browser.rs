//! A browser that keeps its cookies, and the client that sends it.

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Service,
    github::code_for,
    journey::{Registered, VERIFIER, location, query},
};

/// The callback of a client on the web.
pub(crate) const WEB: &str = "https://app.example/callback";

/// One browser: its cookies, and the client that sends it.
pub(crate) struct Browser<'a> {
    service: &'a Service,
    pub(crate) client: Registered,
    redirect_uri: &'a str,
    pub(crate) cookies: Vec<String>,
}

impl<'a> Browser<'a> {
    pub(crate) async fn new(service: &'a Service, redirect_uri: &'a str) -> Self {
        Self::of("App", service, redirect_uri).await
    }

    pub(crate) async fn of(client_name: &str, service: &'a Service, redirect_uri: &'a str) -> Self {
        let body = json!({
            "redirect_uris": [redirect_uri], "client_name": client_name, "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let answer = service.http.post(service.at("/register")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let id = answer["client_id"].as_str().unwrap().to_owned();
        let client = Registered { id, secret: None, answer };
        Self { service, client, redirect_uri, cookies: Vec::new() }
    }

    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let response = request.header(header::COOKIE, self.cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let name = cookie.split('=').next().unwrap();
            self.cookies.retain(|old| !old.starts_with(&format!("{name}=")));
            self.cookies.push(cookie.to_owned());
        }
        response
    }

    pub(crate) async fn authorize(&mut self, more: &[(&str, &str)]) -> Response {
        let pairs = [&[("redirect_uri", self.redirect_uri)], more].concat();
        let url = self.service.authorize_url(&self.client.id, &pairs);
        self.send(self.service.http.get(url)).await
    }

    /// Presses «Allow» on the page; where that leads.
    pub(crate) async fn allow(&mut self, page: Response) -> Response {
        assert_eq!(page.status(), StatusCode::OK);
        let html = page.text().await.unwrap();
        let state = html.split_once("name=\"state\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let form = [("state", state.as_str()), ("decision", "approve")];
        self.send(self.service.http.post(self.service.at("/consent")).form(&form)).await
    }

    /// GitHub sends the browser back as `login`.
    pub(crate) async fn return_as(&mut self, login: &str, to_github: &Response) -> Response {
        let state = query(&location(to_github), "state").unwrap();
        let mut url = url::Url::parse(&self.service.at("/callback")).unwrap();
        url.query_pairs_mut().extend_pairs([("code", code_for(login).as_str()), ("state", &state)]);
        self.send(self.service.http.get(url)).await
    }

    /// The whole way, with the page; the code.
    pub(crate) async fn consent_as(&mut self, login: &str) -> String {
        let page = self.authorize(&[]).await;
        let to_github = self.allow(page).await;
        let back = self.return_as(login, &to_github).await;
        query(&location(&back), "code").unwrap_or_else(|| panic!("no code in {}", location(&back)))
    }

    /// Access and refresh token for what this browser's person allows.
    pub(crate) async fn tokens_of(&mut self, login: &str) -> (String, String) {
        let code = self.consent_as(login).await;
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = self.service.token(&self.client, &pairs).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        (token("access_token"), token("refresh_token"))
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        self.send(self.service.http.get(self.service.at(path))).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        self.send(self.service.http.post(self.service.at(path)).form(form)).await
    }

    /// Signs in to the account page.
    pub(crate) async fn sign_in_as(&mut self, login: &str) -> Response {
        let to_github = self.get("/account/sign-in").await;
        self.return_as(login, &to_github).await
    }

    /// Whether the person would see the page.
    pub(crate) async fn is_asked(&mut self, more: &[(&str, &str)]) -> bool {
        self.authorize(more).await.status() == StatusCode::OK
    }
}
