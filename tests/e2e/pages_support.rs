//! What a person does on the pages, in Chromium.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use gateway_tests::{
    client::{VERIFIER, challenge},
    harness::{Chromium, Gateway, eventually},
};
use serde_json::{Value, json};
use url::Url;

use crate::support::SOON;

/// A client on this computer: answers whoever comes back from the login.
pub(crate) fn listening_client() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(connection) = connection else { return };
            // A browser opens connections that it then does not use.
            thread::spawn(move || welcome_back(connection));
        }
    });
    format!("http://{address}/callback")
}

fn welcome_back(mut connection: TcpStream) {
    let _asked = connection.read(&mut [0; 8192]);
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Back at the client</h1>";
    let _gone = connection.write_all(page.as_bytes());
}

pub(crate) async fn register(gateway: &Gateway, name: &str, redirect_uri: &str) -> String {
    let metadata =
        json!({ "client_name": name, "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none" });
    let request = gateway.browser().http.post(format!("{}/register", gateway.issuer())).json(&metadata);
    let registered: Value = request.send().await.unwrap().json().await.unwrap();
    registered["client_id"].as_str().unwrap().to_owned()
}

pub(crate) fn authorize(gateway: &Gateway, client_id: &str, redirect_uri: &str) -> String {
    let challenge = challenge(VERIFIER);
    let resource = gateway.mcp("time");
    let query = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("state", "the-clients-state"),
        ("scope", "openid profile email offline_access"),
        ("resource", &resource),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&format!("{}/authorize", gateway.issuer()), query).unwrap().into()
}

/// From the consent page, which is shown, to GitHub and back.
pub(crate) async fn allow_and_sign_in(chromium: &Chromium, look: &str) {
    chromium.press("Allow").await;
    chromium.find(fantoccini::Locator::Css("input[name=login]")).await;
    chromium.screenshot(&format!("login-{look}")).await;
    sign_in(chromium, "octocat").await;
}

/// At GitHub.
pub(crate) async fn sign_in(chromium: &Chromium, login: &str) {
    chromium.type_into("input[name=login]", login).await;
    chromium.press("Sign in and continue").await;
}

/// Where the browser is, once that is below `prefix`.
pub(crate) async fn arrives(chromium: &Chromium, prefix: &str) -> Url {
    let there =
        async || Some(chromium.page.current_url().await.unwrap()).filter(|url| url.as_str().starts_with(prefix));
    eventually(SOON, &format!("{prefix} is reached"), there).await
}

pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
