use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{
    jwk::{KeyPair, alg::ed::EdCurve},
    jws::JwsSigner,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A key of each kind: the JWK that is published, and what signs with it.
fn keys() -> Vec<(&'static str, Value, Box<dyn JwsSigner>)> {
    let value = |jwk: Jwk| Value::Object(jwk.as_ref().clone());
    let rsa = RS256.generate_key_pair(2048).unwrap();
    let pss = PS256.generate_key_pair(2048).unwrap();
    let ec = ES256.generate_key_pair().unwrap();
    let ed = EdDSA.generate_key_pair(EdCurve::Ed25519).unwrap();
    vec![
        ("RS256", value(rsa.to_jwk_public_key()), Box::new(RS256.signer_from_der(rsa.to_der_private_key()).unwrap())),
        ("PS256", value(pss.to_jwk_public_key()), Box::new(PS256.signer_from_der(pss.to_der_private_key()).unwrap())),
        ("ES256", value(ec.to_jwk_public_key()), Box::new(ES256.signer_from_der(ec.to_der_private_key()).unwrap())),
        ("EdDSA", value(ed.to_jwk_public_key()), Box::new(EdDSA.signer_from_der(ed.to_der_private_key()).unwrap())),
    ]
}

fn signed(header: &Value, signer: &dyn JwsSigner) -> Assertion {
    let claims = json!({"iss": "c", "sub": "c", "aud": "a", "exp": 1});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(&claims));
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes()).unwrap());
    Assertion::parse(&format!("{message}.{signature}")).unwrap()
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(&json!({ "keys": keys })).unwrap()
}

fn without(key: &Value, name: &str) -> Value {
    let mut key = key.clone();
    key.as_object_mut().unwrap().remove(name);
    key
}

#[test]
fn each_algorithm_is_checked_with_a_key_of_its_own_kind_and_with_no_other() {
    let keys = keys();
    for (alg, _, signer) in &keys {
        let assertion = signed(&json!({ "alg": alg }), &**signer);
        for (other, key, _) in &keys {
            let checked = set(&[without(key, "alg")]).verify(&assertion);
            assert_eq!(checked.is_ok(), alg == other, "{alg} with the key of {other}");
        }
        let all: Vec<_> = keys.iter().map(|(_, key, _)| key.clone()).collect();
        assert_eq!(set(&all).verify(&assertion), Ok(()));
    }
}

#[test]
fn a_key_that_would_keep_us_busy_is_passed_over() {
    let (_, rsa, _) = &keys()[0];
    assert!(set(std::slice::from_ref(rsa)).has(None));
    // An exponent as long as the modulus makes a check a thousand times dearer.
    for (name, length) in [("e", 342), ("n", 20_000)] {
        let mut key = rsa.clone();
        key[name] = "x".repeat(length).into();
        assert!(!set(&[key]).has(None), "{name}");
    }
}

#[test]
fn a_key_says_itself_what_it_is_for() {
    let keys = keys();
    let (_, key, signer) = &keys[2];
    let assertion = signed(&json!({"alg": "ES256"}), &**signer);
    for (name, value) in
        [("use", json!("enc")), ("alg", json!("ES384")), ("key_ops", json!(["encrypt"])), ("crv", json!("P-384"))]
    {
        let mut key = key.clone();
        key[name] = value;
        assert_eq!(set(&[key]).verify(&assertion), Err(AssertionError::Signature), "{name}");
    }
}

#[test]
fn a_named_key_is_looked_for_by_its_name() {
    let keys = keys();
    let (_, key, signer) = &keys[3];
    let (mut named, mut other) = (key.clone(), keys[2].1.clone());
    named["kid"] = json!("1");
    other["kid"] = json!("2");
    let keys = set(&[named, other]);
    assert_eq!(keys.verify(&signed(&json!({"alg": "EdDSA", "kid": "1"}), &**signer)), Ok(()));
    assert!(keys.verify(&signed(&json!({"alg": "EdDSA", "kid": "2"}), &**signer)).is_err());
    assert!(keys.has(Some("1")) && keys.has(None) && !keys.has(Some("3")));
}

#[test]
fn a_short_rsa_key_and_a_secret_check_nothing() {
    let oct = json!({"kty": "oct", "k": "c2VjcmV0"});
    let keys = keys();
    let assertion = signed(&json!({"alg": "RS256"}), &*keys[0].2);
    assert!(set(&[oct]).verify(&assertion).is_err());
    // 1024 bits, all ones.
    let short = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xFF; 128]), "e": "AQAB"});
    assert!(set(&[short]).verify(&assertion).is_err());
}

proptest! {
    #[test]
    fn a_strangers_key_may_be_anything_and_breaks_nothing(
        kty in "RSA|EC|OKP|oct|",
        crv in "P-256|Ed25519|Ed448|X25519|",
        texts in proptest::collection::vec("[A-Za-z0-9_=-]{0,64}", 4),
    ) {
        let keys = set(&[json!({"kty": kty, "crv": crv, "x": texts[0], "y": texts[1], "n": texts[2], "e": texts[3]})]);
        let header = |alg: &str| URL_SAFE_NO_PAD.encode(json!({ "alg": alg }).to_string());
        let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"c","sub":"c","aud":"a","exp":1}"#);
        for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
            let assertion = Assertion::parse(&format!("{}.{claims}.{}", header(alg), "A".repeat(86))).unwrap();
            prop_assert!(keys.verify(&assertion).is_err());
        }
    }
}
