//! Clients that sign (`private_key_jwt`), described by a document or registered.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Service,
    journey::{REDIRECT_URI, VERIFIER},
    signer::{JWT_BEARER, Key, now},
};

const ID: &str = "https://chat.example/oauth/client.json";

/// A gateway that knows the signing client by its document.
async fn start(key: &Key) -> (Service, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let document = json!({
        "client_id": ID, "client_name": "Chat", "redirect_uris": [REDIRECT_URI], "jwks": key.jwks(),
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "EdDSA",
    });
    std::fs::write(folder.path().join("chat.json"), document.to_string()).unwrap();
    (Service::start_with(&[("CLIENT_METADATA_DIR", folder.path().to_str().unwrap())]).await, folder)
}

async fn post(service: &Service, path: &str, assertion: &str, pairs: &[(&str, &str)]) -> (StatusCode, Value) {
    let mut form = vec![("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
    form.extend_from_slice(pairs);
    let response = service.http.post(service.at(path)).form(&form).send().await.unwrap();
    (response.status(), response.json().await.unwrap_or_default())
}

async fn redeem(service: &Service, code: &str, assertion: &str) -> (StatusCode, Value) {
    let pairs = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
    post(service, "/token", assertion, &pairs).await
}

#[actix_web::test]
async fn a_client_that_signs_gets_refreshes_sees_and_revokes_its_tokens() {
    let key = Key::new();
    let (service, _folder) = start(&key).await;
    let metadata: Value = service.get("/.well-known/oauth-authorization-server").await.json().await.unwrap();
    assert!(metadata["token_endpoint_auth_methods_supported"].to_string().contains("private_key_jwt"));
    assert!(metadata["token_endpoint_auth_signing_alg_values_supported"].to_string().contains("ES256"));

    let (status, first) = redeem(&service, &service.code(ID).await, &key.assertion(ID, "1")).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let refresh = first["refresh_token"].as_str().unwrap();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", ID)];
    let (status, second) = post(&service, "/token", &key.assertion(ID, "2"), &pairs).await;
    assert_eq!(status, StatusCode::OK, "{second}");

    let access = second["access_token"].as_str().unwrap();
    let (_, seen) = post(&service, "/introspect", &key.assertion(ID, "3"), &[("token", access)]).await;
    assert_eq!((&seen["active"], &seen["client_id"]), (&json!(true), &json!(ID)));
    let (status, _) = post(&service, "/revoke", &key.assertion(ID, "4"), &[("token", access)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn a_replayed_assertion_is_refused_even_by_fifty_at_once_and_after_a_restart() {
    let key = Key::new();
    let (service, folder) = start(&key).await;
    let (code, assertion) = (service.code(ID).await, key.assertion(ID, "once"));
    let attempts = (0..50).map(|_| redeem(&service, &code, &assertion));
    let answers = futures_util::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::OK).count(), 1);
    for (_, refused) in answers.iter().filter(|(status, _)| *status != StatusCode::OK) {
        assert_eq!(refused["error"], "invalid_client", "{refused}");
    }
    let service = service.restart_with(&[("CLIENT_METADATA_DIR", folder.path().to_str().unwrap())]).await;
    assert_eq!(redeem(&service, "x", &assertion).await.1["error"], "invalid_client");
    service.stop().await;
}

#[actix_web::test]
async fn an_assertion_that_is_not_right_is_invalid_client_and_uses_nothing_up() {
    let (key, thief) = (Key::new(), Key::new());
    let (service, _folder) = start(&key).await;
    let code = service.code(ID).await;
    let claims = |aud: &str, exp: u64| key.sign(&json!({"iss": ID, "sub": ID, "aud": aud, "exp": exp, "jti": "1"}));
    let aud = "https://auth.example.com/token";
    for (what, assertion) in [
        ("another's key", thief.assertion(ID, "1")),
        ("another's audience", claims("https://evil.example/token", now() + 60)),
        ("expired", claims(aud, now() - 3600)),
        ("good for a day", claims(aud, now() + 86_400)),
        ("unsigned", key.assertion(ID, "1").rsplit_once('.').unwrap().0.to_owned() + "."),
        ("not a JWT", "x".to_owned()),
        ("a URL that describes nobody", key.assertion("https://app.example/#", "1")),
        ("an unknown client", key.assertion("client_unknown", "1")),
    ] {
        let (status, refused) = redeem(&service, &code, &assertion).await;
        assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")), "{what}: {refused}");
    }
    let alone = [("grant_type", "authorization_code"), ("code", &code), ("client_id", ID), ("code_verifier", VERIFIER)];
    let response = service.http.post(service.at("/token")).form(&alone).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "without an assertion");
    assert_eq!(redeem(&service, &code, &claims(aud, now() + 60)).await.0, StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn a_signing_client_may_register_and_gets_no_secret() {
    let key = Key::new();
    let service = Service::start().await;
    let register = async |more: Value| {
        let mut body = json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "private_key_jwt"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let response = service.http.post(service.at("/register")).json(&body).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let (status, answer) = register(json!({ "jwks": key.jwks() })).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert!(answer.get("client_secret").is_none() && answer.get("client_secret_expires_at").is_none(), "{answer}");
    assert_eq!(answer["token_endpoint_auth_method"], "private_key_jwt");
    let id = answer["client_id"].as_str().unwrap();
    let code = service.code(id).await;
    assert_eq!(redeem(&service, &code, &Key::new().assertion(id, "1")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(redeem(&service, &code, &key.assertion(id, "2")).await.0, StatusCode::OK);

    let uri = json!("https://app.example/jwks");
    for faulty in
        [json!({}), json!({"jwks": key.jwks(), "jwks_uri": uri}), json!({"jwks_uri": "http://app.example/jwks"})]
    {
        let (status, refused) = register(faulty.clone()).await;
        assert_eq!((status.as_u16(), &refused["error"]), (400, &json!("invalid_client_metadata")), "{faulty}");
    }
    service.stop().await;
}
