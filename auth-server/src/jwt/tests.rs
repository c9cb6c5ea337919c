use std::sync::LazyLock;

use josekit::{jwk::KeyPair as _, jws::RS256};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{token::MAX_TOKEN, *};
use crate::oauth::fixtures::{NOW, claims};

const ISSUER: &str = "https://auth.example.com";
const LEGACY: &str = "a secret of the Python service, long enough";

static KEY: LazyLock<Secret> = LazyLock::new(|| PrivateKey::generate(Algorithm::Rs256).unwrap().pem().clone());
static OTHER: LazyLock<Secret> = LazyLock::new(|| PrivateKey::generate(Algorithm::Rs256).unwrap().pem().clone());

fn key(pem: &Secret) -> PrivateKey {
    PrivateKey::from_pem(pem).unwrap()
}

fn jwt() -> Jwt {
    Jwt::new(key(&KEY), ISSUER)
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with any header, signed by `sign`.
fn forged(header: Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encode(&header), encode(&serde_json::to_value(claims()).unwrap()));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn rs256(key: &Secret) -> impl Fn(&[u8]) -> Vec<u8> {
    let signer = RS256.signer_from_pem(key.expose()).unwrap();
    move |message| signer.sign(message).unwrap()
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let signer = HS256.signer_from_bytes(secret).unwrap();
    move |message| signer.sign(message).unwrap()
}

#[test]
fn what_was_signed_verifies_and_has_the_header_of_rfc_9068() {
    let jwt = jwt();
    let token = jwt.sign(&claims()).unwrap();
    assert_eq!(jwt.verify(&token, NOW).unwrap().claims(), &claims());
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, json!({ "alg": "RS256", "typ": "at+jwt", "kid": jwt.jwks()["keys"][0]["kid"] }));
}

#[test]
fn alg_none_is_refused() {
    for alg in ["none", "None", "NONE", ""] {
        let token = forged(json!({ "alg": alg, "typ": "at+jwt" }), |_| Vec::new());
        assert_eq!(jwt().verify(&token, NOW), Err(InvalidToken::Key));
    }
}

#[test]
fn hs256_with_the_public_key_as_secret_is_refused() {
    let pair = RS256.key_pair_from_pem(KEY.expose()).unwrap();
    for secret in [pair.to_pem_public_key(), pair.to_der_public_key()] {
        let with_kid = json!({ "alg": "HS256", "typ": "at+jwt", "kid": jwt().jwks()["keys"][0]["kid"] });
        for header in [with_kid, json!({ "alg": "HS256" })] {
            let token = forged(header.clone(), hs256(&secret));
            assert_eq!(jwt().verify(&token, NOW), Err(InvalidToken::Key));
            let with_legacy = jwt().accepting_hs256(&Secret::new(LEGACY)).unwrap();
            assert!(with_legacy.verify(&token, NOW).is_err());
        }
    }
}

#[test]
fn an_injected_kid_finds_no_key() {
    for kid in ["", "../../dev/null", "' OR 1=1 --", "other"] {
        let token = forged(json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid }), rs256(&OTHER));
        assert_eq!(jwt().verify(&token, NOW), Err(InvalidToken::Key));
    }
}

#[test]
fn jku_x5u_and_an_embedded_jwk_have_no_influence() {
    let theirs = key(&OTHER).public().jwk().clone();
    let ours = jwt().jwks()["keys"][0]["kid"].clone();
    let header = json!({
        "alg": "RS256", "typ": "at+jwt", "kid": ours, "jwk": theirs,
        "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u", "x5c": ["MIIB"],
    });
    assert_eq!(jwt().verify(&forged(header, rs256(&OTHER)), NOW), Err(InvalidToken::Signature));
}

#[test]
fn a_critical_extension_or_another_type_is_refused() {
    let kid = jwt().jwks()["keys"][0]["kid"].clone();
    let critical = json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid, "crit": ["b64"], "b64": false });
    assert_eq!(jwt().verify(&forged(critical, rs256(&KEY)), NOW), Err(InvalidToken::Critical));
    for typ in [json!("JWT"), json!("dpop+jwt"), Value::Null] {
        let header = json!({ "alg": "RS256", "typ": typ, "kid": kid });
        assert_eq!(jwt().verify(&forged(header, rs256(&KEY)), NOW), Err(InvalidToken::Type));
    }
}

#[test]
fn tokens_of_the_python_service_verify() {
    for header in [json!({ "alg": "RS256" }), json!({ "alg": "RS256", "typ": "JWT" })] {
        assert!(jwt().verify(&forged(header.clone(), rs256(&KEY)), NOW).is_ok());
        assert_eq!(jwt().verify(&forged(header, rs256(&OTHER)), NOW), Err(InvalidToken::Signature));
    }
    let old = forged(json!({ "alg": "HS256", "typ": "JWT" }), hs256(LEGACY.as_bytes()));
    assert_eq!(jwt().verify(&old, NOW), Err(InvalidToken::Key));
    let accepting = jwt().accepting_hs256(&Secret::new(LEGACY)).unwrap();
    assert!(accepting.verify(&old, NOW).is_ok());
    let wrong = forged(json!({ "alg": "HS256" }), hs256(&[7; 32]));
    assert_eq!(accepting.verify(&wrong, NOW), Err(InvalidToken::Signature));
}

#[test]
fn an_older_key_goes_on_verifying_and_is_published() {
    let old = Jwt::new(key(&OTHER), ISSUER).sign(&claims()).unwrap();
    assert_eq!(jwt().verify(&old, NOW), Err(InvalidToken::Key));
    let rotated = jwt().accepting(key(&OTHER).public().clone());
    assert!(rotated.verify(&old, NOW).is_ok());
    assert_eq!(rotated.jwks()["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn jwks_hold_public_keys_only() {
    let key = jwt().jwks()["keys"][0].clone();
    let members: std::collections::BTreeSet<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"].into());
}

#[test]
fn a_changed_cut_or_huge_token_is_refused() {
    let token = jwt().sign(&claims()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other = encode(&json!({ "sub": "1" }));
    assert_eq!(jwt().verify(&format!("{header}.{other}.{signature}"), NOW), Err(InvalidToken::Signature));
    assert_eq!(jwt().verify(&format!("{signed}."), NOW), Err(InvalidToken::Signature));
    for broken in ["", ".", "..", "a.b.c", &token[..token.len() - 1], &format!("{token}="), &format!("{token}.x")] {
        assert!(jwt().verify(broken, NOW).is_err(), "{broken}");
    }
    assert_eq!(jwt().verify(&"a".repeat(MAX_TOKEN + 1), NOW), Err(InvalidToken::TooLarge));
}

#[test]
fn an_expired_or_foreign_token_is_refused() {
    let token = jwt().sign(&claims()).unwrap();
    assert_eq!(jwt().verify(&token, claims().exp + 60), Err(InvalidToken::Expired));
    let elsewhere = Jwt::new(key(&KEY), "https://auth.other.example");
    assert_eq!(elsewhere.verify(&token, NOW), Err(InvalidToken::Issuer));
}

#[test]
fn every_algorithm_signs_verifies_and_publishes_what_it_needs() {
    for (algorithm, members) in [
        (Algorithm::Rs256, ["alg", "e", "kid", "kty", "n", "use"].as_slice()),
        (Algorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (Algorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"]),
    ] {
        let jwt = Jwt::new(PrivateKey::generate(algorithm).unwrap(), ISSUER);
        let token = jwt.sign(&claims()).unwrap();
        assert_eq!(jwt.verify(&token, NOW).unwrap().claims(), &claims());
        let jwk = jwt.keys()[0].jwk().as_object().unwrap().clone();
        let mut names: Vec<_> = jwk.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!((names.as_slice(), jwk["alg"].as_str()), (members, Some(algorithm.name())));
        let other = Jwt::new(PrivateKey::generate(algorithm).unwrap(), ISSUER);
        assert_eq!(other.verify(&token, NOW), Err(InvalidToken::Key));
    }
}

#[test]
fn a_key_checks_no_other_algorithm_than_its_own() {
    let all = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(|alg| PrivateKey::generate(alg).unwrap());
    let ring = all.iter().fold(jwt(), |jwt, key| jwt.accepting(key.public().clone()));
    for key in &all {
        for alg in ["RS256", "ES256", "EdDSA", "HS256", "none", "PS256"] {
            let token = forged(json!({ "alg": alg, "typ": "at+jwt", "kid": key.public().kid() }), |message| {
                key.sign(message).unwrap()
            });
            let expected = if alg == key.public().algorithm().name() { None } else { Some(InvalidToken::Key) };
            assert_eq!(ring.verify(&token, NOW).err(), expected, "{alg} with {key:?}");
        }
        // The Python service's tokens are RS256: nothing else goes without a kid.
        let token = forged(json!({ "alg": key.public().algorithm().name() }), |message| key.sign(message).unwrap());
        assert_eq!(ring.verify(&token, NOW).is_ok(), key.public().algorithm() == Algorithm::Rs256);
    }
}

#[test]
fn signatures_of_a_wrong_length_or_of_nothing_are_refused() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let jwt = Jwt::new(PrivateKey::generate(algorithm).unwrap(), ISSUER);
        let header = json!({ "alg": algorithm.name(), "typ": "at+jwt", "kid": jwt.keys()[0].kid() });
        // CVE-2022-21449: an all-zero ECDSA signature.
        for length in [0, 1, 63, 64, 65, 255, 256, 257] {
            for byte in [0, 0xFF] {
                let token = forged(header.clone(), |_| vec![byte; length]);
                assert_eq!(jwt.verify(&token, NOW), Err(InvalidToken::Signature), "{algorithm} {length}");
            }
        }
    }
}

#[test]
fn a_short_secret_of_the_python_service_goes_on_verifying() {
    // What its libraries sign with «short»: HMAC as RFC 2104 §2 has it, whatever the length.
    let header = json!({ "alg": "HS256" });
    let sign = |message: &[u8]| {
        let (mut inner, mut outer) = ([0x36_u8; 64], [0x5c_u8; 64]);
        for (i, byte) in b"short".iter().enumerate() {
            inner[i] ^= byte;
            outer[i] ^= byte;
        }
        let digest = Sha256::digest([&inner[..], message].concat());
        Sha256::digest([&outer[..], &digest[..]].concat()).to_vec()
    };
    let accepting = jwt().accepting_hs256(&Secret::new("short")).unwrap();
    assert!(accepting.verify(&forged(header.clone(), sign), NOW).is_ok());
    assert!(jwt().accepting_hs256(&Secret::new("")).is_err());
    let other = jwt().accepting_hs256(&Secret::new("shorter")).unwrap();
    assert_eq!(other.verify(&forged(header, sign), NOW), Err(InvalidToken::Signature));
}

#[test]
fn clocks_may_differ_by_a_minute_and_no_more() {
    let issued = claims().iat;
    let token = jwt().sign(&claims()).unwrap();
    let at = |now: u64| jwt().verify(&token, now).err();
    assert_eq!((at(issued - 60), at(issued - 61)), (None, Some(InvalidToken::NotYetValid)));
    assert_eq!((at(claims().exp + 59), at(claims().exp + 60)), (None, Some(InvalidToken::Expired)));
}

proptest! {
    #[test]
    fn a_token_with_any_other_byte_is_refused(at in 0..1000_usize, byte: u8) {
        static SIGNED: LazyLock<(Jwt, String)> = LazyLock::new(|| {
            let jwt = Jwt::new(PrivateKey::generate(Algorithm::EdDsa).unwrap(), ISSUER);
            let token = jwt.sign(&claims()).unwrap();
            (jwt, token)
        });
        let (jwt, token) = &*SIGNED;
        let mut changed = token.clone().into_bytes();
        let at = at % changed.len();
        changed[at] = byte;
        if let Ok(changed) = String::from_utf8(changed) && changed != *token {
            prop_assert!(jwt.verify(&changed, NOW).is_err());
        }
    }

    #[test]
    fn any_text_is_refused_without_panic(text in "\\PC{0,60}", parts in "[A-Za-z0-9_-]{0,20}[.][A-Za-z0-9_-]{0,20}[.][A-Za-z0-9_-]{0,20}") {
        static JWT: LazyLock<Jwt> = LazyLock::new(jwt);
        prop_assert!(JWT.verify(&text, NOW).is_err() && JWT.verify(&parts, NOW).is_err());
    }
}
