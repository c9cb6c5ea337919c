//! Registrations that nobody uses lapse, those in use stay, equal ones are one, and there is a ceiling.

use std::time::{Duration, SystemTime};

use auth_server::{
    oauth::{
        client::{AuthMethod, Client},
        id::ClientId,
        redirect_uri::RedirectUri,
        registration::Fingerprint,
    },
    store::{Commit, Store, StoreConfig},
};

use crate::ground::{Ground, HOUR, PATIENT, client, embedded_in, now};

const DAY: Duration = Duration::from_secs(86_400);
const LIFETIME: Option<Duration> = Some(Duration::from_secs(90 * 86_400));

fn public(id: &str, redirect_uri: &str) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        secret: None,
        auth_method: AuthMethod::None,
        redirect_uris: vec![RedirectUri::parse(redirect_uri).unwrap()],
        ..client()
    }
}

fn in_two_hours() -> SystemTime {
    now() + 2 * HOUR
}

fn in_two_days() -> SystemTime {
    now() + 2 * DAY
}

fn in_91_days() -> SystemTime {
    now() + 91 * DAY
}

/// The same file, at another time.
fn at(ground: Ground, clock: fn() -> SystemTime) -> Ground {
    let Ground { store, redis, dir } = ground;
    drop(store);
    let config = StoreConfig { clock, ..embedded_in(dir.path()) };
    Ground { store: Store::open(&config).unwrap().into(), redis, dir }
}

async fn register(ground: &Ground, client: &Client) {
    assert_eq!(ground.store.register_client(client, LIFETIME, 5).await.unwrap(), Commit::Done);
}

async fn is_there(ground: &Ground, id: &str) -> bool {
    ground.store.client(&ClientId::parse(id).unwrap()).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_lapses_within_the_hour_unless_it_gets_tokens() {
    let ground = Ground::embedded();
    let used = Client { id: ClientId::parse("used").unwrap(), ..client() };
    for registered in [&client(), &used] {
        register(&ground, registered).await;
    }
    ground.store.renew_client(&used.id, LIFETIME).await.unwrap();
    let ground = at(ground, in_two_hours);
    assert!(!is_there(&ground, "client_1").await && is_there(&ground, "used").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_use_lives_on_and_so_does_its_secret() {
    let ground = Ground::embedded();
    register(&ground, &client()).await;
    ground.store.renew_client(&client().id, LIFETIME).await.unwrap();
    let first = ground.store.client(&client().id).await.unwrap().unwrap().secret_expires_at;
    // Not due yet: nothing is written.
    ground.store.renew_client(&client().id, LIFETIME).await.unwrap();
    let ground = at(ground, in_two_days);
    ground.store.renew_client(&client().id, LIFETIME).await.unwrap();
    let second = ground.store.client(&client().id).await.unwrap().unwrap().secret_expires_at;
    assert!(second > first + 86_400, "{first} {second}");
    assert!(is_there(&at(ground, in_91_days), "client_1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_expires_is_not_given_an_end_by_use() {
    let ground = Ground::embedded();
    ground.store.put_client(&client(), None).await.unwrap();
    ground.store.renew_client(&client().id, LIFETIME).await.unwrap();
    assert!(is_there(&at(ground, in_91_days), "client_1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_a_registration_is_not_using_it() {
    let ground = Ground::embedded();
    register(&ground, &client()).await;
    assert_eq!(ground.store.replace_client(&client()).await.unwrap(), Commit::Done);
    assert!(!is_there(&at(ground, in_two_hours), "client_1").await);
}

async fn equal_registrations_share_one_client_that_nobody_manages(ground: Ground) {
    let first = public("first", "http://127.0.0.1:33418/callback");
    register(&ground, &first).await;
    let again = Fingerprint::of(&public("second", "http://127.0.0.1:5000/callback")).unwrap();
    let shared = ground.store.share_client(&again).await.unwrap().unwrap();
    assert_eq!(shared.id, first.id);
    let stored = ground.store.client(&first.id).await.unwrap().unwrap();
    assert_eq!(stored.registration_token, None, "its first registrant could change everybody's client");
    let other = Fingerprint::of(&public("third", "http://127.0.0.1:5000/other")).unwrap();
    assert_eq!(ground.store.share_client(&other).await.unwrap(), None);
}

async fn a_registration_that_was_changed_is_not_shared_under_its_old_metadata(ground: Ground) {
    let first = public("first", "http://127.0.0.1:33418/callback");
    register(&ground, &first).await;
    let evil = RedirectUri::parse("https://evil.example/cb").unwrap();
    let changed = Client { redirect_uris: vec![first.redirect_uris[0].clone(), evil], ..first.clone() };
    assert_eq!(ground.store.replace_client(&changed).await.unwrap(), Commit::Done);
    assert_eq!(ground.store.share_client(&Fingerprint::of(&first).unwrap()).await.unwrap(), None);
}

async fn a_registration_flood_ends_at_the_ceiling_and_evicts_nobody(ground: Ground) {
    for i in 0..5 {
        let client = Client { id: ClientId::parse(&format!("client_{i}")).unwrap(), ..client() };
        register(&ground, &client).await;
    }
    let late = Client { id: ClientId::parse("late").unwrap(), ..client() };
    assert_eq!(ground.store.register_client(&late, LIFETIME, 5).await.unwrap(), Commit::Conflict);
    assert!(!is_there(&ground, "late").await && is_there(&ground, "client_0").await);
    ground.store.delete_client(&ClientId::parse("client_3").unwrap()).await.unwrap();
    register(&ground, &late).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lapsed_registrations_make_room() {
    let ground = Ground::embedded();
    for i in 0..5 {
        let client = Client { id: ClientId::parse(&format!("client_{i}")).unwrap(), ..client() };
        register(&ground, &client).await;
    }
    let ground = at(ground, in_two_hours);
    register(&ground, &client()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lapsed_registrations_make_room_in_redis_too() {
    let ground = Ground::redis();
    let moment = Some(Duration::from_millis(1));
    for i in 0..5 {
        let client = Client { id: ClientId::parse(&format!("client_{i}")).unwrap(), ..client() };
        assert_eq!(ground.store.register_client(&client, moment, 5).await.unwrap(), Commit::Done);
    }
    let gone = async { while is_there(&ground, "client_4").await {} };
    tokio::time::timeout(PATIENT, gone).await.expect("it expires");
    register(&ground, &client()).await;
}

mod on_each {
    macro_rules! on_each {
        ($($name:ident)*) => {
            $(mod $name {
                use crate::ground::Ground;
                #[tokio::test(flavor = "multi_thread")]
                async fn embedded() { super::super::$name(Ground::embedded()).await }
                #[tokio::test(flavor = "multi_thread")]
                async fn redis() { super::super::$name(Ground::redis()).await }
            })*
        };
    }
    on_each! {
        equal_registrations_share_one_client_that_nobody_manages
        a_registration_that_was_changed_is_not_shared_under_its_old_metadata
        a_registration_flood_ends_at_the_ceiling_and_evicts_nobody
    }
}
