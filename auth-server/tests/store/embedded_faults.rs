//! The embedded file: killed writers, second processes, modes, expiry.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use auth_server::{
    oauth::secret::Secret,
    store::{Commit, Store, StoreConfig},
};
use tokio::task::JoinSet;

use crate::ground::{Ground, HOUR, approved, client, embedded_in, jti, pending, redeem};

/// Names the directory to the child that is to be killed.
const DIR: &str = "STORE_TEST_DIR";
const WRITERS: usize = 8;

#[tokio::test]
async fn killed_with_9_during_writes_it_has_all_that_was_confirmed_and_nothing_by_halves() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let confirmed = write_until_killed(dir.path(), round);
        let store = Store::open(&embedded_in(dir.path())).unwrap();
        assert!(store.client(&client().id).await.unwrap().is_some());
        for name in &confirmed {
            assert!(is_there(&store, name).await, "{name} was confirmed and is lost");
        }
        for name in names(round).take(5000) {
            is_there(&store, &name).await;
        }
    }
}

/// The other half of the test above; alone it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_of_another_test_writes_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how a test reaches its own child")]
    let Ok(arguments) = std::env::var(DIR) else { return };
    let (round, dir) = arguments.split_once(':').unwrap();
    let store = Arc::new(Store::open(&embedded_in(Path::new(dir))).unwrap());
    store.put_client(&client(), None).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let mine: Vec<_> = names(round.parse().unwrap()).skip(writer).step_by(WRITERS).take(100_000).collect();
        let store = store.clone();
        writers.spawn(async move {
            for name in mine {
                let code = Secret::new(format!("code-{name}"));
                store.put_code(&code.hash(), &approved(), HOUR).await.unwrap();
                let refresh = Secret::new(format!("refresh-{name}"));
                assert_eq!(redeem(&store, &code, &approved(), (&name, &name, &refresh)).await, Commit::Done);
                std::io::stdout().write_all(format!("\nconfirmed {name}\n").as_bytes()).unwrap();
            }
        });
    }
    writers.join_all().await;
}

fn names(round: usize) -> impl Iterator<Item = String> {
    (0..).map(move |i| format!("{round}-{i}"))
}

fn write_until_killed(dir: &Path, round: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded_faults::a_child_of_another_test_writes_until_it_is_killed", "--nocapture"])
        .env(DIR, format!("{round}:{}", dir.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut confirmed = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        confirmed.extend(line.unwrap().strip_prefix("confirmed ").map(str::to_owned));
        if confirmed.len() == 100 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(confirmed.len() >= 100, "the child ended by itself");
    confirmed
}

/// Whether a redemption is there; panics if only half of it is.
async fn is_there(store: &Store, name: &str) -> bool {
    let token = store.revocation(&jti(name)).await.unwrap().is_active();
    // Found only together with its family.
    let refresh = store.refresh(&Secret::new(format!("refresh-{name}"))).await.unwrap().is_some();
    assert_eq!(token, refresh, "{name} is there by halves");
    token
}

#[tokio::test]
async fn a_second_opener_is_told_who_is_in_the_way() {
    let ground = Ground::embedded();
    let fault = Store::open(&embedded_in(ground.dir.path())).unwrap_err().to_string();
    assert!(fault.contains("auth.redb is in use by another process") && fault.contains("REDIS_URL"), "{fault}");
}

#[tokio::test]
async fn nobody_else_reads_the_file() {
    let ground = Ground::embedded();
    let mode = |path: &str| ground.dir.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/auth.redb"), 0o600);
}

#[tokio::test]
async fn an_unusable_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("data"), "a file, not a directory").unwrap();
    let fault = Store::open(&embedded_in(dir.path())).unwrap_err().to_string();
    assert!(fault.contains("data/auth.redb"), "{fault}");
}

static SECONDS: AtomicU64 = AtomicU64::new(1_800_000_000);

fn adjustable() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS.load(Ordering::Relaxed))
}

#[tokio::test]
async fn an_expired_entry_is_invisible_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig { clock: adjustable, ..embedded_in(dir.path()) }).unwrap();
    let state = Secret::new("state").hash();
    store.put_pending(&state, &pending(), Duration::from_secs(300)).await.unwrap();
    store.put_client(&client(), None).await.unwrap();
    SECONDS.fetch_add(299, Ordering::Relaxed);
    assert!(store.pending(&state).await.unwrap().is_some());
    SECONDS.fetch_add(1, Ordering::Relaxed);
    assert!(store.pending(&state).await.unwrap().is_none());
    assert!(store.take_pending(&state).await.unwrap().is_none());
    assert!(store.client(&client().id).await.unwrap().is_some());
}
