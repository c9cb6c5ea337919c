//! Signing and checking access tokens (RFC 7515, RFC 9068); the only folder that names josekit.
//!
//! RS256, ES256 or EdDSA is issued, as the signing key is. Accepted is what our own keys have signed; HS256 only when
//! the Python service's secret is configured, and then only without `kid`. Which key and which algorithm check a token
//! follows from our configuration, never from its header (RFC 8725 §3.1). Verifiers are built once, not per request.

mod algorithm;
pub(crate) mod client_assertion;
mod key;
mod token;

pub use algorithm::Algorithm;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::jws::{HS256, JwsSigner, alg::hmac::HmacJwsSigner};
pub use key::{KeyError, PrivateKey, PublicKey};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use token::{Header, UnverifiedToken};

use crate::oauth::{
    access_token::Claims,
    secret::Secret,
    verify::{InvalidToken, VerifiedClaims},
};

/// Of SHA-256; josekit takes no shorter secret.
const HMAC_BYTES: usize = 32;

/// The keys of this server.
pub struct Jwt {
    issuer: String,
    key: PrivateKey,
    /// base64url of the header of every token that we sign.
    header: String,
    /// The signing key first, then those that are only checked with.
    keys: Vec<PublicKey>,
    legacy: Option<HmacJwsSigner>,
}

impl Jwt {
    /// `issuer`: `iss` of every token.
    pub fn new(key: PrivateKey, issuer: impl Into<String>) -> Self {
        let public = key.public().clone();
        let header = json!({ "alg": public.algorithm().name(), "typ": "at+jwt", "kid": public.kid() }).to_string();
        let header = URL_SAFE_NO_PAD.encode(header);
        Self { issuer: issuer.into(), key, header, keys: vec![public], legacy: None }
    }

    /// Goes on accepting tokens of another key, and publishing it, without signing with it.
    pub fn accepting(mut self, key: PublicKey) -> Self {
        if self.keys.iter().all(|known| known.kid() != key.kid()) {
            self.keys.push(key);
        }
        self
    }

    /// Goes on accepting the Python service's HS256 tokens.
    pub fn accepting_hs256(mut self, secret: &Secret) -> Result<Self, KeyError> {
        if secret.expose().is_empty() {
            return Err(KeyError::EmptySecret);
        }
        // RFC 2104 §2: HMAC fills a short key up with zeros, so these give the same signature; Python accepts any length.
        let mut bytes = secret.expose().as_bytes().to_vec();
        bytes.resize(bytes.len().max(HMAC_BYTES), 0);
        let signer = HS256.signer_from_bytes(bytes).map_err(|error| KeyError::Failed(error.to_string()))?;
        self.legacy = Some(signer);
        Ok(self)
    }

    /// RFC 9068 §2: header `alg`, `typ` at+jwt, `kid`.
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        let payload = serde_json::to_vec(claims).map_err(|error| KeyError::Failed(error.to_string()))?;
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(payload));
        let signature = self.key.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Signature, type, issuer and times (RFC 9068 §4); audience and revocation are `oauth::verify`'s.
    /// `now`: seconds since the epoch.
    pub fn verify(&self, bearer: &str, now: u64) -> Result<VerifiedClaims, InvalidToken> {
        let token = UnverifiedToken::parse(bearer)?;
        let header = token.header()?;
        header.check_type()?;
        self.check_signature(&header, &token)?;
        VerifiedClaims::check(token.payload()?.read()?, &self.issuer, now)
    }

    /// The signing key's public half, then those of the keys that are only checked with.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The public keys (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(PublicKey::jwk).collect::<Vec<_>>() })
    }

    fn check_signature(&self, header: &Header<'_>, token: &UnverifiedToken<'_>) -> Result<(), InvalidToken> {
        let signed_by = |key: &PublicKey| key.verifies(token.signed, &token.signature);
        let right = match (header.alg, header.kid, &self.legacy) {
            (alg, Some(kid), _) => {
                let of_ours = |key: &&PublicKey| key.kid() == kid && key.algorithm().name() == alg;
                signed_by(self.keys.iter().find(of_ours).ok_or(InvalidToken::Key)?)
            }
            // The Python service's tokens have no kid.
            ("RS256", None, _) => self.keys.iter().filter(|key| key.algorithm() == Algorithm::Rs256).any(signed_by),
            ("HS256", None, Some(secret)) => {
                let expected = secret.sign(token.signed).map_err(|_| InvalidToken::Signature)?;
                expected.ct_eq(&token.signature).into()
            }
            _ => return Err(InvalidToken::Key),
        };
        if right { Ok(()) } else { Err(InvalidToken::Signature) }
    }
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwt").field("issuer", &self.issuer).field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
