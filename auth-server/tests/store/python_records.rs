//! Records copied from a Redis that mcp-oauth-dynamicclient 0.2.0 wrote to: their lives go on here.

use auth_server::{
    oauth::{client::AuthMethod, grant::CodeGrant, id::ClientId, refresh::RefreshState, secret::Secret},
    store::{Commit, Revocation},
};
use deadpool_redis::redis::{AsyncCommands, aio::MultiplexedConnection};

use crate::ground::{Ground, HOUR, client, jti, now, redeem, rotate};

const CLIENT: &str = r#"{"client_id": "client_1", "client_secret": "UTjqMfJOJ1o_VdPYSvbOsWZm02YpptHqKFnV6TIO8jw", "client_secret_expires_at": 1803015837, "client_id_issued_at": 1795239837, "redirect_uris": "[\"https://app.example/cb\"]", "client_name": "Claude", "scope": "openid profile email", "created_at": 1795239837, "response_types": "[\"code\"]", "grant_types": "[\"authorization_code\", \"refresh_token\"]", "registration_access_token": "reg-C64m47HNVAR8N0nLJ9RVGMp3_tAd2vNDQkdUpH8tAlw", "client_uri": "https://app.example"}"#;
const CODE: &str = r#"{"client_id": "client_1", "redirect_uri": "https://app.example/cb", "scope": "openid profile email", "state": "abc", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256", "user_id": "583231", "username": "octocat", "email": null, "name": "The Octocat"}"#;
const REFRESH: &str = r#"{"user_id": "583231", "username": "octocat", "client_id": "client_1", "scope": "openid profile email", "created_at": 1795239837}"#;
const TOKEN: &str = r#"{"sub": "583231", "username": "octocat", "email": null, "name": "The Octocat", "scope": "openid profile email", "client_id": "client_1", "created_at": 1795239837, "expires_at": 1795326237}"#;

const CODE_TEXT: &str = "LOh-_Di1d5dDhOuGWTXNitB-u-cV91-eNbJQM1euH6g";
const REFRESH_TEXT: &str = "udHiMAV9zqaLe6O4WcfDzDDEuiv6EJOjpWfonXT6QxQ";
const JTI: &str = "kVGTW0JHrVOHCHCk1y3Tlw";

fn seconds() -> u64 {
    now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// A Redis as the Python service leaves it.
async fn inherited() -> (Ground, MultiplexedConnection) {
    let ground = Ground::redis();
    let mut redis = ground.redis.as_ref().unwrap().client().await;
    let (code, refresh) = (format!("oauth:code:{CODE_TEXT}"), format!("oauth:refresh:{REFRESH_TEXT}"));
    let _: () = redis.set_ex("oauth:client:client_1", CLIENT, 7_776_000).await.unwrap();
    let _: () = redis.set_ex(code, CODE, 31_536_000).await.unwrap();
    let _: () = redis.set_ex(refresh, REFRESH, 2_592_000).await.unwrap();
    let _: () = redis.set_ex(format!("oauth:token:{JTI}"), TOKEN, 86_400).await.unwrap();
    let _: () = redis.sadd("oauth:user_tokens:octocat", JTI).await.unwrap();
    (ground, redis)
}

#[tokio::test]
async fn a_client_keeps_its_secrets() {
    let (ground, _) = inherited().await;
    let known = ground.store.client(&ClientId::parse("client_1").unwrap()).await.unwrap().unwrap();
    assert!(known.secret.unwrap().matches(&Secret::new("UTjqMfJOJ1o_VdPYSvbOsWZm02YpptHqKFnV6TIO8jw")));
    let registration = Secret::new("reg-C64m47HNVAR8N0nLJ9RVGMp3_tAd2vNDQkdUpH8tAlw");
    assert!(known.registration_token.unwrap().matches(&registration));
    assert_eq!(known.auth_method, AuthMethod::ClientSecretPost);
    assert_eq!(known.redirect_uris[0].as_str(), "https://app.example/cb");
    assert_eq!(known.grant_types, ["authorization_code", "refresh_token"]);
    assert_eq!(known.metadata["client_uri"], "https://app.example");
}

#[tokio::test]
async fn a_code_in_flight_is_redeemed_once() {
    let before = seconds();
    let (ground, mut redis) = inherited().await;
    let code = Secret::new(CODE_TEXT);
    let seen = ground.store.code(&code).await.unwrap().unwrap();
    let CodeGrant::Approved { issued_at, .. } = &seen else { panic!("{seen:?}") };
    assert!((before - 1..=seconds()).contains(issued_at), "issued {issued_at}, not before {before}");
    assert_eq!(redeem(&ground.store, &code, &seen, ("f", "a", &Secret::new("r"))).await, Commit::Done);
    assert_eq!(redeem(&ground.store, &code, &seen, ("g", "b", &Secret::new("s"))).await, Commit::Conflict);
    assert!(matches!(ground.store.code(&code).await.unwrap(), Some(CodeGrant::Exchanged { .. })));
    let plain: bool = redis.exists(format!("oauth:code:{CODE_TEXT}")).await.unwrap();
    assert!(!plain, "the plain code is still in the store");
}

#[tokio::test]
async fn an_old_code_shows_its_age() {
    let (ground, mut redis) = inherited().await;
    let before = seconds();
    let _: () = redis.expire(format!("oauth:code:{CODE_TEXT}"), 31_536_000 - 7200).await.unwrap();
    let seen = ground.store.code(&Secret::new(CODE_TEXT)).await.unwrap().unwrap();
    let CodeGrant::Approved { issued_at, .. } = seen else { panic!("{seen:?}") };
    assert!((before - 1..=seconds() + 1).contains(&(issued_at + 7200)), "issued {issued_at}, not before {before}");
}

#[tokio::test]
async fn a_refresh_token_founds_a_family_when_it_is_first_rotated() {
    let (ground, mut redis) = inherited().await;
    let (old, next) = (Secret::new(REFRESH_TEXT), Secret::new("next"));
    assert_eq!(ground.store.refresh(&old).await.unwrap().unwrap().grant.family, None);
    assert_eq!(rotate(&ground.store, &old, &next, "access").await, Some(Commit::Done));
    let spent = ground.store.refresh(&old).await.unwrap().unwrap();
    assert!(matches!(spent.grant.state, RefreshState::Rotated { .. }));
    assert!(ground.store.refresh(&next).await.unwrap().is_some());
    let keys: Vec<String> = redis.keys("oauth:refresh:*").await.unwrap();
    assert!(keys.iter().all(|key| !key.contains(REFRESH_TEXT)), "a plain refresh token is still in the store");
    ground.store.revoke_refresh(&spent).await.unwrap();
    assert_eq!(ground.store.revocation(&jti("access")).await.unwrap(), Revocation::Revoked);
    assert!(ground.store.refresh(&next).await.unwrap().is_none());
}

#[tokio::test]
async fn a_refresh_token_without_a_family_can_be_revoked() {
    let (ground, _) = inherited().await;
    let stored = ground.store.refresh(&Secret::new(REFRESH_TEXT)).await.unwrap().unwrap();
    ground.store.revoke_refresh(&stored).await.unwrap();
    assert!(ground.store.refresh(&Secret::new(REFRESH_TEXT)).await.unwrap().is_none());
}

#[tokio::test]
async fn an_access_token_counts_until_it_or_its_client_goes() {
    let (ground, mut redis) = inherited().await;
    let active = || async { ground.store.revocation(&jti(JTI)).await.unwrap().is_active() };
    assert!(active().await);
    let record = ground.store.token(&jti(JTI)).await.unwrap().unwrap();
    assert_eq!((record.claims.username.as_str(), record.claims.exp), ("octocat", 1_795_326_237));
    ground.store.delete_client(&client().id).await.unwrap();
    assert!(!active().await, "it survived its client");
    let _: () = redis.set("oauth:client:client_1", CLIENT).await.unwrap();
    assert!(active().await);
    ground.store.revoke_token(&jti(JTI)).await.unwrap();
    assert!(!active().await);
    let listed: bool = redis.sismember("oauth:user_tokens:octocat", JTI).await.unwrap();
    assert!(!listed);
}

#[tokio::test]
async fn what_we_write_has_the_shapes_that_the_python_service_reads() {
    let (ground, mut redis) = inherited().await;
    let before = seconds();
    ground.store.put_client(&client(), Some(HOUR)).await.unwrap();
    let text: String = redis.get("oauth:client:client_1").await.unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["redirect_uris"], r#"["https://app.example/cb"]"#);
    assert_eq!(record["grant_types"], r#"["authorization_code","refresh_token"]"#);
    assert!(record.get("client_secret").is_none() && record.get("registration_access_token").is_none());
    let left: i64 = redis.ttl("oauth:client:client_1").await.unwrap();
    let passed = i64::try_from(seconds() - before).unwrap();
    assert!((3598 - passed..=3600).contains(&left), "{left} s left after {passed}");
    ground.exchanged().await;
    let listed: bool = redis.sismember("oauth:user_tokens:octocat", "first").await.unwrap();
    let token: bool = redis.exists("oauth:token:first").await.unwrap();
    assert!(listed && token);
    let everything: Vec<String> = redis.keys("*").await.unwrap();
    assert!(everything.iter().all(|key| !key.contains("refresh-0")), "a token in the clear: {everything:?}");
}
