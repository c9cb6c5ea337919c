//! The audit log of one client's life: every event that is due, in order, with ids and nothing else.

use auth_server::oauth::secret::Secret;
use deadpool_redis::redis::AsyncCommands;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{redis_server::RedisServer, support::Service};

/// Events of the log, in order, and the whole line of each.
fn events(log: &str) -> Vec<(String, String)> {
    let lines = log.lines().filter(|line| line.contains(" audit: "));
    lines
        .map(|line| {
            let (_, rest) = line.split_once(" event=").unwrap();
            (rest.split(' ').next().unwrap().to_owned(), line.to_owned())
        })
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[actix_web::test]
async fn a_clients_life_is_in_the_audit_log_with_ids_and_nothing_else() {
    let mut service = Service::start_program(&[]).await;
    let client = service.register("client_secret_post").await;
    let code = service.code(&client.id).await;
    let (_, first) = service.redeem(&client, &code).await;
    let (_, second) = service.refresh(&client, text(&first, "refresh_token")).await;
    service.redeem(&client, &code).await;
    service.verify(Some(text(&second, "access_token"))).await;
    service.log_in(&client.id, "stranger", &[]).await;
    service.decide(&service.ask(&client.id, &[]).await, "deny").await;
    let wrong = [("grant_type", "refresh_token"), ("client_id", &client.id), ("client_secret", "hunter2")];
    service.http.post(service.at("/token")).form(&wrong).send().await.unwrap();
    let (_, other) = service.redeem(&client, &service.code(&client.id).await).await;
    let secret = client.secret.as_deref().unwrap();
    let form = [("token", text(&other, "access_token")), ("client_id", &client.id), ("client_secret", secret)];
    service.http.post(service.at("/revoke")).form(&form).send().await.unwrap();
    let uri = text(&client.answer, "registration_client_uri").strip_prefix("https://auth.example.com").unwrap();
    let delete = service.http.delete(service.at(uri));
    delete.bearer_auth(text(&client.answer, "registration_access_token")).send().await.unwrap();

    let deleted = |log: &str| log.contains("client_deleted").then(|| log.to_owned());
    let log = service.program().sees("the last event", |program| deleted(&program.log())).await;
    let events = events(&log);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    let due = "client_registered login_granted token_issued token_issued grant_refused code_reused access_refused \
        login_denied consent_denied client_refused login_granted token_issued token_revoked client_deleted";
    assert_eq!(names, due.split_whitespace().collect::<Vec<_>>(), "{log}");
    for (name, line) in &events {
        assert!(line.contains(&client.id) || name == "access_refused", "{line}");
        for private in ["octo@example.org", "octocat", "stranger", secret, "hunter2", &code] {
            assert!(!line.contains(private), "{private} in {line}");
        }
    }
    assert!(events[5].1.contains(" security=true "), "{}", events[5].1);
    service.stop().await;
}

#[actix_web::test]
async fn a_stolen_refresh_token_is_a_security_event_and_a_metric() {
    let dir = tempfile::tempdir().unwrap();
    let redis = RedisServer::start(dir.path(), None);
    let url = redis.url();
    let vars = [("METRICS_ADDR", "127.0.0.1:0"), ("REDIS_URL", url.expose()), ("REDIS_TIMEOUT_SECONDS", "30")];
    let mut service = Service::start_program(&vars).await;
    let client = service.register("none").await;
    let (_, first) = service.redeem(&client, &service.code(&client.id).await).await;
    let spent = text(&first, "refresh_token");
    service.refresh(&client, spent).await;

    // An hour passes: it is no lost answer any more.
    let mut redis = redis.client().await;
    let key = format!("oauth:refresh:{}", Secret::new(spent).hash().as_str());
    let record: String = redis.get(&key).await.unwrap();
    let mut record: Value = serde_json::from_str(&record).unwrap();
    let at = &mut record["state"]["rotated"]["at"];
    *at = (at.as_u64().unwrap() - 3600).into();
    let _: () = redis.set(&key, record.to_string()).await.unwrap();

    assert_eq!(service.refresh(&client, spent).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(service.program().logged("event=refresh_reused", "client_id").await, client.id);
    assert_eq!(service.program().logged("event=refresh_reused", "security").await, "true");
    let addr = service.program().logged("numbers are served", "metrics_addr").await;
    let numbers = service.http.get(format!("http://{addr}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(numbers.contains("\nauth_refresh_reuse_total 1\n"), "{numbers}");
    service.stop().await;
}
