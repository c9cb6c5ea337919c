//! An OAuth client of the plainest kind: registers, sends the person away, redeems the code, refreshes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::Browser;

/// Nobody listens there: [`Browser`] stops in front of it.
pub const REDIRECT_URI: &str = "http://127.0.0.1:33418/client/callback";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// RFC 7636 §4.2.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[derive(Clone, Debug, Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_in: u64,
    pub scope: Option<String>,
}

/// A registered public client, with its person's browser.
#[derive(Clone, Debug)]
pub struct Client {
    pub browser: Browser,
    pub issuer: String,
    pub id: String,
    /// RFC 7592: for changing or deleting the registration.
    pub registration_token: String,
}

/// A login: which resource, which scope.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    pub user: &'a str,
    pub resource: &'a str,
    pub scope: &'a str,
}

impl Client {
    pub async fn register(browser: Browser, issuer: &str, name: &str) -> Self {
        let metadata = json!({
            "client_name": name, "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        });
        let answer = browser.http.post(format!("{issuer}/register")).json(&metadata).send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a text");
        assert_eq!(status, StatusCode::CREATED, "{text}");
        let registered: Value = serde_json::from_str(&text).expect("JSON");
        let text = |name: &str| registered[name].as_str().unwrap_or_else(|| panic!("a {name}")).to_owned();
        let (id, registration_token) = (text("client_id"), text("registration_access_token"));
        Self { browser, issuer: issuer.to_owned(), id, registration_token }
    }

    pub fn authorize_url(&self, login: &Login<'_>) -> Url {
        let mut url = Url::parse(&format!("{}/authorize", self.issuer)).expect("an issuer is a URL");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.id)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("state", "the-clients-state")
            .append_pair("code_challenge", &challenge(VERIFIER))
            .append_pair("code_challenge_method", "S256");
        for (name, value) in [("resource", login.resource), ("scope", login.scope)] {
            if !value.is_empty() {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        url
    }

    /// The whole way: consent, GitHub, code, tokens.
    pub async fn log_in(&self, login: &Login<'_>) -> Tokens {
        let back = self.browser.log_in(&self.authorize_url(login), login.user).await.client();
        let answer = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(answer("state").as_deref(), Some("the-clients-state"), "{back}");
        assert_eq!(answer("iss"), Some(self.issuer.clone()), "RFC 9207: {back}");
        let code = answer("code").unwrap_or_else(|| panic!("no code: {back}"));
        Self::tokens(self.redeem(&code).await).await
    }

    pub async fn redeem(&self, code: &str) -> Response {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
        self.token_request(&[&fields[..], &[("redirect_uri", REDIRECT_URI)]].concat()).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Response {
        self.token_request(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    pub async fn revoke(&self, token: &str) -> Response {
        self.post("/revoke", &[("token", token)]).await
    }

    /// RFC 7592 §2.3.
    pub async fn delete(&self) -> Response {
        let request = self.browser.http.delete(format!("{}/register/{}", self.issuer, self.id));
        request.bearer_auth(&self.registration_token).send().await.expect("an answer")
    }

    pub async fn token_request(&self, fields: &[(&str, &str)]) -> Response {
        self.post("/token", fields).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = [fields, &[("client_id", self.id.as_str())]].concat();
        let request = self.browser.http.post(format!("{}{path}", self.issuer)).form(&form);
        request.send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"))
    }

    /// The tokens in an answer that must hold some.
    pub async fn tokens(answer: Response) -> Tokens {
        let (status, text) = (answer.status(), answer.text().await.expect("a text"));
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
