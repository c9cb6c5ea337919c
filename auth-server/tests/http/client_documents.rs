//! Clients that describe themselves (Client ID Metadata Documents), over real HTTP. Their documents are pinned copies:
//! the guard on fetching, which lets no test server through, is tested beside `fetch.rs` over real TLS.

use std::{io::ErrorKind, net::TcpListener};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Service,
    browser::{Browser, WEB},
    journey::{REDIRECT_URI, Registered},
};

const ID: &str = "https://app.example/oauth/client.json";

fn folder_with(document: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("client.json"), document.to_string()).unwrap();
    folder
}

fn document() -> Value {
    json!({
        "client_id": ID, "client_name": "Claude <b>", "redirect_uris": [REDIRECT_URI, WEB],
        "grant_types": ["authorization_code", "refresh_token", "urn:example:a-grant-of-tomorrow"],
        "token_endpoint_auth_method": "none",
    })
}

async fn start() -> (Service, TempDir) {
    let folder = folder_with(&document());
    (Service::start_with(&[("CLIENT_METADATA_DIR", folder.path().to_str().unwrap())]).await, folder)
}

fn client() -> Registered {
    Registered { id: ID.to_owned(), secret: None, answer: Value::Null }
}

#[actix_web::test]
async fn a_client_that_describes_itself_goes_the_whole_way_without_registering() {
    let (service, _folder) = start().await;
    let metadata: Value = service.get("/.well-known/oauth-authorization-server").await.json().await.unwrap();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);

    let (status, first) = service.redeem(&client(), &service.code(ID).await).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let permitted = service.verify(first["access_token"].as_str()).await;
    assert_eq!(permitted.status(), StatusCode::OK);
    assert_eq!(permitted.headers()["x-client-id"], ID);

    let (status, second) = service.refresh(&client(), first["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    let refresh = second["refresh_token"].as_str().unwrap();
    let form = [("token", refresh), ("client_id", ID)];
    let revoked = service.http.post(service.at("/revoke")).form(&form).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::OK);
    for access in [&first, &second] {
        assert_eq!(service.verify(access["access_token"].as_str()).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(service.refresh(&client(), refresh).await.1["error"], "invalid_grant");
    service.stop().await;
}

#[actix_web::test]
async fn its_token_survives_a_restart_and_a_replayed_code_revokes_it() {
    let (service, folder) = start().await;
    let code = service.code(ID).await;
    let (_, tokens) = service.redeem(&client(), &code).await;
    let service = service.restart_with(&[("CLIENT_METADATA_DIR", folder.path().to_str().unwrap())]).await;
    assert_eq!(service.verify(tokens["access_token"].as_str()).await.status(), StatusCode::OK);
    assert_eq!(service.redeem(&client(), &code).await.1["error"], "invalid_grant");
    assert_eq!(service.verify(tokens["access_token"].as_str()).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn the_consent_page_says_which_domain_stands_behind_the_name() {
    let (service, _folder) = start().await;
    let page = service.http.get(service.authorize_url(ID, &[])).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("app.example") && page.contains("Nobody else has checked it"), "{page}");
    assert!(!page.contains("<b>"), "{page}");
    let registered = service.register("none").await;
    let page = service.http.get(service.authorize_url(&registered.id, &[])).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Nobody has checked who made it") && !page.contains("Nobody else"), "{page}");
    service.stop().await;
}

#[actix_web::test]
async fn the_account_page_shows_it_by_its_domain_and_ends_it() {
    let (service, _folder) = start().await;
    let mut browser = Browser::new(&service, WEB).await;
    browser.client = client();
    let (access, _) = browser.tokens_of("octocat").await;
    browser.sign_in_as("octocat").await;
    let page = browser.get("/account").await.text().await.unwrap();
    assert!(page.contains("app.example") && page.contains(ID), "{page}");
    let token = page.split_once("name=\"token\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    browser.post("/account/revoke", &[("token", &token), ("client_id", ID)]).await;
    assert_eq!(service.verify(Some(&access)).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn a_redirect_uri_that_is_not_in_the_document_gets_a_page_and_no_redirect() {
    let (service, _folder) = start().await;
    let url = service.authorize_url(ID, &[("redirect_uri", "https://evil.example/cb")]);
    let refused = service.http.get(url).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    service.stop().await;
}

#[actix_web::test]
async fn ssrf_through_a_client_id_reaches_nothing_and_tells_nothing() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let port = trap.local_addr().unwrap().port();
    let service = Service::start().await;
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "app.localhost"] {
        let id = format!("https://{host}:{port}/client.json");
        let page = service.http.get(service.authorize_url(&id, &[])).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{id}");
        let unknown = Registered { id: id.clone(), ..client() };
        let (status, answer) = service.redeem(&unknown, "code").await;
        assert!(matches!(status.as_u16(), 401 | 503), "{id} {answer}");
        assert!(!answer.to_string().contains("address"), "{answer}");
    }
    let met = trap.accept().map(drop).unwrap_err();
    assert_eq!(met.kind(), ErrorKind::WouldBlock);
    service.stop().await;
}

#[actix_web::test]
async fn ssrf_through_a_proxy_of_the_environment_is_not_possible() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let service = Service::start_program(&[("HTTPS_PROXY", &url), ("https_proxy", &url), ("ALL_PROXY", &url)]).await;
    let id = "https://client.invalid/client.json";
    let page = service.http.get(service.authorize_url(id, &[])).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert_eq!(proxy.accept().map(drop).unwrap_err().kind(), ErrorKind::WouldBlock);
    service.stop().await;
}
