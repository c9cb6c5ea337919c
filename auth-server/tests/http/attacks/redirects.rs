//! Redirects that would carry a code, an error or a person somewhere else.

use reqwest::{StatusCode, header};
use serde_json::json;

use crate::support::{
    Service,
    journey::{REDIRECT_URI, location, query},
};

const REGISTERED: &str = "https://app.example/cb";

async fn client(service: &Service) -> String {
    let body = json!({"redirect_uris": [REGISTERED, REDIRECT_URI], "token_endpoint_auth_method": "none"});
    let answer = service.http.post(service.at("/register")).json(&body).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    answer["client_id"].as_str().unwrap().to_owned()
}

/// Each is shown a page or JSON with status 400, and is not followed.
async fn goes_nowhere(uris: &[&str]) {
    let service = Service::start().await;
    let client = client(&service).await;
    for uri in uris {
        let url = service.authorize_url(&client, &[("redirect_uri", uri)]);
        let response = service.http.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{uri}");
        assert!(!response.headers().contains_key(header::LOCATION), "{uri}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn redirect_uri_with_suffix_is_refused() {
    goes_nowhere(&[
        "https://app.example/cb/evil",
        "https://app.example/cbevil",
        "https://app.example/cb?next=evil",
        "https://app.example.evil.example/cb",
    ])
    .await;
}

#[actix_web::test]
async fn redirect_uri_with_userinfo_is_refused() {
    goes_nowhere(&[
        "https://app.example@evil.example/cb",
        "https://evil@app.example/cb",
        "https://@app.example/cb",
        "http://127.0.0.1:33418@evil.example/callback",
    ])
    .await;
}

#[actix_web::test]
async fn redirect_uri_with_fragment_is_refused() {
    goes_nowhere(&["https://app.example/cb#", "https://app.example/cb#evil", "http://127.0.0.1:33418/callback#"]).await;
}

#[actix_web::test]
async fn redirect_uri_with_encoded_dots_is_refused() {
    goes_nowhere(&[
        "https://app.example/x/%2e%2e/cb",
        "https://app.example/x/../cb",
        "https://app.example/%2E/cb",
        "https://app.example%2eevil.example/cb",
        "https://app%2eexample/cb",
    ])
    .await;
}

#[actix_web::test]
async fn redirect_uri_with_backslash_is_refused() {
    goes_nowhere(&[
        "https://app.example\\@evil.example/cb",
        "https:\\\\app.example\\cb",
        "https://evil.example\\.app.example/cb",
    ])
    .await;
}

#[actix_web::test]
async fn redirect_uri_with_other_port_on_non_loopback_is_refused() {
    goes_nowhere(&["https://app.example:8443/cb", "https://app.example:444/cb", "http://app.example/cb"]).await;
}

#[actix_web::test]
async fn redirect_uri_that_a_browser_would_run_cannot_be_registered() {
    let service = Service::start().await;
    for uri in ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "JaVaScRiPt:alert(1)"] {
        let body = json!({"redirect_uris": [uri]});
        let answer = service.http.post(service.at("/register")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{uri}");
        let answer: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(answer["error"], "invalid_redirect_uri", "{uri}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn open_redirect_through_error_does_not_exist() {
    let service = Service::start().await;
    let client = client(&service).await;
    // A fault in another parameter does not make an unregistered URI a destination.
    let evil = [("redirect_uri", "https://evil.example/"), ("response_type", "token"), ("scope", "\u{1}")];
    let response = service.http.get(service.authorize_url(&client, &evil)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(!response.headers().contains_key(header::LOCATION));
    for path in [
        "/error?error=access_denied&redirect_uri=https://evil.example/&error_uri=https://evil.example/",
        "/success?code=x&redirect_uri=https://evil.example/&state=https://evil.example/",
    ] {
        let page = service.get(path).await;
        assert!(!page.headers().contains_key(header::LOCATION), "{path}");
        assert!(!page.text().await.unwrap().contains("evil.example"), "{path}");
    }
    service.stop().await;
}

/// RFC 9207: a client of several servers can tell whose answer it got.
#[actix_web::test]
async fn mix_up_is_told_by_iss_on_every_answer() {
    let service = Service::start().await;
    let client = client(&service).await;
    let granted = service.log_in(&client, "octocat", &[]).await;
    let denied = service.log_in(&client, "stranger", &[]).await;
    let faulty = service.http.get(service.authorize_url(&client, &[("response_type", "token")])).send().await.unwrap();
    for landed in [granted, denied, location(&faulty)] {
        assert_eq!(query(&landed, "iss").as_deref(), Some("https://auth.example.com"), "{landed}");
        assert_eq!(query(&landed, "state").as_deref(), Some("the clients state"), "{landed}");
    }
    service.stop().await;
}
