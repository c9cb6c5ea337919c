//! Signing and checking access tokens (RFC 7515, RFC 9068); the only file that names josekit.
//!
//! RS256 is issued. RS256 is accepted under our own keys; HS256 only when the Python service's secret is configured,
//! and then only without `kid`: which key checks a token follows from our configuration, never from its header
//! (RFC 8725 §3.1). `jku`, `x5u`, `jwk`, `x5c` are not read. Verifiers are built once, not per request.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{
    JoseError,
    jwk::{KeyPair, alg::rsa::RsaKeyPair},
    jws::{
        HS256, JwsSigner, JwsVerifier, RS256,
        alg::{
            hmac::HmacJwsSigner,
            rsassa::{RsassaJwsSigner, RsassaJwsVerifier},
        },
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::oauth::{
    access_token::Claims,
    secret::Secret,
    verify::{InvalidToken, VerifiedClaims},
};

/// Largest token that is looked at.
const MAX_TOKEN: usize = 8 * 1024;

/// Why a key cannot be used, or a token not be signed. Never shows a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("not an RSA private key of at least 2048 bits in PEM: {0}")]
    NotRsa(JoseError),
    #[error("JWT_SECRET is shorter than the 32 bytes that HS256 needs: {0}")]
    ShortSecret(JoseError),
    #[error("the key could not be used: {0}")]
    Failed(String),
}

/// The keys of this server.
pub struct Jwt {
    issuer: String,
    signer: RsassaJwsSigner,
    /// base64url of the header of every token that we sign.
    header: String,
    /// The signing key first, then older ones.
    keys: Vec<PublicKey>,
    legacy: Option<HmacJwsSigner>,
}

struct PublicKey {
    kid: String,
    verifier: RsassaJwsVerifier,
    jwk: Value,
}

/// All that is read of a token's header.
#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    #[serde(default)]
    typ: Option<&'a str>,
    #[serde(default)]
    kid: Option<&'a str>,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

/// `nbf` stands outside [`Claims`]: we never write it.
#[derive(Deserialize)]
struct NotBefore {
    #[serde(default)]
    nbf: Option<u64>,
}

/// A token taken apart, nothing of it believed yet.
struct UnverifiedToken<'a> {
    header: Vec<u8>,
    signed: &'a [u8],
    payload: &'a str,
    signature: Vec<u8>,
}

/// A new RSA private key, PKCS#8 PEM.
pub fn generate_key(bits: u32) -> Result<Secret, KeyError> {
    let pair = RS256.generate_key_pair(bits).map_err(KeyError::NotRsa)?;
    String::from_utf8(pair.to_pem_private_key()).map(Secret::new).map_err(|error| KeyError::Failed(error.to_string()))
}

impl Jwt {
    /// `private_key`: PEM, PKCS#8 or PKCS#1. `issuer`: `iss` of every token.
    pub fn new(private_key: &Secret, issuer: impl Into<String>) -> Result<Self, KeyError> {
        let pem = private_key.expose().as_bytes();
        let key = PublicKey::of(pem)?;
        let signer = RS256.signer_from_pem(pem).map_err(KeyError::NotRsa)?;
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": key.kid }).to_string();
        let header = URL_SAFE_NO_PAD.encode(header);
        Ok(Self { issuer: issuer.into(), signer, header, keys: vec![key], legacy: None })
    }

    /// Goes on accepting tokens of an older key, and publishing it, while its tokens live.
    pub fn accepting_key(mut self, private_key: &Secret) -> Result<Self, KeyError> {
        self.keys.push(PublicKey::of(private_key.expose().as_bytes())?);
        Ok(self)
    }

    /// Goes on accepting the Python service's HS256 tokens.
    pub fn accepting_hs256(mut self, secret: &Secret) -> Result<Self, KeyError> {
        self.legacy = Some(HS256.signer_from_bytes(secret.expose()).map_err(KeyError::ShortSecret)?);
        Ok(self)
    }

    /// RFC 9068 §2: header `alg`, `typ` at+jwt, `kid`.
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        let payload = serde_json::to_vec(claims).map_err(|error| KeyError::Failed(error.to_string()))?;
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(payload));
        let signature = self.signer.sign(token.as_bytes()).map_err(|error| KeyError::Failed(error.to_string()))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Signature, type, issuer and times (RFC 9068 §4); audience and revocation are `oauth::verify`'s.
    /// `now`: seconds since the epoch.
    pub fn verify(&self, bearer: &str, now: u64) -> Result<VerifiedClaims, InvalidToken> {
        let token = UnverifiedToken::parse(bearer)?;
        let header: Header<'_> = serde_json::from_slice(&token.header).map_err(|_| InvalidToken::Malformed)?;
        check_type(&header)?;
        self.check_signature(&header, &token)?;
        let payload = URL_SAFE_NO_PAD.decode(token.payload).map_err(|_| InvalidToken::Malformed)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| InvalidToken::Malformed)?;
        let NotBefore { nbf } = serde_json::from_slice(&payload).map_err(|_| InvalidToken::Malformed)?;
        VerifiedClaims::check(claims, nbf, &self.issuer, now)
    }

    /// The public keys (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() })
    }

    fn check_signature(&self, header: &Header<'_>, token: &UnverifiedToken<'_>) -> Result<(), InvalidToken> {
        match (header.alg, header.kid, &self.legacy) {
            ("RS256", Some(kid), _) => {
                let key = self.keys.iter().find(|key| key.kid == kid).ok_or(InvalidToken::Key)?;
                if key.verifies(token) { Ok(()) } else { Err(InvalidToken::Signature) }
            }
            // The Python service's tokens have no kid.
            ("RS256", None, _) if self.keys.iter().any(|key| key.verifies(token)) => Ok(()),
            ("RS256", None, _) => Err(InvalidToken::Signature),
            ("HS256", None, Some(secret)) => {
                let expected = secret.sign(token.signed).map_err(|_| InvalidToken::Signature)?;
                if bool::from(expected.ct_eq(&token.signature)) { Ok(()) } else { Err(InvalidToken::Signature) }
            }
            _ => Err(InvalidToken::Key),
        }
    }
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwt").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// The public half of a private key in PEM; `kid` is its thumbprint (RFC 7638).
    fn of(private_pem: &[u8]) -> Result<Self, KeyError> {
        let pair: RsaKeyPair = RS256.key_pair_from_pem(private_pem).map_err(KeyError::NotRsa)?;
        let verifier = RS256.verifier_from_der(pair.to_der_public_key()).map_err(KeyError::NotRsa)?;
        let public = pair.to_jwk_public_key();
        let part = |name| public.parameter(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (e, n) = (part("e"), part("n"));
        // RFC 7638 §3.1: these members, in this order, without white space.
        let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e });
        Ok(Self { kid, verifier, jwk })
    }

    fn verifies(&self, token: &UnverifiedToken<'_>) -> bool {
        self.verifier.verify(token.signed, &token.signature).is_ok()
    }
}

impl<'a> UnverifiedToken<'a> {
    fn parse(bearer: &'a str) -> Result<Self, InvalidToken> {
        if bearer.len() > MAX_TOKEN {
            return Err(InvalidToken::TooLarge);
        }
        let (signed, signature) = bearer.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidToken::Malformed);
        Ok(Self { header: decode(header)?, signed: signed.as_bytes(), payload, signature: decode(signature)? })
    }
}

/// RFC 9068 §4: at+jwt. Tokens of the Python service say JWT, which is what its library puts there; those of ours have
/// a `kid` and never that type.
fn check_type(header: &Header<'_>) -> Result<(), InvalidToken> {
    // RFC 7515 §4.1.11: we know no extension, so none may be critical.
    if header.crit.is_some() {
        return Err(InvalidToken::Critical);
    }
    match header.typ {
        None | Some("JWT") if header.kid.is_none() => Ok(()),
        Some(typ) if typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt") => Ok(()),
        _ => Err(InvalidToken::Type),
    }
}

#[cfg(test)]
mod tests;
