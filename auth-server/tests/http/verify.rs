//! `/verify`, as Traefik asks it.

use crate::support::{Service, journey::RESOURCE};
use auth_server::oauth::secret::Secret;
use reqwest::{StatusCode, header};

async fn access_token(service: &Service) -> String {
    let client = service.register("none").await;
    let (_, tokens) = service.redeem(&client, &service.code(&client.id).await).await;
    tokens["access_token"].as_str().unwrap().to_owned()
}

fn challenge(response: &reqwest::Response) -> String {
    response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned()
}

#[actix_web::test]
async fn without_a_token_the_challenge_says_where_to_begin_and_names_no_error() {
    let service = Service::start().await;
    let response = service.verify(None).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = challenge(&response);
    let metadata = "resource_metadata=\"https://time.example.com/.well-known/oauth-protected-resource/mcp\"";
    assert!(challenge.starts_with("Bearer ") && challenge.contains(metadata), "{challenge}");
    assert!(!challenge.contains("error="), "{challenge}");
    service.stop().await;
}

#[actix_web::test]
async fn a_token_that_is_none_of_ours_is_invalid_token() {
    let service = Service::start().await;
    for forged in ["nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "a.b.c"] {
        let response = service.verify(Some(forged)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{forged}");
        assert!(challenge(&response).contains("error=\"invalid_token\""), "{forged}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn a_token_for_one_service_does_not_open_another() {
    let service = Service::start().await;
    let token = access_token(&service).await;
    let ask = |host: &'static str| {
        let request = service.http.get(service.at("/verify")).bearer_auth(&token);
        request
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", host)
            .header("X-Forwarded-Uri", "/mcp")
            .send()
    };
    assert!(RESOURCE.contains("time.example.com"));
    assert_eq!(ask("time.example.com").await.unwrap().status(), StatusCode::OK);
    assert_eq!(ask("fetch.example.com").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn a_browser_sees_a_page_with_the_401_and_the_challenge_stays() {
    let service = Service::start().await;
    let request = service.http.get(service.at("/verify")).header(header::ACCEPT, "text/html,*/*;q=0.8");
    let request = request.header("X-Forwarded-Host", "time.example.com").header("X-Forwarded-Uri", "/mcp");
    let response = request.header("X-Forwarded-Proto", "https").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(challenge(&response).contains("resource_metadata"));
    let html = response.text().await.unwrap();
    assert!(html.contains("https://time.example.com/mcp"), "{html}");
    service.stop().await;
}

#[actix_web::test]
async fn a_preflight_passes_without_a_token_and_with_empty_identity_headers() {
    let service = Service::start().await;
    let request = service.http.get(service.at("/verify")).header("X-Forwarded-Method", "OPTIONS");
    let request = request.header("X-Forwarded-Host", "time.example.com").header("X-Forwarded-Uri", "/mcp");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    for name in ["x-user-id", "x-user-name", "x-client-id", "x-scope"] {
        assert_eq!(response.headers()[name], "", "{name}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn a_foreign_page_is_refused_even_with_a_token() {
    let service = Service::start().await;
    let token = access_token(&service).await;
    let ask = |origin: &str| {
        let origin = header::HeaderValue::from_bytes(origin.as_bytes()).unwrap();
        let request = service.http.get(service.at("/verify")).bearer_auth(&token).header(header::ORIGIN, origin);
        request.header("X-Forwarded-Host", "time.example.com").header("X-Forwarded-Uri", "/mcp").send()
    };
    assert_eq!(ask("https://evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(ask("https://\u{e9}vil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(ask("https://time.example.com").await.unwrap().status(), StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn the_bearer_token_is_handed_on_only_when_the_operator_says_so() {
    let service = Service::start_with(&[("FORWARD_AUTH_TOKEN", "true")]).await;
    let token = access_token(&service).await;
    let response = service.verify(Some(&token)).await;
    assert_eq!(Secret::new(response.headers()["x-auth-token"].to_str().unwrap()), Secret::new(token));
    service.stop().await;
}
