//! Stolen, replayed and downgraded authorization codes.

use reqwest::StatusCode;

use super::{logged_in, refusal, text};
use crate::support::{
    Service,
    journey::{REDIRECT_URI, VERIFIER, query},
};

const GRANT: (&str, &str) = ("grant_type", "authorization_code");

#[actix_web::test]
async fn code_replay_revokes_what_the_code_gave() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let code = service.code(&client.id).await;
    let (_, tokens) = service.redeem(&client, &code).await;
    assert_eq!(refusal(&service.redeem(&client, &code).await), (400, "invalid_grant"));
    assert_eq!(service.verify(Some(text(&tokens, "access_token"))).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refusal(&service.refresh(&client, text(&tokens, "refresh_token")).await), (400, "invalid_grant"));
    service.stop().await;
}

#[actix_web::test]
async fn code_for_another_client_is_refused_and_not_used_up() {
    let service = Service::start().await;
    let (client, thief) = (service.register("none").await, service.register("client_secret_post").await);
    let code = service.code(&client.id).await;
    assert_eq!(refusal(&service.redeem(&thief, &code).await), (400, "invalid_grant"));
    assert_eq!(service.redeem(&client, &code).await.0, StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn code_with_wrong_redirect_uri_is_refused() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let code = service.code(&client.id).await;
    for wrong in ["http://127.0.0.1:33419/callback", "http://127.0.0.1:33418/callback/", "https://evil.example/"] {
        let pairs = [GRANT, ("code", code.as_str()), ("redirect_uri", wrong), ("code_verifier", VERIFIER)];
        assert_eq!(refusal(&service.token(&client, &pairs).await), (400, "invalid_grant"), "{wrong}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn pkce_missing_plain_or_short_at_the_start_is_sent_back_as_a_fault() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let (short, long) = ("a".repeat(42), "a".repeat(129));
    let faulty: [&[(&str, &str)]; 5] = [
        &[("code_challenge", ""), ("code_challenge_method", "")],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "")],
        &[("code_challenge", &short)],
        &[("code_challenge", &long)],
    ];
    for more in faulty {
        let response = service.http.get(service.authorize_url(&client.id, more)).send().await.unwrap();
        let landed = crate::support::journey::location(&response);
        assert!(landed.as_str().starts_with(REDIRECT_URI), "{landed}");
        assert_eq!(query(&landed, "error").as_deref(), Some("invalid_request"), "{more:?}");
        assert_eq!(query(&landed, "code"), None, "{more:?}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn pkce_wrong_verifier_is_refused() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let code = service.code(&client.id).await;
    let challenge = crate::support::journey::challenge();
    let other = VERIFIER.replace('0', "1");
    // The challenge itself is what «plain» would take.
    for wrong in
        [other.as_str(), &challenge, "short", &"a".repeat(129), "verifier with blanks and more than 43 characters"]
    {
        let pairs = [GRANT, ("code", code.as_str()), ("redirect_uri", REDIRECT_URI), ("code_verifier", wrong)];
        let (status, error) = service.token(&client, &pairs).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {error}");
    }
    service.stop().await;
}

/// A challenge at the start and no verifier at the end. The reverse, a verifier without a challenge, cannot begin:
/// a request without a challenge is refused.
#[actix_web::test]
async fn pkce_downgrade_is_refused() {
    let service = Service::start().await;
    let client = service.register("client_secret_post").await;
    let code = service.code(&client.id).await;
    for verifier in [None, Some("")] {
        let mut pairs = vec![GRANT, ("code", code.as_str()), ("redirect_uri", REDIRECT_URI)];
        pairs.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let (status, error) = service.token(&client, &pairs).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{error}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn a_code_is_no_token_and_a_token_is_no_code() {
    let service = Service::start().await;
    let (client, tokens) = logged_in(&service, "none").await;
    let code = service.code(&client.id).await;
    assert_eq!(service.verify(Some(&code)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.verify(Some(text(&tokens, "refresh_token"))).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refusal(&service.redeem(&client, text(&tokens, "access_token")).await), (400, "invalid_grant"));
    assert_eq!(refusal(&service.refresh(&client, text(&tokens, "access_token")).await), (400, "invalid_grant"));
    service.stop().await;
}
