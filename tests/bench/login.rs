//! An access token of auth-server by the whole flow: registration, consent, login at the GitHub stand-in, code, token.
//! The cookie travels by hand: it is `Secure`, and the benchmark talks plain HTTP as Traefik does.

use std::error::Error;
use std::net::SocketAddr;

use gateway_tests::client::{VERIFIER, challenge};
use reqwest::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use url::Url;

const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

type Failure = Box<dyn Error>;

/// A person with one browser in front of one server.
struct Browser {
    http: Client,
    addr: SocketAddr,
    host: String,
}

/// `host`: what the server is called in its issuer.
pub(crate) async fn access_token(addr: SocketAddr, host: &str) -> Result<String, Failure> {
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let browser = Browser { http, addr, host: host.to_owned() };
    let client_id = browser.register().await?;
    let (cookie, to_github) = browser.consent(&client_id).await?;
    let callback = browser.sign_in(&to_github).await?;
    let back = browser.at(&callback[url::Position::BeforePath..]).header(COOKIE, cookie).send().await?;
    let code = parameter(&location(&back)?, "code")?;
    browser.redeem(&client_id, &code).await
}

impl Browser {
    fn at(&self, path_and_query: &str) -> RequestBuilder {
        self.http.get(format!("http://{}{path_and_query}", self.addr)).header(HOST, &self.host)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("http://{}{path}", self.addr)).header(HOST, &self.host)
    }

    async fn register(&self) -> Result<String, Failure> {
        let metadata = json!({
            "client_name": "benchmark", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"
        });
        let registered: Value = self.post("/register").json(&metadata).send().await?.error_for_status()?.json().await?;
        text(&registered, "client_id")
    }

    /// The browser's cookie, and where it is sent once the person has agreed.
    async fn consent(&self, client_id: &str) -> Result<(String, Url), Failure> {
        let challenge = challenge(VERIFIER);
        let query = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let page = self.at("/authorize").query(&query).send().await?.error_for_status()?;
        let cookie = page.headers().get(SET_COOKIE).ok_or("no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let html = page.text().await?;
        let state = html.split_once(r#"name="state" value=""#).ok_or("no consent form")?.1;
        let state = state.split('"').next().unwrap_or_default();
        let form = [("state", state), ("decision", "approve")];
        let origin = format!("https://{}", self.host);
        let agreed = self.post("/consent").header(COOKIE, &cookie).header("Origin", origin).form(&form).send().await?;
        Ok((cookie, location(&agreed)?))
    }

    /// GitHub's own form; answers with the callback's URL.
    async fn sign_in(&self, to_github: &Url) -> Result<Url, Failure> {
        let mut form: Vec<(String, String)> = to_github.query_pairs().into_owned().collect();
        form.extend([("login", "octocat"), ("decision", "approve")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        let mut action = to_github.clone();
        action.set_query(None);
        location(&self.http.post(action).form(&form).send().await?)
    }

    async fn redeem(&self, client_id: &str, code: &str) -> Result<String, Failure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let token: Value = self.post("/token").form(&form).send().await?.error_for_status()?.json().await?;
        text(&token, "access_token")
    }
}

fn location(response: &Response) -> Result<Url, Failure> {
    let header = response.headers().get(LOCATION).ok_or_else(|| format!("no redirect but {}", response.status()))?;
    Ok(Url::parse(header.to_str()?)?)
}

fn parameter(url: &Url, name: &str) -> Result<String, Failure> {
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.ok_or_else(|| format!("no {name} in {url}").into())
}

fn text(json: &Value, name: &str) -> Result<String, Failure> {
    json[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {json}").into())
}
