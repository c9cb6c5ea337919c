use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::jwt::Algorithm;

const NOW: u64 = 1_800_000_000;

fn config() -> SigningConfig {
    SigningConfig {
        algorithm: Algorithm::EdDsa,
        private_key_b64: None,
        private_key_file: None,
        verify_keys_b64: Vec::new(),
        legacy_secret: None,
    }
}

fn encoded(key: &PrivateKey) -> Secret {
    Secret::new(STANDARD.encode(key.pem().expose()))
}

#[test]
fn a_key_is_made_once_kept_for_its_owner_alone_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new");
    let source = Source::new(&config(), &data);
    assert!(source.load(NOW).is_err(), "only a server makes keys");
    source.make_missing(&config()).unwrap();
    let made = source.load(NOW).unwrap().signing;
    source.make_missing(&config()).unwrap();
    assert_eq!(source.load(NOW).unwrap().signing.public().kid(), made.public().kid());
    let mode = fs::metadata(data.join(OWN_KEY)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(data).unwrap().count(), 1, "no draft stays behind");
}

#[test]
fn the_environments_key_wins_and_a_placeholder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let with = |text| Source::new(&SigningConfig { private_key_b64: Some(text), ..config() }, dir.path());
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    assert_eq!(with(encoded(&key)).load(NOW).unwrap().signing.public().kid(), key.public().kid());
    let refused = with(Secret::new("your_base64_encoded_private_key_here")).load(NOW).unwrap_err().to_string();
    assert!(refused.starts_with("JWT_PRIVATE_KEY_B64 is not base64 of a key: not a private key in PEM"), "{refused}");
}

#[test]
fn a_named_key_file_that_is_missing_is_a_fault_and_not_a_reason_to_make_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.pem");
    let config = SigningConfig { private_key_file: Some(path.clone()), ..config() };
    let source = Source::new(&config, dir.path());
    source.make_missing(&config).unwrap();
    assert!(source.load(NOW).unwrap_err().to_string().contains("secret.pem"));
    assert!(!path.exists());
}

#[test]
fn keys_to_verify_with_are_a_set_or_a_private_key_and_never_the_signing_one() {
    let dir = tempfile::tempdir().unwrap();
    let keys = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es256].map(|alg| PrivateKey::generate(alg).unwrap());
    let kid = |i: usize| keys[i].public().kid();
    let set = [Retired { key: keys[1].public().clone(), until: Some(NOW + 1) }];
    let set = Secret::new(STANDARD.encode(retired::write(&set)));
    let also = vec![encoded(&keys[0]), set, encoded(&keys[2])];
    let config = SigningConfig { private_key_b64: Some(encoded(&keys[0])), verify_keys_b64: also, ..config() };
    let source = Source::new(&config, dir.path());
    let kids = |now| source.load(now).unwrap().retired.iter().map(|old| old.key.kid().to_owned()).collect::<Vec<_>>();
    assert_eq!(kids(NOW), [kid(1), kid(2)]);
    assert_eq!(kids(NOW + 1), [kid(2)]);
}
