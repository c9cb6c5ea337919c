//! What an outsider, a neighbour or a Redis that lies cannot make replicas do.

use gateway_tests::{client::McpClient, harness::eventually};
use reqwest::{Response, StatusCode};
use serde_json::json;

use super::{Replica, Replicas, SOON, person, pinged, session, until};

const FORWARDED: &str = "mcp-sidecar-forwarded";

async fn ping_with(client: &McpClient, url: &str, headers: &[(&str, &str)]) -> Response {
    let mut post = person("alice").post(url).json(&client.request("ping", json!({})));
    post = post.header("accept", "application/json, text/event-stream").header("mcp-session-id", &client.session);
    for (name, value) in headers {
        post = post.header(*name, *value);
    }
    post.send().await.unwrap()
}

#[tokio::test]
async fn another_users_session_at_another_replica_does_not_exist_and_is_not_asked_for() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    assert_eq!(pinged(&there).await, StatusCode::OK);
    let answered = "mcp_requests_forwarded_total{outcome=\"answered\"}";
    for user in ["mallory", "Alice"] {
        let mut thief = session(&replicas.replicas[1].url(), user).await;
        thief.session.clone_from(&here.session);
        assert_eq!(pinged(&thief).await, StatusCode::NOT_FOUND);
        assert_eq!(thief.delete().await, StatusCode::NOT_FOUND);
        assert_eq!(thief.listen(None).await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(replicas.replicas[1].metric(answered).await, 1);
    // Both write a line for each request of which they hear.
    for user in ["user=mallory ", "user=Alice "] {
        let told = async || replicas.replicas[1].process.log().contains(user).then_some(());
        eventually(SOON, "the replica's log has the request", told).await;
        assert!(!replicas.replicas[0].process.log().contains(user), "the other replica was asked");
    }
    assert_eq!(pinged(&there).await, StatusCode::OK);
}

/// Status, headers but the date, and body of each kind of request.
async fn seen(client: &McpClient) -> Vec<(StatusCode, Vec<String>, String)> {
    let mut seen = Vec::new();
    for answer in [client.post(&client.request("ping", json!({}))).await, client.listen(None).await] {
        let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
        let headers = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
        seen.push((answer.status(), headers, answer.text().await.unwrap()));
    }
    seen
}

#[tokio::test]
async fn another_users_session_is_answered_as_an_unknown_one_also_while_nothing_is_certain() {
    let mut replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    let mut guesses = Vec::new();
    for (replica, known) in replicas.replicas.iter().zip([&here, &there]) {
        let thief = session(&replica.url(), "mallory").await;
        let [mut foreign, mut unknown] = [thief.clone(), thief];
        foreign.session.clone_from(&known.session);
        unknown.session = "0".repeat(48);
        guesses.push((foreign, unknown));
    }
    let told_apart = async |status: StatusCode| {
        for (foreign, unknown) in &guesses {
            let (foreign, unknown) = (seen(foreign).await, seen(unknown).await);
            assert_eq!(foreign, unknown);
            assert!(unknown.iter().all(|(answered, ..)| *answered == status), "{unknown:?}");
        }
    };
    told_apart(StatusCode::NOT_FOUND).await;
    replicas.redis.cli(&["SET", "redis:replicas:settling", "1", "EX", "600"]);
    told_apart(StatusCode::SERVICE_UNAVAILABLE).await;
    // The session is where it was last seen, for its owner alone.
    assert_eq!(pinged(&there).await, StatusCode::OK);
    replicas.redis.stop();
    for (_, unknown) in &guesses {
        until(unknown, StatusCode::SERVICE_UNAVAILABLE).await;
    }
    told_apart(StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!((pinged(&here).await, pinged(&there).await), (StatusCode::OK, StatusCode::OK));
}

#[tokio::test]
async fn a_request_that_was_passed_on_is_never_passed_on_again() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    let other = replicas.replicas[1].url();
    assert_eq!(ping_with(&here, &other, &[(FORWARDED, "1")]).await.status(), StatusCode::NOT_FOUND);
    // Redis says of each that the session is at the other one; the second stop is the last.
    let lost = "0".repeat(48);
    let key = |id: &str| format!("redis:session:{id}:state");
    let record = replicas.redis.cli(&["GET", &key(&here.session)]);
    replicas.redis.cli(&["SET", &key(&lost), &record]);
    let mut circling = there.clone();
    circling.session = lost;
    assert_eq!(pinged(&circling).await, StatusCode::NOT_FOUND);
    assert_eq!(pinged(&circling.through(&replicas.replicas[0].url())).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn dns_rebinding_is_refused_whether_or_not_a_request_claims_to_have_been_passed_on() {
    let replicas = Replicas::start(&[]);
    let (here, _) = replicas.session(0).await;
    for replica in &replicas.replicas {
        for mark in [&[][..], &[(FORWARDED, "1")][..]] {
            for foreign in [("host", "evil.example.com"), ("origin", "https://evil.example.com")] {
                let answer = ping_with(&here, &replica.url(), &[mark, &[foreign]].concat()).await;
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{foreign:?}");
            }
        }
    }
    // The second replica judges what the client itself said.
    let own = [("host", "time.localhost"), ("origin", "http://time.localhost:8443")];
    assert_eq!(ping_with(&here, &replicas.replicas[1].url(), &own).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_redis_says_is_checked_before_anything_is_sent_anywhere() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    let signs = replicas.redis.keys("redis:replica:*");
    let session = format!("redis:session:{}:state", here.session);
    let record = replicas.redis.cli(&["GET", &session]);
    let odd = [
        "rubbish".to_owned(),
        record.replace("\"owner\":\"", "\"owner\":\"http://127.0.0.1:1/"),
        record.replace("alice", "mallory"),
        format!("{record}{}", " ".repeat(100_000)),
    ];
    for odd in odd {
        // Its owner may be about to say so again.
        let refused = async || {
            replicas.redis.cli(&["SET", &session, &odd]);
            (pinged(&there).await == StatusCode::NOT_FOUND).then_some(())
        };
        eventually(SOON, "what is odd is no session", refused).await;
    }
    replicas.redis.cli(&["SET", &session, &record]);
    until(&there, StatusCode::OK).await;
    // An address that is more than an address, and a replica of another service.
    for sign in [r#"{"address":"127.0.0.1:1/x?","service":"s"}"#, r#"{"address":"127.0.0.1:1","service":"s"}"#] {
        // Its owner says so again every second.
        let refused = async || {
            signs.iter().for_each(|key| drop(replicas.redis.cli(&["SET", key, sign])));
            (pinged(&there).await == StatusCode::NOT_FOUND).then_some(())
        };
        eventually(SOON, "what is odd leads nowhere", refused).await;
    }
}

#[tokio::test]
async fn services_of_one_command_that_share_a_redis_know_nothing_of_each_other_with_a_database_each() {
    let replicas = Replicas::start(&[]);
    let (here, _) = replicas.session(0).await;
    let other = Replica::start(&format!("{}/1", replicas.redis.url()), &[]);
    until(&here.through(&other.url()), StatusCode::NOT_FOUND).await;
    assert_eq!(pinged(&here).await, StatusCode::OK);
}

#[tokio::test]
async fn the_wrapped_server_is_not_told_how_to_get_into_redis() {
    let replicas = Replicas::start(&[]);
    let (here, _) = replicas.session(0).await;
    assert_eq!(here.call("env", json!({ "name": "REDIS_URL" })).await, "");
    assert_eq!(here.call("env", json!({ "name": "LOG_LEVEL" })).await, "debug");
}
