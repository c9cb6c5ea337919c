use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::oauth::fixtures::{NOW, client, gateway};

fn signer() -> Client {
    Client { secret: None, auth_method: AuthMethod::PrivateKeyJwt, ..client() }
}

fn compact(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", encode(header), encode(claims))
}

fn claims() -> Value {
    json!({"iss": "client_1", "sub": "client_1", "aud": "https://auth.example.com", "exp": NOW + 60, "jti": "1"})
}

/// An assertion with one claim changed; `null` takes it away.
fn judged(name: &str, value: Value) -> Result<OneTimeProof, AssertionError> {
    let mut claims = claims();
    claims[name] = value;
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    Assertion::parse(&compact(&json!({"alg": "ES256"}), &claims))?.check(signer(), &gateway(), NOW)
}

#[test]
fn an_assertion_of_the_client_itself_for_us_and_for_now_is_good() {
    let proof = judged("x", Value::Null).unwrap();
    assert_eq!(proof.lifetime, 60 + SKEW, "as long as it could be presented");
    assert_eq!(proof.used(true).unwrap().id().as_str(), "client_1");
}

#[test]
fn an_assertion_proves_something_once() {
    let proof = judged("x", Value::Null).unwrap();
    assert_eq!(proof.id, judged("exp", json!(NOW + 61)).unwrap().id, "a jti is used up, whatever else differs");
    assert_ne!(proof.id, judged("jti", json!("2")).unwrap().id);
    assert_eq!(proof.used(false), Err(AssertionError::Replayed));
    let without = |exp: u64| {
        let mut claims = claims();
        claims["exp"] = exp.into();
        claims.as_object_mut().unwrap().remove("jti");
        let text = compact(&json!({"alg": "ES256"}), &claims);
        Assertion::parse(&text).unwrap().check(signer(), &gateway(), NOW).unwrap().id
    };
    assert_eq!(without(NOW + 60), without(NOW + 60));
    assert_ne!(without(NOW + 60), without(NOW + 61));
}

#[test]
fn the_audience_is_the_issuer_or_the_token_endpoint() {
    for good in [
        json!("https://auth.example.com"),
        json!("https://auth.example.com/"),
        json!("https://auth.example.com/token"),
        json!(["https://other.example", "https://auth.example.com"]),
    ] {
        assert!(judged("aud", good.clone()).is_ok(), "{good}");
    }
    for bad in [
        json!("https://other.example"),
        json!("https://auth.example.com/authorize"),
        json!("https://auth.example.com//"),
        json!("http://auth.example.com"),
        json!([]),
    ] {
        assert_eq!(judged("aud", bad.clone()), Err(AssertionError::Audience), "{bad}");
    }
}

#[test]
fn time_is_bounded_on_both_sides_with_a_minute_for_clocks() {
    for (name, value, fault) in [
        ("exp", json!(NOW - SKEW), AssertionError::Expired),
        ("exp", json!(0), AssertionError::Expired),
        ("exp", json!(NOW + LONGEST + SKEW + 1), AssertionError::TooLong),
        ("exp", json!(1e300), AssertionError::TooLong),
        ("nbf", json!(NOW + SKEW + 1), AssertionError::TooEarly),
        ("iat", json!(NOW + SKEW + 1), AssertionError::TooEarly),
        ("exp", Value::Null, AssertionError::Malformed),
        ("exp", json!("soon"), AssertionError::Malformed),
        ("aud", Value::Null, AssertionError::Malformed),
        ("sub", Value::Null, AssertionError::Malformed),
    ] {
        assert_eq!(judged(name, value.clone()), Err(fault), "{name} {value}");
    }
    for (name, value) in [
        ("exp", json!(NOW - SKEW + 1)),
        ("exp", json!(NOW + LONGEST + SKEW)),
        ("exp", json!(NOW as f64 + 30.5)),
        ("nbf", json!(NOW + SKEW)),
        ("iat", json!(NOW - 9)),
    ] {
        assert!(judged(name, value.clone()).is_ok(), "{name} {value}");
    }
}

#[test]
fn nobody_speaks_for_another_client() {
    assert_eq!(judged("iss", json!("client_2")), Err(AssertionError::Issuer));
    assert_eq!(judged("sub", json!("client_2")), Err(AssertionError::Issuer));
    let assertion = Assertion::parse(&compact(&json!({"alg": "ES256"}), &claims())).unwrap();
    assert_eq!(assertion.check(client(), &gateway(), NOW), Err(AssertionError::NotRegistered));
    let other = Client { id: ClientId::parse("client_2").unwrap(), ..signer() };
    assert_eq!(assertion.check(other, &gateway(), NOW), Err(AssertionError::NotRegistered));
}

#[test]
fn only_signatures_by_private_keys_count() {
    for alg in ["none", "None", "HS256", "HS512", "RS1", "ES512", ""] {
        let parsed = Assertion::parse(&compact(&json!({"alg": alg}), &claims()));
        assert_eq!(parsed, Err(AssertionError::Algorithm), "{alg}");
    }
    for alg in ALGORITHMS {
        assert!(Assertion::parse(&compact(&json!({"alg": alg, "typ": "JWT"}), &claims())).is_ok(), "{alg}");
    }
    let critical = compact(&json!({"alg": "ES256", "crit": ["b64"], "b64": false}), &claims());
    assert_eq!(Assertion::parse(&critical), Err(AssertionError::Malformed));
}

#[test]
fn an_assertion_is_not_printed() {
    let text = compact(&json!({"alg": "ES256"}), &claims());
    let printed = format!("{:?}", Assertion::parse(&text).unwrap());
    assert!(!printed.contains(text.split('.').nth(1).unwrap()), "{printed}");
}

proptest! {
    #[test]
    fn whatever_is_sent_is_refused_or_understood(text in "[ -~]{0,60}|([A-Za-z0-9_-]{0,40}\\.){0,4}") {
        prop_assert!(Assertion::parse(&text).is_err());
    }

    #[test]
    fn no_assertion_is_remembered_for_more_than_twelve_minutes(exp in 0..2 * NOW) {
        if let Ok(proof) = judged("exp", json!(exp)) {
            prop_assert!((1..=LONGEST + 2 * SKEW).contains(&proof.lifetime));
        }
    }
}
