//! A client as the Python service knew them: registered with a secret, PKCE at its own pleasure.

use gateway_tests::client::{Browser, Form, REDIRECT_URI, VERIFIER, challenge};
use reqwest::header;
use serde_json::{Value, json};
use url::Url;

use super::stage::read;

#[derive(Clone, Debug)]
pub(crate) struct OldClient {
    pub(crate) browser: Browser,
    /// Where it finds the service: the issuer, or another Traefik in front of the same store.
    pub(crate) door: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) registration_token: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pkce {
    S256,
    None,
}

impl OldClient {
    pub(crate) async fn register(browser: Browser, door: &str) -> Self {
        let metadata = json!({ "client_name": "Old <client>", "redirect_uris": [REDIRECT_URI],
            "scope": "openid profile email", "client_uri": "https://client.example" });
        let request = browser.http.post(format!("{door}/register")).json(&metadata);
        let (status, told) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 201, "{told}");
        let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name}: {told}")).to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        Self { browser, door: door.to_owned(), id, secret, registration_token: text("registration_access_token") }
    }

    /// The same client in front of another door.
    pub(crate) fn at(&self, door: &str) -> Self {
        Self { door: door.to_owned(), ..self.clone() }
    }

    pub(crate) fn authorize_url(&self, pkce: Pkce) -> Url {
        let mut url = Url::parse(&format!("{}/authorize", self.door)).unwrap();
        let asked = [("response_type", "code"), ("client_id", &self.id), ("redirect_uri", REDIRECT_URI)];
        url.query_pairs_mut().extend_pairs(asked).append_pair("state", "the-clients-state");
        if pkce == Pkce::S256 {
            let proof = [("code_challenge", challenge(VERIFIER)), ("code_challenge_method", "S256".to_owned())];
            url.query_pairs_mut().extend_pairs(proof);
        }
        url
    }

    /// A person signs in by the Python service, which asks nothing of its own: where GitHub sends them back to, at
    /// this client's door.
    pub(crate) async fn callback_of_python(&self, user: &str, pkce: Pkce) -> Url {
        let github = self.browser.open(&self.authorize_url(pkce)).await.page();
        let form = Form::first_of(&github.html).expect("GitHub's form");
        let mut fields = form.hidden;
        fields.extend([("login", user), ("decision", "approve")].map(|(name, value)| (name.into(), value.into())));
        let decide = self.browser.http.post(github.url.join(&form.action).unwrap()).form(&fields);
        let answer = decide.send().await.unwrap();
        let back = Url::parse(answer.headers()[header::LOCATION].to_str().unwrap()).unwrap();
        Url::parse(&format!("{}{}", self.door, &back[url::Position::BeforePath..])).unwrap()
    }

    /// The whole login by the Python service.
    pub(crate) async fn code_of_python(&self, user: &str, pkce: Pkce) -> String {
        let callback = self.callback_of_python(user, pkce).await;
        code(&self.browser.open(&callback).await.client())
    }

    /// The whole login by ours, with the consent page.
    pub(crate) async fn code_of_ours(&self, user: &str) -> String {
        code(&self.browser.log_in(&self.authorize_url(Pkce::S256), user).await.client())
    }

    pub(crate) async fn redeem(&self, code: &str, pkce: Pkce) -> (u16, Value) {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI)];
        let proof: &[_] = if pkce == Pkce::S256 { &[("code_verifier", VERIFIER)] } else { &[] };
        self.post("/token", &[&fields[..], proof].concat()).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> (u16, Value) {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn revoke(&self, token: &str) -> u16 {
        self.post("/revoke", &[("token", token)]).await.0
    }

    /// Whether introspection calls it active.
    pub(crate) async fn active(&self, token: &str) -> bool {
        let (status, told) = self.post("/introspect", &[("token", token)]).await;
        assert_eq!(status, 200, "{told}");
        told["active"] == true
    }

    /// A form with this client's secret in it.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let credentials = [("client_id", self.id.as_str()), ("client_secret", self.secret.as_str())];
        let request = self.browser.http.post(format!("{}{path}", self.door));
        read(request.form(&[fields, &credentials].concat()).send().await.unwrap()).await
    }

    pub(crate) fn registration_url(&self) -> String {
        format!("{}/register/{}", self.door, self.id)
    }
}

/// Access and refresh token of an answer that must hold both.
pub(crate) fn pair((status, told): (u16, Value)) -> (String, String) {
    assert_eq!(status, 200, "{told}");
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name}: {told}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

fn code(back: &Url) -> String {
    let found = back.query_pairs().find(|(name, _)| name == "code").map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no code: {back}"))
}
