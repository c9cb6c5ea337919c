use josekit::{jwk::Ed448, jws::ES384};
use serde_json::json;

use super::*;

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    // RFC 8037 appendix A.3.
    let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    assert_eq!(PublicKey::from_jwk(&ed).unwrap().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 7638 §3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst\
             n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1\
             n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
    assert_eq!(PublicKey::from_jwk(&rsa).unwrap().kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn every_pem_that_openssl_writes_for_these_keys_is_read() {
    let rsa = RS256.generate_key_pair(2048).unwrap();
    let ec = ES256.generate_key_pair().unwrap();
    let traditional = String::from_utf8(ec.to_traditional_pem_private_key()).unwrap();
    // `openssl ecparam -name prime256v1 -genkey`
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    for pem in [
        String::from_utf8(rsa.to_pem_private_key()).unwrap(),
        String::from_utf8(rsa.to_traditional_pem_private_key()).unwrap(),
        format!("{parameters}{traditional}"),
        format!("\r\n{}\n\n", PrivateKey::generate(Algorithm::Rs256).unwrap().pem().expose().replace('\n', "\r\n")),
        String::from_utf8(EdDSA.generate_key_pair(Ed25519).unwrap().to_pem_private_key()).unwrap(),
    ] {
        let key = PrivateKey::from_pem(&Secret::new(pem.as_str())).unwrap_or_else(|error| panic!("{error}: {pem}"));
        assert_eq!(PrivateKey::from_pem(key.pem()).unwrap().public().kid(), key.public().kid());
    }
}

#[test]
fn keys_that_are_too_weak_or_of_another_kind_are_refused() {
    let other_curve = ES384.generate_key_pair().unwrap().to_pem_private_key();
    let other_edwards = EdDSA.generate_key_pair(Ed448).unwrap().to_pem_private_key();
    let public = RS256.generate_key_pair(2048).unwrap().to_pem_public_key();
    let small = RsaKeyPair::generate(1024).unwrap().to_pem_private_key();
    for pem in [other_curve, other_edwards, public, small, b"not a key".to_vec(), Vec::new()] {
        let pem = Secret::new(String::from_utf8(pem).unwrap());
        assert!(PrivateKey::from_pem(&pem).is_err());
    }
    let huge = json!({ "kty": "RSA", "e": "AQAB", "n": "x".repeat(3000) });
    assert!(PublicKey::from_jwk(&huge).is_err());
    let slow = json!({ "kty": "RSA", "e": "x".repeat(342), "n": "x".repeat(342) });
    assert!(PublicKey::from_jwk(&slow).is_err());
}
