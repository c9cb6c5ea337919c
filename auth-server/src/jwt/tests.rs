use std::sync::LazyLock;

use super::*;
use crate::oauth::fixtures::{NOW, claims};

const ISSUER: &str = "https://auth.example.com";
const LEGACY: &str = "a secret of the Python service, long enough";

static KEY: LazyLock<Secret> = LazyLock::new(|| generate_key(2048).unwrap());
static OTHER: LazyLock<Secret> = LazyLock::new(|| generate_key(2048).unwrap());

fn jwt() -> Jwt {
    Jwt::new(&KEY, ISSUER).unwrap()
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
    let theirs = PublicKey::of(OTHER.expose().as_bytes()).unwrap();
    let ours = jwt().jwks()["keys"][0]["kid"].clone();
    let header = json!({
        "alg": "RS256", "typ": "at+jwt", "kid": ours, "jwk": theirs.jwk,
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
    let old = Jwt::new(&OTHER, ISSUER).unwrap().sign(&claims()).unwrap();
    assert_eq!(jwt().verify(&old, NOW), Err(InvalidToken::Key));
    let rotated = jwt().accepting_key(&OTHER).unwrap();
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
    let elsewhere = Jwt::new(&KEY, "https://auth.other.example").unwrap();
    assert_eq!(elsewhere.verify(&token, NOW), Err(InvalidToken::Issuer));
}

#[test]
fn short_keys_and_secrets_are_refused() {
    assert!(generate_key(1024).is_err());
    assert!(jwt().accepting_hs256(&Secret::new("short")).is_err());
    assert!(Jwt::new(&Secret::new("not a key"), ISSUER).is_err());
}
