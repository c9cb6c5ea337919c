//! One client in the place of another.

use reqwest::{StatusCode, header};
use serde_json::Value;

use super::{logged_in, text};
use crate::support::{Service, journey::Registered};

async fn post(service: &Service, path: &str, token: &str, who: &Registered) -> reqwest::Response {
    let form = [("token", token)];
    let request = service.http.post(service.at(path)).form(&form);
    request.basic_auth(&who.id, who.secret.as_deref()).send().await.unwrap()
}

#[actix_web::test]
async fn introspection_by_another_client_tells_nothing() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "client_secret_basic").await;
    let other = service.register("client_secret_basic").await;
    for name in ["access_token", "refresh_token"] {
        let answer: Value = post(&service, "/introspect", text(&tokens, name), &other).await.json().await.unwrap();
        assert_eq!(answer, serde_json::json!({"active": false}), "{name}");
    }
    let own: Value = post(&service, "/introspect", text(&tokens, "access_token"), &client).await.json().await.unwrap();
    assert_eq!((&own["active"], &own["username"]), (&true.into(), &"octocat".into()));
    service.stop().await;
}

#[actix_web::test]
async fn revocation_by_another_client_changes_nothing() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "client_secret_basic").await;
    let other = service.register("client_secret_basic").await;
    for name in ["access_token", "refresh_token"] {
        // RFC 7009 §2.2: 200 whatever became of it.
        assert_eq!(post(&service, "/revoke", text(&tokens, name), &other).await.status(), StatusCode::OK);
    }
    assert_eq!(service.verify(Some(text(&tokens, "access_token"))).await.status(), StatusCode::OK);
    assert_eq!(service.refresh(&client, text(&tokens, "refresh_token")).await.0, StatusCode::OK);
    service.stop().await;
}

/// The comparison is of SHA-256 hashes in constant time (`oauth/secret.rs`); what is left to see from outside is the
/// answer, and it is one for a secret that is all wrong and for one that is nearly right.
#[actix_web::test]
async fn client_secret_timing_has_nothing_to_tell_apart() {
    let service = Service::start().await;
    let client = service.register("client_secret_post").await;
    let secret = client.secret.clone().unwrap();
    let mut answers = Vec::new();
    for secret in ["wrong".to_owned(), secret[..secret.len() - 1].to_owned(), format!("{secret}x")] {
        let form = [("client_id", client.id.as_str()), ("client_secret", &secret), ("grant_type", "refresh_token")];
        let response = service.http.post(service.at("/token")).form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic"));
        answers.push(response.text().await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    service.stop().await;
}

#[actix_web::test]
async fn a_client_with_a_secret_cannot_do_without_it() {
    let service = Service::start().await;
    let (mut client, tokens) = logged_in(&service, "client_secret_post").await;
    client.secret = None;
    let (status, refused) = service.refresh(&client, text(&tokens, "refresh_token")).await;
    assert_eq!((status, text(&refused, "error")), (StatusCode::UNAUTHORIZED, "invalid_client"));
    service.stop().await;
}

#[actix_web::test]
async fn token_of_a_deleted_client_is_refused() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "none").await;
    let registration = text(&client.answer, "registration_access_token");
    let path = format!("/register/{}", client.id);
    let deleted = service.http.delete(service.at(&path)).bearer_auth(registration).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(service.verify(Some(text(&tokens, "access_token"))).await.status(), StatusCode::UNAUTHORIZED);
    let (status, refused) = service.refresh(&client, text(&tokens, "refresh_token")).await;
    // Whoever replays a pruned client learns that it must register again (users-ask: claude-code#84614).
    assert_eq!((status, text(&refused, "error")), (StatusCode::UNAUTHORIZED, "invalid_client"));
    service.stop().await;
}
