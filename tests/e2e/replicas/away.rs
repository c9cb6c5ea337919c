//! What happens when the Redis that replicas share is away, or is not what it was.

use gateway_tests::{
    client::McpClient,
    harness::{Redis, eventually},
};
use nix::sys::signal::Signal;
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde_json::json;

use super::{Replica, Replicas, SOON, pinged, session, until};

/// Living sessions must not be declared dead: what cannot be known is 503.
async fn never_unknown_until_found(client: &McpClient) {
    let found = async || match pinged(client).await {
        StatusCode::OK => Some(()),
        status => {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            None
        }
    };
    eventually(SOON, "the session is found through the other replica", found).await;
}

async fn guess(at: &McpClient) -> Response {
    let mut guess = at.clone();
    guess.session = "0".repeat(48);
    guess.post(&guess.request("ping", json!({}))).await
}

async fn cannot_be_known(at: &McpClient) {
    let away = async || (guess(at).await.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(());
    eventually(SOON, "an unknown session is 503", away).await;
    let answer = guess(at).await;
    assert!(answer.headers().contains_key(RETRY_AFTER), "{answer:?}");
}

async fn survives(fault: &str, ail: impl Fn(&mut Redis), heal: impl Fn(&mut Redis)) {
    let mut replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    assert_eq!(pinged(&there).await, StatusCode::OK, "{fault}");
    ail(&mut replicas.redis);
    cannot_be_known(&there).await;
    cannot_be_known(&here).await;
    // Its own sessions are nobody else's business, and where the others were last seen they still are.
    assert_eq!((pinged(&here).await, pinged(&there).await), (StatusCode::OK, StatusCode::OK), "{fault}");
    let (new, new_there) = replicas.session(1).await;
    assert_eq!(pinged(&new).await, StatusCode::OK, "{fault}");
    assert_eq!(pinged(&new_there).await, StatusCode::SERVICE_UNAVAILABLE, "{fault}");
    heal(&mut replicas.redis);
    never_unknown_until_found(&new_there).await;
    never_unknown_until_found(&there).await;
    for replica in &replicas.replicas {
        assert!(replica.metric("mcp_redis_errors_total").await > 0, "{fault}");
    }
}

#[tokio::test]
async fn redis_restarted_without_its_data() {
    survives("restarted", Redis::stop, |redis| {
        redis.resume();
        redis.cli(&["FLUSHALL"]);
    })
    .await;
}

#[tokio::test]
async fn redis_slow() {
    survives("slow", |redis| redis.signal(Signal::SIGSTOP), |redis| redis.signal(Signal::SIGCONT)).await;
}

#[tokio::test]
async fn a_session_that_is_in_use_is_passed_on_while_nobody_has_noticed_yet_that_redis_is_silent() {
    let replicas = Replicas::start(&[]);
    let (_here, there) = replicas.session(0).await;
    assert_eq!(pinged(&there).await, StatusCode::OK);
    replicas.redis.signal(Signal::SIGSTOP);
    while replicas.replicas[1].metric("mcp_redis_errors_total").await == 0 {
        assert_eq!(pinged(&there).await, StatusCode::OK);
    }
    assert_eq!(pinged(&there).await, StatusCode::OK);
    replicas.redis.signal(Signal::SIGCONT);
}

#[tokio::test]
async fn redis_wrong_password() {
    let password =
        |text: &'static str| move |redis: &mut Redis| drop(redis.cli(&["CONFIG", "SET", "requirepass", text]));
    let shut = |redis: &mut Redis| {
        password("hunter2")(redis);
        // Those who are in already stay in otherwise.
        redis.cli(&["-a", "hunter2", "CLIENT", "KILL", "TYPE", "normal"]);
    };
    let open = |redis: &mut Redis| drop(redis.cli(&["-a", "hunter2", "CONFIG", "SET", "requirepass", ""]));
    survives("wrong password", shut, open).await;
}

#[tokio::test]
async fn redis_read_only_as_after_a_failover() {
    let follow = |redis: &mut Redis| drop(redis.cli(&["REPLICAOF", "127.0.0.1", "1"]));
    survives("read-only", follow, |redis| drop(redis.cli(&["REPLICAOF", "NO", "ONE"]))).await;
}

#[tokio::test]
async fn redis_out_of_memory() {
    let limit = |bytes: &'static str| move |redis: &mut Redis| drop(redis.cli(&["CONFIG", "SET", "maxmemory", bytes]));
    survives("out of memory", limit("1"), limit("0")).await;
}

#[tokio::test]
async fn a_session_opened_as_redis_stops_taking_anything_new_is_never_unknown_to_another_replica() {
    let faults = [(["CONFIG", "SET", "maxmemory", "1"], "0"), (["CONFIG", "SET", "min-replicas-to-write", "1"], "0")];
    for (ail, healthy) in faults {
        let replicas = Replicas::start(&[]);
        // No replica can have noticed yet.
        replicas.redis.cli(&ail);
        let (here, there) = replicas.session(0).await;
        assert_eq!(pinged(&there).await, StatusCode::SERVICE_UNAVAILABLE, "{ail:?}");
        assert_eq!(pinged(&here).await, StatusCode::OK, "{ail:?}");
        replicas.redis.cli(&[&ail[..3], &[healthy]].concat());
        never_unknown_until_found(&there).await;
    }
}

#[tokio::test]
async fn redis_down_at_start() {
    let mut redis = Redis::start();
    redis.stop();
    let replicas = [0, 1].map(|_| Replica::start(&redis.url(), &[]));
    let here = session(&replicas[0].url(), "alice").await;
    let there = here.through(&replicas[1].url());
    cannot_be_known(&there).await;
    redis.resume();
    never_unknown_until_found(&there).await;
    // At last it is known that what is not there is not there.
    let mut guessed = there.clone();
    guessed.session = "0".repeat(48);
    until(&guessed, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn sessions_are_known_again_after_redis_lost_everything() {
    let replicas = Replicas::start(&[]);
    let (here, there) = replicas.session(0).await;
    replicas.redis.cli(&["FLUSHALL"]);
    never_unknown_until_found(&there).await;
    let registered = format!("redis:session:{}:state", here.session);
    let again = async || (replicas.redis.keys("redis:session:*") == [registered.as_str()]).then_some(());
    eventually(SOON, "the session is registered again", again).await;
    never_unknown_until_found(&there).await;
    assert_eq!(pinged(&here).await, StatusCode::OK);
}
