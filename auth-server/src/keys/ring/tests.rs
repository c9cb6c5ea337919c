use std::{fs, path::Path};

use serde_json::Value;

use super::*;
use crate::{
    keys::{Rotated, Rotation},
    oauth::fixtures::{NOW, claims},
};

const LIFETIME: u64 = 3600;

fn config() -> SigningConfig {
    SigningConfig {
        algorithm: Algorithm::EdDsa,
        private_key_b64: None,
        private_key_file: None,
        verify_keys_b64: Vec::new(),
        legacy_secret: None,
    }
}

/// A replica that shares `folder`.
fn replica(folder: &Path) -> KeyRing {
    KeyRing::open(Source::new(&config(), folder), &config(), "https://auth.example.com", NOW).unwrap()
}

fn rotate(folder: &Path, now: u64) -> String {
    let rotation = Rotation { algorithm: Algorithm::Es256, lifetime: LIFETIME, compromised: false };
    kid_of(rotation.run(&Source::new(&config(), folder), now).unwrap())
}

fn kid_of(rotated: Rotated) -> String {
    match rotated {
        Rotated::Files { signing, .. } | Rotated::Environment { signing, .. } => signing.public().kid().to_owned(),
    }
}

fn kids(ring: &KeyRing, now: u64) -> Vec<String> {
    let kids = ring.jwks(now)["keys"].as_array().unwrap().clone();
    kids.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].clone()
}

#[test]
fn after_a_rotation_the_new_key_signs_the_old_one_verifies_and_both_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let ring = replica(folder.path());
    let old = ring.sign(&claims()).unwrap();
    let new_kid = rotate(folder.path(), NOW);
    assert_eq!(kids(&ring, NOW), [new_kid.as_str(), kid(&old).as_str().unwrap()]);
    assert_eq!(kid(&ring.sign(&claims()).unwrap()), new_kid);
    assert!(ring.verify(&old, NOW).is_ok());
    assert!(replica(folder.path()).verify(&old, NOW).is_ok(), "and for a server that starts now");
}

#[test]
fn a_replica_that_has_not_heard_of_a_new_key_accepts_its_tokens_and_never_signs_with_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, third) = (replica(folder.path()), replica(folder.path()), replica(folder.path()));
    let new_kid = rotate(folder.path(), NOW);
    let token = one.sign(&claims()).unwrap();
    assert!(other.verify(&token, NOW).is_ok());
    assert_eq!(kid(&third.sign(&claims()).unwrap()), new_kid);
}

#[test]
fn a_retired_key_is_dropped_and_pruned_when_its_last_token_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    let ring = replica(folder.path());
    let old = ring.sign(&claims()).unwrap();
    let second = rotate(folder.path(), NOW);
    let needed = NOW + LIFETIME + 60;
    ring.reload(needed - 1);
    assert!(ring.current().keys().len() == 2 && ring.verify(&old, NOW).is_ok());
    ring.reload(needed);
    assert_eq!(ring.verify(&old, NOW), Err(InvalidToken::Key));
    let third = rotate(folder.path(), needed);
    assert_eq!(kids(&ring, needed), [third, second]);
}

#[test]
fn a_compromised_key_signs_nothing_and_verifies_nothing_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let ring = replica(folder.path());
    let stolen = ring.sign(&claims()).unwrap();
    let rotation = Rotation { algorithm: Algorithm::Rs256, lifetime: LIFETIME, compromised: true };
    rotation.run(&Source::new(&config(), folder.path()), NOW).unwrap();
    let verified_under = ring.generation();
    ring.reload(NOW);
    assert_ne!(ring.generation(), verified_under, "what was verified before does not count any longer");
    assert_eq!(ring.verify(&stolen, NOW), Err(InvalidToken::Key));
    assert_eq!(ring.current().keys().len(), 1);
}

#[test]
fn a_broken_new_key_is_refused_and_the_old_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let ring = replica(folder.path());
    let token = ring.sign(&claims()).unwrap();
    let path = folder.path().join("private_key.pem");
    let whole = fs::read(&path).unwrap();
    for broken in [Some("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"), Some(""), None] {
        match broken {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        ring.reload(NOW);
        assert!(ring.verify(&token, NOW).is_ok());
        assert_eq!(kid(&ring.sign(&claims()).unwrap()), kid(&token));
    }
    assert!(!path.exists(), "a running server makes no key");
    fs::write(&path, whole).unwrap();
    let new_kid = rotate(folder.path(), NOW);
    assert_eq!(kid(&ring.sign(&claims()).unwrap()), new_kid, "and the next good one is taken");
}

#[test]
fn rotations_at_once_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let ring = replica(folder.path());
    let first = ring.sign(&claims()).unwrap();
    let rotate = || rotate(folder.path(), NOW);
    let mut made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(rotate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    made.push(kid(&first).as_str().unwrap().to_owned());
    let mut published = kids(&ring, NOW);
    made.sort_unstable();
    published.sort_unstable();
    assert_eq!(published, made);
}

#[test]
fn readers_meet_both_keys_at_every_moment_of_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let ring = replica(folder.path());
    let first = ring.sign(&claims()).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let (begun, reading) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let begun = begun;
            let mut reads = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let loaded = Source::new(&config(), folder.path()).load(NOW).unwrap();
                let jwt = Jwt::new(loaded.signing, "https://auth.example.com");
                let jwt = loaded.retired.into_iter().fold(jwt, |jwt, old| jwt.accepting(old.key));
                assert!(jwt.verify(&first, NOW).is_ok(), "after {reads} reads");
                reads += 1;
                let _nobody_waits_any_more = begun.send(());
            }
            reads
        });
        reading.recv().expect("it reads");
        for _ in 0..50 {
            rotate(folder.path(), NOW);
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn with_a_key_from_the_environment_a_rotation_writes_nothing_and_says_what_to_set() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let folder = tempfile::tempdir().unwrap();
    let encode = |key: &crate::jwt::PrivateKey| Secret::new(STANDARD.encode(key.pem().expose()));
    let old = crate::jwt::PrivateKey::generate(Algorithm::Rs256).unwrap();
    let config = SigningConfig { private_key_b64: Some(encode(&old)), ..config() };
    let open = |config: &SigningConfig| {
        KeyRing::open(Source::new(config, folder.path()), config, "https://auth.example.com", NOW).unwrap()
    };
    let token = open(&config).sign(&claims()).unwrap();
    let rotation = Rotation { algorithm: Algorithm::Es256, lifetime: LIFETIME, compromised: false };
    let rotated = rotation.run(&Source::new(&config, folder.path()), NOW).unwrap();
    let Rotated::Environment { signing, retired } = rotated else { panic!("the environment is the operator's") };
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(retired[0].until, None, "nobody knows when the operator will restart");
    let also = vec![Secret::new(crate::keys::encode(&retired))];
    let next = SigningConfig { private_key_b64: Some(encode(&signing)), verify_keys_b64: also, ..config };
    assert!(open(&next).verify(&token, NOW).is_ok());
}
