//! Redis misbehaves: every operation ends in bounded time with «unavailable», and recovers by itself.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use auth_server::{
    oauth::secret::Secret,
    store::{Backend, Commit, Revocation, Store, StoreConfig, StoreUnavailable},
};
use deadpool_redis::redis::{AsyncCommands, cmd};

use crate::{
    ground::{Ground, HOUR, PATIENT, client, jti, now, on_redis, on_redis_within, token},
    redis_server::RedisServer,
};

pub(crate) const HASTY: Duration = Duration::from_secs(1);

/// Soon by the time that this process had: while the machine holds it up, it sees no tick. Nor does it while `work` holds
/// its thread, so there is a limit by the clock as well.
pub(crate) async fn is_refused_soon<T>(work: impl Future<Output = Result<T, StoreUnavailable>>) {
    const TICK: Duration = Duration::from_millis(10);
    let mut ticks = 0;
    let ticking = async {
        loop {
            tokio::time::sleep(TICK).await;
            ticks += 1;
        }
    };
    let begun = Instant::now();
    let refused = tokio::select! {
        biased;
        outcome = work => outcome.is_err(),
        () = ticking => unreachable!("it ticks for ever"),
        () = tokio::time::sleep(PATIENT) => panic!("it is not refused"),
    };
    assert!(refused);
    assert!(begun.elapsed() < PATIENT, "it took {:?} by the clock", begun.elapsed());
    assert!(TICK * ticks < Duration::from_millis(2500), "it took {:?}", TICK * ticks);
}

async fn works(store: &Store) {
    assert!(store.revocation(&jti("first")).await.unwrap().is_active());
    store.put_client(&client(), None).await.unwrap();
}

#[tokio::test]
async fn redis_down_is_unavailable_and_back_is_available() {
    let mut ground = Ground::redis();
    ground.exchanged().await;
    ground.redis.as_mut().unwrap().down();
    is_refused_soon(ground.store.revocation(&jti("first"))).await;
    is_refused_soon(ground.store.put_client(&client(), None)).await;
    is_refused_soon(ground.store.ping()).await;
    ground.redis.as_mut().unwrap().up();
    works(&ground.store).await;
}

#[tokio::test]
async fn redis_restarted_between_two_requests_is_not_noticed() {
    let mut ground = Ground::redis();
    ground.exchanged().await;
    for write_first in [true, false] {
        let server = ground.redis.as_mut().unwrap();
        server.down();
        server.up();
        if write_first {
            ground.store.put_client(&client(), None).await.unwrap();
        }
        works(&ground.store).await;
    }
}

#[tokio::test]
async fn redis_down_at_start_may_come_up_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = RedisServer::start(dir.path(), None);
    server.down();
    let store = Store::open(&on_redis(&server)).unwrap();
    is_refused_soon(store.ping()).await;
    server.up();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_redis_that_hangs_is_unavailable_until_it_goes_on() {
    let ground = Ground::redis();
    ground.exchanged().await;
    let server = ground.redis.as_ref().unwrap();
    let store = Store::open(&on_redis_within(server, HASTY)).unwrap();
    answers(&store).await;
    server.signal("STOP");
    is_refused_soon(store.revocation(&jti("first"))).await;
    is_refused_soon(store.put_client(&client(), None)).await;
    server.signal("CONT");
    answers(&store).await;
    works(&ground.store).await;
}

/// Reads and writes, in the end.
async fn answers(store: &Store) {
    let answering = async {
        while !store.revocation(&jti("first")).await.is_ok_and(|found| found.is_active()) {}
        while store.put_client(&client(), None).await.is_err() {}
    };
    tokio::time::timeout(PATIENT, answering).await.expect("it answers");
}

#[tokio::test]
async fn a_wrong_redis_password_is_unavailable() {
    let dir = tempfile::tempdir().unwrap();
    let server = RedisServer::start(dir.path(), Some("right"));
    let open = |password: Option<&str>, url: Secret| {
        let backend = Backend::Redis { url, password: password.map(Secret::new), timeout: PATIENT };
        Store::open(&StoreConfig { backend, clock: now }).unwrap()
    };
    is_refused_soon(open(Some("wrong"), server.url()).ping()).await;
    is_refused_soon(open(None, server.url()).ping()).await;
    open(Some("right"), server.url()).ping().await.unwrap();
    let inside = Secret::new(server.url().expose().replace("redis://", "redis://:right@"));
    open(Some("wrong"), inside.clone()).ping().await.unwrap();
    open(None, inside).ping().await.unwrap();
}

#[tokio::test]
async fn a_read_only_redis_refuses_writes_and_answers_reads() {
    let ground = Ground::redis();
    ground.exchanged().await;
    let mut redis = ground.redis.as_ref().unwrap().client().await;
    let _: () = cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async(&mut redis).await.unwrap();
    is_refused_soon(ground.store.put_client(&client(), None)).await;
    assert!(ground.store.revocation(&jti("first")).await.unwrap().is_active());
    let _: () = cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut redis).await.unwrap();
    works(&ground.store).await;
}

#[tokio::test]
async fn a_redis_out_of_memory_writes_nothing_by_halves() {
    let ground = Ground::redis();
    let mut redis = ground.redis.as_ref().unwrap().client().await;
    let mut limit = async |bytes: u32| {
        let _: () = cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes).query_async(&mut redis).await.unwrap();
    };
    limit(1).await;
    is_refused_soon(ground.store.put_token(&token("first", None), HOUR)).await;
    assert_eq!(ground.store.revocation(&jti("first")).await.unwrap(), Revocation::Revoked);
    limit(0).await;
    ground.exchanged().await;
    works(&ground.store).await;
}

#[tokio::test]
async fn a_verification_asks_redis_once() {
    let ground = Ground::redis();
    ground.exchanged().await;
    let mut redis = ground.redis.as_ref().unwrap().client().await;
    let mut reads = async || -> u64 {
        let info: String = cmd("INFO").arg("commandstats").query_async(&mut redis).await.unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls=")).unwrap();
        line.split_once(',').unwrap().0.parse().unwrap()
    };
    ground.store.revocation(&jti("first")).await.unwrap();
    let before = reads().await;
    for _ in 0..100 {
        ground.store.revocation(&jti("first")).await.unwrap();
    }
    assert_eq!(reads().await - before, 100);
}

#[tokio::test]
async fn the_list_of_a_persons_tokens_stays_in_proportion_to_what_lives() {
    let ground = Ground::redis();
    let mut redis = ground.redis.as_ref().unwrap().client().await;
    for i in 0..300 {
        let brief = token(&format!("brief-{i}"), None);
        assert_eq!(ground.store.put_token(&brief, Duration::from_millis(1)).await.unwrap(), Commit::Done);
    }
    let listed: usize = redis.scard("oauth:user_tokens:octocat").await.unwrap();
    assert!(listed < 30, "{listed} are listed and none lives");
}
