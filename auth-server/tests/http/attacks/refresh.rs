//! Refresh tokens in other hands. Reuse after the minute of grace needs a clock: `store/contract.rs` has it.

use reqwest::StatusCode;

use super::{logged_in, refusal, text};
use crate::support::Service;

const GRANT: (&str, &str) = ("grant_type", "refresh_token");

#[actix_web::test]
async fn refresh_of_another_client_is_refused_and_its_owner_goes_on() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "none").await;
    let thief = service.register("client_secret_post").await;
    let stolen = text(&tokens, "refresh_token");
    assert_eq!(refusal(&service.refresh(&thief, stolen).await), (400, "invalid_grant"));
    assert_eq!(service.refresh(&client, stolen).await.0, StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn scope_widening_is_refused() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "none").await;
    let wider = [GRANT, ("refresh_token", text(&tokens, "refresh_token")), ("scope", "openid profile email")];
    assert_eq!(refusal(&service.token(&client, &wider).await), (400, "invalid_scope"));
    service.stop().await;
}

#[actix_web::test]
async fn resource_widening_and_foreign_resource_are_refused() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "none").await;
    let token = text(&tokens, "refresh_token");
    for resource in
        ["https://fetch.example.com/mcp", "https://time.example.com", "https://evil.example/mcp", "nonsense"]
    {
        let pairs = [GRANT, ("refresh_token", token), ("resource", resource)];
        assert_eq!(refusal(&service.token(&client, &pairs).await), (400, "invalid_target"), "{resource}");
    }
    assert_eq!(service.refresh(&client, token).await.0, StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn of_fifty_parallel_refreshes_there_is_one_live_pair() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "none").await;
    let token = text(&tokens, "refresh_token");
    let answers = futures_util::future::join_all((0..50).map(|_| service.refresh(&client, token))).await;
    let successors: std::collections::BTreeSet<_> = answers
        .iter()
        .map(|(status, body)| {
            assert_eq!(*status, StatusCode::OK, "{body}");
            text(body, "refresh_token").to_owned()
        })
        .collect();
    assert_eq!(successors.len(), 1, "one successor, whoever asks");
    let (status, next) = service.refresh(&client, successors.first().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{next}");
    service.stop().await;
}
