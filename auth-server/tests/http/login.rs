//! The whole journey of a client, over real HTTP, with nothing faked but GitHub.

use crate::support::{
    Service,
    github::code_for,
    journey::{REDIRECT_URI, Registered, location, query},
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
async fn introspection_tells_a_clients_own_token_and_nothing_of_anothers() {
    let service = Service::start().await;
    let client = service.register("client_secret_basic").await;
    let other = service.register("client_secret_basic").await;
    let (_, tokens) = service.redeem(&client, &service.code(&client.id).await).await;
    let ask = async |who: &Registered| -> Value {
        let form = [("token", text(&tokens, "access_token"))];
        let request = service.http.post(service.at("/introspect")).form(&form);
        request.basic_auth(&who.id, who.secret.as_deref()).send().await.unwrap().json().await.unwrap()
    };
    let own = ask(&client).await;
    assert_eq!(own["active"], true, "{own}");
    assert_eq!(own["username"], "octocat");
    assert_eq!(ask(&other).await, serde_json::json!({"active": false}));
    service.stop().await;
}

#[actix_web::test]
async fn a_replayed_code_revokes_what_it_gave() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let code = service.code(&client.id).await;
    let (_, tokens) = service.redeem(&client, &code).await;
    let (status, refused) = service.redeem(&client, &code).await;
    assert_eq!((status, text(&refused, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(service.verify(Some(text(&tokens, "access_token"))).await.status(), StatusCode::UNAUTHORIZED);
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
async fn consent_cannot_be_given_or_skipped_from_another_browser() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let mut foreign = service.ask(&client.id, &[]).await;
    foreign.state.clone_from(&asked.state);
    // Consent CSRF: the form of one browser with the cookie of another.
    assert_eq!(service.decide(&foreign, "approve").await.status(), StatusCode::BAD_REQUEST);
    // Consent bypass: straight to the callback.
    let skipped = service.callback(&asked.cookie, &[("code", &code_for("octocat")), ("state", &asked.state)]).await;
    assert_eq!(location(&skipped).path(), "/error");
    service.stop().await;
}

#[actix_web::test]
async fn githubs_state_works_once_and_in_the_browser_that_began() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let state = query(&location(&service.decide(&asked, "approve").await), "state").unwrap();
    let code = code_for("octocat");
    let pairs = [("code", code.as_str()), ("state", state.as_str())];
    let foreign = service.ask(&client.id, &[]).await;
    assert_eq!(location(&service.callback(&foreign.cookie, &pairs).await).path(), "/error");
    assert!(query(&location(&service.callback(&asked.cookie, &pairs).await), "code").is_some());
    assert_eq!(location(&service.callback(&asked.cookie, &pairs).await).path(), "/error");
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
