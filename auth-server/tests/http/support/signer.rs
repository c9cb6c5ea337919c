//! A client's private key, and what it signs with it (RFC 7523).

use std::time::UNIX_EPOCH;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openssl::{
    pkey::{PKey, Private},
    sign::Signer,
};
use serde_json::{Value, json};

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Ed25519.
pub(crate) struct Key(PKey<Private>);

impl Key {
    pub(crate) fn new() -> Self {
        Self(PKey::generate_ed25519().unwrap())
    }

    pub(crate) fn jwks(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.0.raw_public_key().unwrap());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "1", "x": x}]})
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&json!({"alg": "EdDSA", "kid": "1"})), encode(claims));
        let signature = Signer::new_without_digest(&self.0).unwrap().sign_oneshot_to_vec(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A good one, which will do once.
    pub(crate) fn assertion(&self, client_id: &str, jti: &str) -> String {
        let aud = "https://auth.example.com";
        self.sign(&json!({"iss": client_id, "sub": client_id, "aud": aud, "exp": now() + 60, "jti": jti}))
    }
}

pub(crate) fn now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs()
}
