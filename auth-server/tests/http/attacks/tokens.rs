//! Forged, foreign and outlived access tokens. The attacker even has a real token's claims; all but the key.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use josekit::jws::{HS256, JwsSigner, RS256};
use reqwest::header;
use serde_json::{Value, json};

use super::{logged_in, text};
use crate::support::Service;

/// A service whose key the test knows, and a token of a login there.
pub(crate) struct Ground {
    pub(crate) service: Service,
    key: josekit::jwk::alg::rsa::RsaKeyPair,
    token: String,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let key = RS256.generate_key_pair(2048).unwrap();
        let pem = STANDARD.encode(key.to_pem_private_key());
        let service = Service::start_with(&[("JWT_PRIVATE_KEY_B64", &pem)]).await;
        let (_, tokens) = logged_in(&service, "none").await;
        let token = text(&tokens, "access_token").to_owned();
        let ground = Self { service, key, token };
        // What follows proves something only if a re-signed token with unchanged claims passes.
        let unchanged = ground.signed_by_us(|_| ());
        assert_eq!(ground.service.verify(Some(&unchanged)).await.status(), 200);
        ground
    }

    fn part(&self, at: usize) -> Value {
        let part = self.token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    pub(crate) fn signed_by_us(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.part(1);
        change(&mut claims);
        let signer = RS256.signer_from_pem(self.key.to_pem_private_key()).unwrap();
        signed(&self.part(0), &claims, &signer)
    }

    /// `401 invalid_token` for each, and never a word of whose it might have been.
    async fn refuses(&self, forged: &[String]) {
        for token in forged {
            let response = self.service.verify(Some(token)).await;
            assert_eq!(response.status(), 401, "{token}");
            let challenge = response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            assert!(!response.headers().contains_key("x-user-id"));
        }
    }
}

fn signed(header: &Value, claims: &Value, signer: &dyn JwsSigner) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes()).unwrap());
    format!("{message}.{signature}")
}

pub(crate) fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the service under test has the real clock too")]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[actix_web::test]
async fn alg_none_is_refused() {
    let ground = Ground::new().await;
    let claims = ground.token.split('.').nth(1).unwrap();
    let forged = ["none", "None", "nOnE", ""].map(|alg| {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "at+jwt"}).to_string());
        format!("{header}.{claims}.")
    });
    ground.refuses(&forged).await;
}

#[actix_web::test]
async fn hs256_with_the_public_key_as_secret_is_refused() {
    let ground = Ground::new().await;
    let kid = ground.part(0)["kid"].clone();
    let jwks = ground.service.get("/jwks").await.bytes().await.unwrap().to_vec();
    let secrets = [ground.key.to_pem_public_key(), ground.key.to_der_public_key(), jwks];
    let headers = [json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}), json!({"alg": "HS256"})];
    for header in &headers {
        let forge = |secret: &Vec<u8>| signed(header, &ground.part(1), &HS256.signer_from_bytes(secret).unwrap());
        ground.refuses(&secrets.iter().map(forge).collect::<Vec<_>>()).await;
    }
}

#[actix_web::test]
async fn kid_injection_finds_no_key() {
    let ground = Ground::new().await;
    let (mine, mut forged) = (RS256.generate_key_pair(2048).unwrap(), Vec::new());
    let signer = RS256.signer_from_pem(mine.to_pem_private_key()).unwrap();
    let real = ground.part(0)["kid"].clone();
    for kid in [json!("../../../../dev/null"), json!("' OR 1=1 --"), json!(""), json!({"a": 1}), json!(null), real] {
        forged.push(signed(&json!({"alg": "RS256", "typ": "at+jwt", "kid": kid}), &ground.part(1), &signer));
    }
    ground.refuses(&forged).await;
}

#[actix_web::test]
async fn jku_x5u_or_embedded_jwk_header_names_no_key() {
    let ground = Ground::new().await;
    let mine = RS256.generate_key_pair(2048).unwrap();
    let signer = RS256.signer_from_pem(mine.to_pem_private_key()).unwrap();
    let jwk = serde_json::to_value(mine.to_jwk_public_key()).unwrap();
    let forged = [
        json!({"alg": "RS256", "typ": "at+jwt", "jku": "https://evil.example/jwks"}),
        json!({"alg": "RS256", "typ": "at+jwt", "x5u": "https://evil.example/cert"}),
        json!({"alg": "RS256", "typ": "at+jwt", "jwk": jwk}),
        json!({"alg": "RS256", "typ": "at+jwt", "jwk": jwk, "kid": ground.part(0)["kid"]}),
    ]
    .map(|header| signed(&header, &ground.part(1), &signer));
    ground.refuses(&forged).await;
}

#[actix_web::test]
async fn expired_and_not_yet_valid_tokens_are_refused_beyond_a_minute_of_clock_skew() {
    let ground = Ground::new().await;
    let now = now();
    let expired = ground.signed_by_us(|claims| claims["exp"] = json!(now - 90));
    let future = ground.signed_by_us(|claims| claims["nbf"] = json!(now + 120));
    let issued_later = ground.signed_by_us(|claims| claims["iat"] = json!(now + 120));
    ground.refuses(&[expired, future, issued_later]).await;
    for skewed in [
        ground.signed_by_us(|claims| claims["exp"] = json!(now - 30)),
        ground.signed_by_us(|claims| claims["nbf"] = json!(now + 30)),
    ] {
        assert_eq!(ground.service.verify(Some(&skewed)).await.status(), 200);
    }
}

#[actix_web::test]
async fn wrong_iss_wrong_aud_and_another_services_token_are_refused() {
    let ground = Ground::new().await;
    let with = |name: &'static str, value: Value| ground.signed_by_us(|claims| claims[name] = value);
    let forged = [
        with("iss", json!("https://auth.evil.example")),
        with("iss", json!("https://auth.example.com/")),
        with("aud", json!("https://evil.example/mcp")),
        with("aud", json!(["https://fetch.example.com/mcp"])),
        with("aud", json!([])),
        with("jti", json!("never-issued")),
    ];
    ground.refuses(&forged).await;
}
