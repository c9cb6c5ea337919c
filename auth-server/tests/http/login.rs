//! The whole journey of a client, over real HTTP, with nothing faked but GitHub.

use crate::support::{
    Service,
    journey::{REDIRECT_URI, location, query},
};
use reqwest::{StatusCode, header};
use serde_json::Value;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[actix_web::test]
async fn a_client_registers_asks_logs_in_and_reaches_its_service() {
    let service = Service::start().await;
    let client = service.register("client_secret_post").await;
    let landed = service.log_in(&client.id, "octocat", &[]).await;
    assert!(landed.as_str().starts_with(REDIRECT_URI));
    assert_eq!(query(&landed, "state").as_deref(), Some("the clients state"));
    assert_eq!(query(&landed, "iss").as_deref(), Some("https://auth.example.com"));

    let (status, tokens) = service.redeem(&client, &query(&landed, "code").unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(text(&tokens, "token_type"), "Bearer");

    let permitted = service.verify(Some(text(&tokens, "access_token"))).await;
    assert_eq!(permitted.status(), StatusCode::OK);
    assert_eq!(permitted.headers()["x-user-id"], "583231");
    assert_eq!(permitted.headers()["x-user-name"], "octocat");
    assert_eq!(permitted.headers()["x-client-id"], client.id.as_str());
    assert!(permitted.headers().contains_key("x-scope"));
    assert!(!permitted.headers().contains_key("x-auth-token"));
    service.stop().await;
}

#[actix_web::test]
async fn a_refreshed_token_works_and_a_revoked_one_does_not() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let (_, first) = service.redeem(&client, &service.code(&client.id).await).await;
    let (status, second) = service.refresh(&client, text(&first, "refresh_token")).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let access = text(&second, "access_token");
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::OK);

    let form = [("token", access), ("client_id", &client.id)];
    let revoked = service.http.post(service.at("/revoke")).form(&form).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::OK);
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn somebody_who_is_not_on_the_list_gets_access_denied() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let landed = service.log_in(&client.id, "stranger", &[]).await;
    assert_eq!(query(&landed, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&landed, "state").as_deref(), Some("the clients state"));
    service.stop().await;
}

#[actix_web::test]
async fn a_failing_github_is_a_server_error_at_the_client() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let landed = service.log_in(&client.id, "broken", &[]).await;
    assert_eq!(query(&landed, "error").as_deref(), Some("server_error"));
    service.stop().await;
}

#[actix_web::test]
async fn denying_sends_the_person_back_with_access_denied_and_never_to_github() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let denied = service.decide(&asked, "deny").await;
    assert_eq!(denied.status(), StatusCode::SEE_OTHER);
    let landed = location(&denied);
    assert!(landed.as_str().starts_with(REDIRECT_URI));
    assert_eq!(query(&landed, "error").as_deref(), Some("access_denied"));
    service.stop().await;
}

#[actix_web::test]
async fn a_client_without_a_listener_gets_its_code_shown_to_copy() {
    let service = Service::start().await;
    let oob = "urn:ietf:wg:oauth:2.0:oob";
    let body = serde_json::json!({"redirect_uris": [oob], "token_endpoint_auth_method": "none"});
    let answer: Value =
        service.http.post(service.at("/register")).json(&body).send().await.unwrap().json().await.unwrap();
    let landed = service.log_in(text(&answer, "client_id"), "octocat", &[("redirect_uri", oob)]).await;
    assert!(landed.as_str().starts_with("https://auth.example.com/success?"), "{landed}");
    let page = service.get(&format!("/success?{}", landed.query().unwrap())).await.text().await.unwrap();
    assert!(page.contains(&query(&landed, "code").unwrap()));
    service.stop().await;
}

#[actix_web::test]
async fn an_unknown_client_sees_a_page_and_is_never_redirected() {
    let service = Service::start().await;
    let url = service.authorize_url("client_<script>", &[]);
    let response = service.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert!(!response.text().await.unwrap().contains("<script>"));
    service.stop().await;
}
