//! A token that is taken back is refused at once, and a token that is good survives whatever happens to the servers.

use std::time::{Duration, Instant};

use gateway_tests::{
    client::{Client, Tokens},
    harness::{Gateway, Headers, Setup, StoreKind, eventually},
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;

use crate::support::{SOON, TOLD, claims, log_in};

struct LoggedIn {
    gateway: Gateway,
    client: Client,
    tokens: Tokens,
    _server: Headers,
}

impl LoggedIn {
    async fn at(setup: Setup) -> Self {
        let server = Headers::start();
        let gateway = setup.upstream("one", server.url()).start();
        let (client, tokens) = log_in(&gateway, "octocat", "one").await;
        let logged_in = Self { gateway, client, tokens, _server: server };
        assert_eq!(logged_in.status().await, StatusCode::OK);
        logged_in
    }

    /// What the access token is worth through Traefik right now.
    async fn status(&self) -> StatusCode {
        self.status_of(&self.tokens.access_token).await
    }

    async fn status_of(&self, token: &str) -> StatusCode {
        let request = self.client.browser.http.get(self.gateway.mcp("one")).bearer_auth(token);
        request.send().await.unwrap().status()
    }

    /// Soon, and then for good; says how soon: somebody else has changed what is in Redis.
    async fn is_refused(&self) -> Duration {
        let begun = Instant::now();
        let refused = async || (self.status().await == StatusCode::UNAUTHORIZED).then_some(());
        eventually(TOLD, "the token is refused", refused).await;
        let after = begun.elapsed();
        assert_eq!(self.status().await, StatusCode::UNAUTHORIZED);
        after
    }

    /// Soon: what was read is believed for an instant after Redis has gone.
    async fn is_unavailable(&self) {
        let not_good = async || Some(self.status().await).filter(|status| *status != StatusCode::OK);
        let status = eventually(TOLD, "nobody knows whether the token is revoked", not_good).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "our fault is never theirs: a 401 would log people out");
    }

    fn refresh_token(&self) -> &str {
        self.tokens.refresh_token.as_deref().expect("offline_access was granted")
    }
}

#[tokio::test]
async fn a_token_revoked_at_one_replica_is_refused_at_once_by_the_other() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis).replicas(2)).await;
    let other = Client { issuer: one.gateway.auth[1].url(), ..one.client.clone() };
    assert_eq!(other.revoke(&one.tokens.access_token).await.status(), StatusCode::OK);
    println!("seen after {:?}", one.is_refused().await);
}

#[tokio::test]
async fn revoking_the_refresh_token_at_one_replica_ends_the_access_token_at_the_other() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis).replicas(2)).await;
    let other = Client { issuer: one.gateway.auth[1].url(), ..one.client.clone() };
    assert_eq!(other.revoke(one.refresh_token()).await.status(), StatusCode::OK);
    println!("seen after {:?}", one.is_refused().await);
    assert_eq!(one.client.refresh(one.refresh_token()).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_token_deleted_from_redis_by_an_operator_is_refused_at_once() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis)).await;
    let token = claims(&one.tokens.access_token);
    let key = format!("oauth:token:{}", token["jti"].as_str().unwrap());
    let redis = one.gateway.redis.as_ref().unwrap();
    assert_eq!(redis.cli(&["DEL", &key]), "1");
    println!("seen after {:?}", one.is_refused().await);
}

#[tokio::test]
async fn a_token_in_use_asks_redis_nothing() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis)).await;
    let redis = one.gateway.redis.as_ref().unwrap();
    let reads =
        || redis.cli(&["INFO", "commandstats"]).lines().find(|l| l.starts_with("cmdstat_get:")).map(str::to_owned);
    let steady = async || {
        let before = reads();
        assert_eq!(one.status().await, StatusCode::OK);
        (reads() == before).then_some(())
    };
    eventually(SOON, "it is answered from memory", steady).await;
}

#[tokio::test]
async fn a_deleted_client_takes_its_token_along() {
    for store in [StoreKind::Redis, StoreKind::Embedded] {
        let one = LoggedIn::at(Setup::new(store)).await;
        assert!(one.client.delete().await.status().is_success());
        assert_eq!(one.status().await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn nothing_in_redis_can_be_used_by_whoever_reads_it() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis)).await;
    let redis = one.gateway.redis.as_ref().unwrap();
    let keys = redis.keys("*");
    assert!(!keys.is_empty());
    let all = keys.iter().map(|key| format!("{key} {}\n", redis.cli(&["GET", key]))).collect::<String>();
    assert!(!all.contains(one.refresh_token()), "{all}");
    assert!(!all.contains(&one.tokens.access_token), "{all}");
}

/// The token is good, a refresh gives a good one too, and the client is still known.
async fn nothing_is_lost(mut one: LoggedIn, ended_by: Signal) {
    one.gateway.auth[0].process.signal(ended_by);
    one.gateway.auth[0].process.ended();
    assert!(one.status().await.is_server_error(), "closed while nobody can say yes");
    one.gateway.auth[0].resume();
    assert_eq!(one.status().await, StatusCode::OK);
    let refreshed = Client::tokens(one.client.refresh(one.refresh_token()).await).await;
    assert_eq!(one.status_of(&refreshed.access_token).await, StatusCode::OK);
    let again = gateway_tests::client::Login { user: "octocat", resource: &one.gateway.mcp("one"), scope: "openid" };
    assert_eq!(one.status_of(&one.client.log_in(&again).await.access_token).await, StatusCode::OK);
}

/// Killed while it answers, again and again: whoever got no answer asks again and has lost nothing.
async fn killed_mid_exchange(setup: Setup) {
    let mut one = LoggedIn::at(setup).await;
    let mut token = one.refresh_token().to_owned();
    for _ in 0..4 {
        let refreshes = futures_util::future::join_all((0..8).map(|_| one.client.refresh(&token)));
        let process = &one.gateway.auth[0].process;
        let (answers, ()) = futures_util::future::join(refreshes, async { process.signal(Signal::SIGKILL) }).await;
        for answer in answers {
            assert!(answer.status() == StatusCode::OK || answer.status().is_server_error(), "{answer:?}");
        }
        one.gateway.auth[0].process.ended();
        one.gateway.auth[0].resume();
        let refreshed = Client::tokens(one.client.refresh(&token).await).await;
        assert_eq!(one.status_of(&refreshed.access_token).await, StatusCode::OK);
        token = refreshed.refresh_token.expect("offline_access was granted");
    }
}

#[tokio::test]
async fn auth_server_killed_mid_exchange_loses_no_login_on_the_embedded_store() {
    killed_mid_exchange(Setup::new(StoreKind::Embedded)).await;
}

#[tokio::test]
async fn auth_server_killed_mid_exchange_loses_no_login_on_redis() {
    killed_mid_exchange(Setup::new(StoreKind::Redis)).await;
}

#[tokio::test]
async fn a_restart_of_the_auth_server_loses_nothing_on_the_embedded_store() {
    nothing_is_lost(LoggedIn::at(Setup::new(StoreKind::Embedded)).await, Signal::SIGTERM).await;
}

#[tokio::test]
async fn a_killed_auth_server_loses_nothing_on_the_embedded_store() {
    nothing_is_lost(LoggedIn::at(Setup::new(StoreKind::Embedded)).await, Signal::SIGKILL).await;
}

#[tokio::test]
async fn a_killed_auth_server_loses_nothing_on_redis() {
    nothing_is_lost(LoggedIn::at(Setup::new(StoreKind::Redis)).await, Signal::SIGKILL).await;
}

#[tokio::test]
async fn while_redis_is_down_a_good_token_gets_503_and_afterwards_it_is_good_again() {
    let mut one = LoggedIn::at(Setup::new(StoreKind::Redis)).await;
    one.gateway.redis.as_mut().unwrap().stop();
    one.is_unavailable().await;
    assert_eq!(one.client.refresh(one.refresh_token()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    one.gateway.redis.as_mut().unwrap().resume();
    let good = async || (one.status().await == StatusCode::OK).then_some(());
    eventually(SOON, "the token is good again", good).await;
}

#[tokio::test]
async fn while_redis_hangs_nothing_that_is_remembered_counts_for_long_and_afterwards_it_goes_on() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis).var("REDIS_TIMEOUT_SECONDS", "1")).await;
    let redis = one.gateway.redis.as_ref().unwrap();
    redis.signal(Signal::SIGSTOP);
    one.is_unavailable().await;
    redis.signal(Signal::SIGCONT);
    let good = async || (one.status().await == StatusCode::OK).then_some(());
    eventually(SOON, "the token is good again", good).await;
}

#[tokio::test]
async fn when_its_connection_is_cut_auth_server_notices_a_revocation_all_the_same() {
    let one = LoggedIn::at(Setup::new(StoreKind::Redis)).await;
    let redis = one.gateway.redis.as_ref().unwrap();
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(redis.cli(&["FLUSHALL"]), "OK");
    one.is_refused().await;
}
