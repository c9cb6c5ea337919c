//! Who registers twice, and who floods.

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Service, journey::Registered};

async fn register(service: &Service, body: &Value) -> Value {
    let response = service.http.post(service.at("/register")).json(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.unwrap()
}

fn editor(port: u16) -> Value {
    json!({
        "client_name": "An editor", "redirect_uris": [format!("http://127.0.0.1:{port}/callback")],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
    })
}

#[actix_web::test]
async fn an_editor_that_registers_at_every_start_is_one_client() {
    let service = Service::start().await;
    let first = register(&service, &editor(33418)).await;
    let manage = |token: &Value| {
        let url = service.at(&format!("/register/{}", first["client_id"].as_str().unwrap()));
        service.http.get(url).bearer_auth(token.as_str().unwrap()).send()
    };
    let token = &first["registration_access_token"];
    assert_eq!(manage(token).await.unwrap().status(), StatusCode::OK);
    let second = register(&service, &editor(50123)).await;
    assert_eq!(first["client_id"], second["client_id"]);
    assert_eq!(second["client_name"], "An editor");
    assert!(second.get("registration_access_token").is_none() && second.get("registration_client_uri").is_none());
    // Shared now: its first registrant no longer manages it.
    assert_eq!(manage(token).await.unwrap().status(), StatusCode::FORBIDDEN);
    // And it logs in, on whatever port.
    let client =
        Registered { id: second["client_id"].as_str().unwrap().to_owned(), secret: None, answer: second.clone() };
    let (status, tokens) = service.redeem(&client, &service.code(&client.id).await).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    service.stop().await;
}

#[actix_web::test]
async fn two_clients_with_secrets_are_never_one() {
    let service = Service::start().await;
    let body = json!({"redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "client_secret_post"});
    let (first, second) = (register(&service, &body).await, register(&service, &body).await);
    assert_ne!(first["client_id"], second["client_id"]);
    assert_ne!(first["client_secret"], second["client_secret"]);
    service.stop().await;
}

#[actix_web::test]
async fn registration_flood_is_answered_503_with_retry_after_and_stops_nobody() {
    let service = Service::start_with(&[("MAX_CLIENTS", "3")]).await;
    let body = |i: usize| json!({"redirect_uris": [format!("https://app{i}.example/cb")]});
    let client = service.register("none").await;
    for i in 0..2 {
        register(&service, &body(i)).await;
    }
    let refused = service.http.post(service.at("/register")).json(&body(9)).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["error"], "temporarily_unavailable");
    // Who was there goes on, and who registers the same again is no new client.
    assert_eq!(service.redeem(&client, &service.code(&client.id).await).await.0, StatusCode::OK);
    assert_eq!(service.register("none").await.id, client.id);
    service.stop().await;
}
