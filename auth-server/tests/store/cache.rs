//! What is remembered of a token is forgotten when a record that it rests on changes, and when nobody could tell.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use auth_server::{
    oauth::id::TokenId,
    store::{
        Commit, Revocation, Store, StoreUnavailable,
        cache::{TokenCache, TokenHash},
    },
};
use deadpool_redis::redis::{AsyncCommands, aio::MultiplexedConnection, cmd};
use tokio::task::{JoinSet, yield_now};

use crate::{
    ground::{Ground, HOUR, PATIENT, client, jti, on_redis, on_redis_within, token},
    on_both,
    redis_faults::{HASTY, is_refused_soon},
};

/// As `/verify` uses them: the cache, and behind it the store.
#[derive(Clone)]
struct Replica {
    store: Arc<Store>,
    cache: Arc<TokenCache<()>>,
}

impl Replica {
    fn of(store: &Arc<Store>) -> Self {
        Self { store: store.clone(), cache: Arc::default() }
    }

    fn remembers(&self, id: &str) -> bool {
        self.cache.get(&TokenHash::of(id)).is_some()
    }

    async fn verify(&self, id: &str) -> Result<Revocation, StoreUnavailable> {
        if self.remembers(id) {
            return Ok(Revocation::Active(Default::default()));
        }
        let (revocation, basis) = self.store.standing(&TokenId::parse(id).unwrap()).await?;
        self.cache.keep(TokenHash::of(id), (), basis);
        Ok(revocation)
    }

    /// Verified, and remembered for the next time.
    async fn knows(&self, id: &str) {
        let known = async || {
            assert!(self.verify(id).await.unwrap().is_active());
            self.remembers(id)
        };
        eventually("it is remembered", known).await;
    }

    /// From now on: what was changed here is known here.
    async fn refuses(&self, id: &str) {
        assert!(!self.remembers(id), "{id} is still believed");
        assert_eq!(self.verify(id).await.unwrap(), Revocation::Revoked);
        assert!(!self.remembers(id), "only good tokens are remembered");
    }

    /// And then for good: somebody else has changed it. Says how soon.
    async fn soon_refuses(&self, id: &str) -> Duration {
        let begun = Instant::now();
        eventually("it is forgotten", async || !self.remembers(id)).await;
        let after = begun.elapsed();
        self.refuses(id).await;
        after
    }
}

async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let so = async {
        while !is_so().await {
            yield_now().await;
        }
    };
    tokio::time::timeout(PATIENT, so).await.unwrap_or_else(|_| panic!("not in {PATIENT:?}: {what}"));
}

async fn redis_of(ground: &Ground) -> MultiplexedConnection {
    ground.redis.as_ref().unwrap().client().await
}

async fn put(ground: &Ground, id: &str) {
    assert_eq!(ground.store.put_token(&token(id, None), HOUR).await.unwrap(), Commit::Done);
}

on_both! {
    /// Its own revocation, its family's, its client's deletion.
    async fn every_revocation_is_seen(ground: Ground) {
        let replica = Replica::of(&ground.store);
        put(&ground, "lone").await;
        replica.knows("lone").await;
        ground.store.revoke_token(&jti("lone")).await.unwrap();
        replica.refuses("lone").await;

        let (family, _) = ground.exchanged().await;
        replica.knows("first").await;
        ground.store.revoke_family(&family).await.unwrap();
        replica.refuses("first").await;

        let (family, _) = ground.exchanged().await;
        assert_eq!(ground.store.put_token(&token("second", Some(family)), HOUR).await.unwrap(), Commit::Done);
        for id in ["first", "second"] {
            replica.knows(id).await;
        }
        ground.store.delete_client(&client().id).await.unwrap();
        for id in ["first", "second"] {
            replica.refuses(id).await;
        }
    }

    async fn a_revoked_token_is_refused_from_the_moment_that_its_revocation_is_confirmed(ground: Ground) {
        let replica = Replica::of(&ground.store);
        for id in (0..500).map(|i| format!("t{i}")) {
            put(&ground, &id).await;
            replica.knows(&id).await;
            ground.store.revoke_token(&jti(&id)).await.unwrap();
            replica.refuses(&id).await;
        }
    }

    /// Lookups that overlap a revocation must not remember what they read before it.
    async fn a_revocation_in_the_middle_of_lookups_is_not_missed(ground: Ground) {
        let replica = Replica::of(&ground.store);
        for i in 0..200 {
            let id = format!("t{i}");
            put(&ground, &id).await;
            let mut lookups = JoinSet::new();
            for _ in 0..4 {
                let (replica, id) = (replica.clone(), id.clone());
                lookups.spawn(async move { replica.verify(&id).await.unwrap() });
            }
            ground.store.revoke_token(&jti(&id)).await.unwrap();
            lookups.join_all().await;
            replica.refuses(&id).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_to_redis_is_seen() {
    let ground = Ground::redis();
    let replica = Replica::of(&ground.store);
    let other = Store::open(&on_redis(ground.redis.as_ref().unwrap())).unwrap();
    let mut redis = redis_of(&ground).await;
    for id in ["revoked-elsewhere", "deleted-by-hand", "renamed", "flushed"] {
        put(&ground, id).await;
        replica.knows(id).await;
        let key = format!("oauth:token:{id}");
        match id {
            "revoked-elsewhere" => other.revoke_token(&jti(id)).await.unwrap(),
            "deleted-by-hand" => redis.del(&key).await.unwrap(),
            "renamed" => redis.rename(&key, "away").await.unwrap(),
            _ => cmd("FLUSHALL").query_async(&mut redis).await.unwrap(),
        }
        let after = replica.soon_refuses(id).await;
        println!("{id}: seen after {after:?}");
    }
}

/// The longest time between two answers of Redis during `work`, as this thread sees it.
async fn longest_silence(redis: &MultiplexedConnection, work: impl Future<Output = ()>) -> Duration {
    let (longest, heard) = (Cell::new(Duration::ZERO), Cell::new(Instant::now()));
    let ask = async || {
        let () = cmd("PING").query_async(&mut redis.clone()).await.unwrap();
        longest.set(longest.get().max(heard.replace(Instant::now()).elapsed()));
    };
    let asking = async {
        loop {
            ask().await;
        }
    };
    tokio::select! {
        () = work => {},
        () = asking => unreachable!("it asks for ever"),
    }
    ask().await;
    longest.get()
}

/// On one thread, which thus is held up as a whole or not at all.
#[tokio::test]
async fn a_token_in_use_asks_redis_nothing() {
    /// Shorter than the lease by far: a longer silence may end it, and such a round tells nothing.
    const CALM: Duration = Duration::from_millis(20);
    let ground = Ground::redis();
    let replica = Replica::of(&ground.store);
    put(&ground, "used").await;
    let redis = redis_of(&ground).await;
    let asks_nothing = async || {
        let mut redis = redis.clone();
        replica.knows("used").await;
        let () = cmd("CONFIG").arg("RESETSTAT").query_async(&mut redis).await.unwrap();
        let use_it = async {
            for _ in 0..1000 {
                assert!(replica.verify("used").await.unwrap().is_active());
                yield_now().await;
            }
        };
        let silence = longest_silence(&redis, use_it).await;
        let info: String = cmd("INFO").arg("commandstats").query_async(&mut redis).await.unwrap();
        let asked = info.contains("cmdstat_get:");
        assert!(!asked || silence > CALM, "Redis was asked although it was never silent for longer than {silence:?}");
        !asked
    };
    eventually("Redis is asked nothing", asks_nothing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_connection_that_tells_is_cut_nothing_is_remembered_until_there_is_a_new_one() {
    let ground = Ground::redis();
    let replica = Replica::of(&ground.store);
    let mut redis = redis_of(&ground).await;
    for id in ["a", "b", "c"] {
        put(&ground, id).await;
        replica.knows(id).await;
        let () = cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").query_async(&mut redis).await.unwrap();
        eventually("it is forgotten", async || !replica.remembers(id)).await;
        let () = redis.del(format!("oauth:token:{id}")).await.unwrap();
        replica.soon_refuses(id).await;
    }
    put(&ground, "d").await;
    replica.knows("d").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_is_soon_not_believed_and_it_goes_on_where_it_was() {
    let ground = Ground::redis();
    let server = ground.redis.as_ref().unwrap();
    let replica = Replica::of(&Arc::new(Store::open(&on_redis_within(server, HASTY)).unwrap()));
    put(&ground, "t").await;
    replica.knows("t").await;
    server.signal("STOP");
    eventually("it is not believed", async || !replica.remembers("t")).await;
    is_refused_soon(replica.verify("t")).await;
    server.signal("CONT");
    eventually("it answers", async || replica.verify("t").await.is_ok()).await;
    replica.knows("t").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_not_track_is_asked_every_time() {
    let ground = Ground::redis();
    let mut redis = redis_of(&ground).await;
    let () = cmd("ACL").arg(&["SETUSER", "default", "-client|tracking"]).query_async(&mut redis).await.unwrap();
    let replica = Replica::of(&ground.store);
    put(&ground, "t").await;
    for _ in 0..10 {
        assert!(replica.verify("t").await.unwrap().is_active());
        assert!(!replica.remembers("t"));
    }
    ground.store.revoke_token(&jti("t")).await.unwrap();
    assert_eq!(replica.verify("t").await.unwrap(), Revocation::Revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_python_service_goes_with_its_client() {
    let ground = Ground::redis();
    let replica = Replica::of(&ground.store);
    ground.store.put_client(&client(), None).await.unwrap();
    let mut redis = redis_of(&ground).await;
    let record = r#"{"sub": "1", "username": "octocat", "client_id": "client_1", "created_at": 1, "expires_at": 2}"#;
    let () = redis.set("oauth:token:old", record).await.unwrap();
    replica.knows("old").await;
    let () = redis.del("oauth:client:client_1").await.unwrap();
    replica.soon_refuses("old").await;
}
