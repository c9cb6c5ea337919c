//! Redis misbehaves under the whole service: 503 and never 401, a log that says why, and recovery without a restart.

use std::time::{Duration, Instant};

use deadpool_redis::redis::cmd;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    redis_server::RedisServer,
    support::{Service, journey::Registered},
};

const RECOVERS_WITHIN: Duration = Duration::from_secs(60);
/// Seconds, where Redis answers, if only with a refusal: however busy the machine is, that comes in time.
const PATIENT: &str = "30";

/// The service on a Redis of its own, with somebody logged in.
struct OnRedis {
    service: Service,
    redis: RedisServer,
    client: Registered,
    tokens: Value,
    _dir: tempfile::TempDir,
}

impl OnRedis {
    async fn start() -> Self {
        Self::start_with(PATIENT).await
    }

    async fn start_with(timeout: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let redis = RedisServer::start(dir.path(), None);
        let url = redis.url();
        let vars = [("REDIS_URL", url.expose()), ("REDIS_TIMEOUT_SECONDS", timeout)];
        let service = Service::start_program(&vars).await;
        let client = service.register("none").await;
        let (_, tokens) = service.redeem(&client, &service.code(&client.id).await).await;
        Self { service, redis, client, tokens, _dir: dir }
    }

    fn text(&self, name: &str) -> &str {
        self.tokens[name].as_str().unwrap()
    }

    async fn verified(&self) -> StatusCode {
        self.service.verify(Some(self.text("access_token"))).await.status()
    }

    async fn refreshed(&self) -> (StatusCode, Value) {
        self.service.refresh(&self.client, self.text("refresh_token")).await
    }

    async fn refuses_writes(&self) {
        let (status, body) = self.refreshed().await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::SERVICE_UNAVAILABLE, &Value::from("temporarily_unavailable"))
        );
        assert_eq!(self.service.get("/health/live").await.status(), StatusCode::OK);
    }

    async fn refuses_all(&self) {
        let ((), verified, ready) =
            tokio::join!(self.refuses_writes(), self.verified(), self.service.get("/health/ready"));
        assert_eq!(verified, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    /// By itself, and with nothing lost: the refresh token that was refused is still good.
    async fn recovers(mut self, why: &[&str]) {
        let begun = Instant::now();
        while self.verified().await != StatusCode::OK
            || self.service.get("/health/ready").await.status() != StatusCode::OK
        {
            assert!(begun.elapsed() < RECOVERS_WITHIN, "{}", self.service.program().log());
        }
        let (status, tokens) = self.refreshed().await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        let log = self.service.log().await;
        let tells = |line: &str| line.contains("ERROR") && why.iter().any(|why| line.contains(why));
        assert!(log.lines().any(tells), "{why:?} is not in:\n{log}");
        self.service.stop().await;
    }

    async fn command(&self, words: &[&str]) {
        let mut redis = self.redis.client().await;
        let _: () = cmd(words[0]).arg(&words[1..]).query_async(&mut redis).await.unwrap();
    }
}

#[actix_web::test]
async fn redis_down_is_503_until_it_is_back() {
    let mut on = OnRedis::start().await;
    on.redis.down();
    on.refuses_all().await;
    on.redis.up();
    on.recovers(&["Connection refused"]).await;
}

#[actix_web::test]
async fn redis_restarted_is_not_noticed() {
    let mut on = OnRedis::start().await;
    on.redis.down();
    on.redis.up();
    assert_eq!(on.verified().await, StatusCode::OK);
    assert_eq!(on.refreshed().await.0, StatusCode::OK);
    on.service.stop().await;
}

#[actix_web::test]
async fn redis_down_at_start_may_come_up_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut redis = RedisServer::start(dir.path(), None);
    redis.down();
    let url = redis.url();
    let vars = [("REDIS_URL", url.expose()), ("REDIS_TIMEOUT_SECONDS", PATIENT)];
    let service = Service::start_program(&vars).await;
    assert_eq!(service.get("/health/ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    redis.up();
    assert_eq!(service.get("/health/ready").await.status(), StatusCode::OK);
    service.register("none").await;
    service.stop().await;
}

#[actix_web::test]
async fn redis_slow_is_503_after_a_bounded_wait() {
    let on = OnRedis::start_with("3").await;
    on.redis.signal("STOP");
    let begun = Instant::now();
    on.refuses_all().await;
    // Three wait for three seconds, at the same time.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    on.redis.signal("CONT");
    on.recovers(&["deadline has elapsed", "timed out"]).await;
}

#[actix_web::test]
async fn redis_read_only_is_503_for_writes_and_reads_go_on() {
    let on = OnRedis::start().await;
    on.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_eq!(on.verified().await, StatusCode::OK);
    on.refuses_writes().await;
    on.command(&["REPLICAOF", "NO", "ONE"]).await;
    on.recovers(&["read only"]).await;
}

#[actix_web::test]
async fn redis_out_of_memory_is_503_for_writes_and_reads_go_on() {
    let on = OnRedis::start().await;
    on.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(on.verified().await, StatusCode::OK);
    // What gives way to something of its own size (a refresh) is let through; what is new is not.
    let body = serde_json::json!({"redirect_uris": ["http://127.0.0.1/cb"]});
    let refused = on.service.http.post(on.service.at("/register")).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    on.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    on.recovers(&["maxmemory"]).await;
}

#[actix_web::test]
async fn redis_wrong_password_is_503_until_it_is_right_and_is_not_in_the_log() {
    let on = OnRedis::start().await;
    let mut operator = on.redis.client().await;
    let mut set = async |password: &str| {
        let _: () = cmd("CONFIG").arg(&["SET", "requirepass", password]).query_async(&mut operator).await.unwrap();
        let _: i64 =
            cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).query_async(&mut operator).await.unwrap();
    };
    set("changed-meanwhile").await;
    on.refuses_all().await;
    set("").await;
    on.recovers(&["Authentication required"]).await;
}
