//! An MCP client and a browser, step by step, over real HTTP.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Service, github};

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:33418/callback";
pub(crate) const RESOURCE: &str = "https://time.example.com/mcp";
pub(crate) const VERIFIER: &str = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFG";

pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    pub(crate) answer: Value,
}

/// What `/authorize` showed: the hidden state of the form, and the cookie that goes with it.
pub(crate) struct Asked {
    pub(crate) state: String,
    pub(crate) cookie: String,
}

pub(crate) fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// The query of the `Location` header.
pub(crate) fn location(response: &Response) -> Url {
    let location = response.headers().get(header::LOCATION).expect("a redirect").to_str().unwrap();
    Url::parse(location).unwrap()
}

pub(crate) fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl Service {
    pub(crate) async fn register(&self, method: &str) -> Registered {
        let body = json!({
            "redirect_uris": [REDIRECT_URI], "client_name": "Test <client>", "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let response = self.http.post(self.at("/register")).json(&body).send().await.unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Registered { id: text("client_id").unwrap(), secret: text("client_secret"), answer }
    }

    pub(crate) fn authorize_url(&self, client_id: &str, more: &[(&str, &str)]) -> Url {
        let mut url = Url::parse(&self.at("/authorize")).unwrap();
        let challenge = challenge();
        let mut pairs = vec![
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid profile offline_access"),
            ("state", "the clients state"),
            ("resource", RESOURCE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        url.query_pairs_mut().extend_pairs(pairs).extend_pairs(more.iter().filter(|(_, value)| !value.is_empty()));
        url
    }

    /// Opens `/authorize` and reads the consent form as a browser would.
    pub(crate) async fn ask(&self, client_id: &str, more: &[(&str, &str)]) -> Asked {
        let response = self.http.get(self.authorize_url(client_id, more)).send().await.unwrap();
        let status = response.status();
        let cookie = response.headers().get(header::SET_COOKIE).map(|value| value.to_str().unwrap().to_owned());
        let html = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{html}");
        let (_, rest) = html.split_once("name=\"state\" value=\"").expect("the form holds a state");
        let state = rest.split_once('"').unwrap().0.to_owned();
        let cookie = cookie.expect("a cookie").split_once(';').unwrap().0.to_owned();
        Asked { state, cookie }
    }

    pub(crate) async fn decide(&self, asked: &Asked, decision: &str) -> Response {
        let form = [("state", asked.state.as_str()), ("decision", decision)];
        let request = self.http.post(self.at("/consent")).header(header::COOKIE, &asked.cookie).form(&form);
        request.send().await.unwrap()
    }

    pub(crate) async fn callback(&self, cookie: &str, pairs: &[(&str, &str)]) -> Response {
        let mut url = Url::parse(&self.at("/callback")).unwrap();
        url.query_pairs_mut().extend_pairs(pairs);
        self.http.get(url).header(header::COOKIE, cookie).send().await.unwrap()
    }

    /// Consent and login of `login`; where the browser ends up.
    pub(crate) async fn log_in(&self, client_id: &str, login: &str, more: &[(&str, &str)]) -> Url {
        let asked = self.ask(client_id, more).await;
        let to_github = self.decide(&asked, "approve").await;
        assert_eq!(to_github.status(), StatusCode::SEE_OTHER);
        let state = query(&location(&to_github), "state").unwrap();
        let back = self.callback(&asked.cookie, &[("code", &github::code_for(login)), ("state", &state)]).await;
        assert_eq!(back.status(), StatusCode::TEMPORARY_REDIRECT);
        location(&back)
    }

    pub(crate) async fn code(&self, client_id: &str) -> String {
        let landed = self.log_in(client_id, "octocat", &[]).await;
        query(&landed, "code").unwrap_or_else(|| panic!("no code in {landed}"))
    }

    pub(crate) async fn token(&self, client: &Registered, pairs: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut form = vec![("client_id", client.id.as_str())];
        form.extend(client.secret.as_deref().map(|secret| ("client_secret", secret)));
        form.extend_from_slice(pairs);
        let response = self.http.post(self.at("/token")).form(&form).send().await.unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn redeem(&self, client: &Registered, code: &str) -> (StatusCode, Value) {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        self.token(client, &pairs).await
    }

    pub(crate) async fn refresh(&self, client: &Registered, token: &str) -> (StatusCode, Value) {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Asks `/verify` as Traefik does for a request to the time service.
    pub(crate) async fn verify(&self, bearer: Option<&str>) -> Response {
        self.verify_at("/verify", "/mcp", bearer).await
    }

    /// `address`: of the middleware. `uri`: of the client's request.
    pub(crate) async fn verify_at(&self, address: &str, uri: &str, bearer: Option<&str>) -> Response {
        let mut request = self.http.get(self.at(address));
        let forwarded =
            [("Method", "POST"), ("Proto", "https"), ("Host", "time.example.com"), ("Uri", uri), ("For", "192.0.2.7")];
        for (name, value) in forwarded {
            request = request.header(format!("X-Forwarded-{name}"), value);
        }
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }
}
