//! Keys: PEM in, JWK out (RFC 7517, RFC 7518 §6, RFC 8037 §2), named by their thumbprint (RFC 7638).
//!
//! Whatever a key is used for follows from its own type; `use`, `alg`, `kid` and private members of a JWK are not read.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{
    JoseError,
    jwk::{Ed25519, Jwk, KeyPair, P_256, alg::ec::EcKeyPair, alg::ed::EdKeyPair, alg::rsa::RsaKeyPair},
    jws::{ES256, EdDSA, JwsSigner, JwsVerifier, RS256},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Algorithm;
use crate::oauth::secret::Secret;

/// What the Python service used; every verification is twice as fast as with 3072.
const RSA_BITS: u32 = 2048;
/// Longest RSA modulus and exponent, base64url: 8192 and 64 bits. Larger ones cost a verifier more than they protect.
const MAX_MODULUS: usize = 1366;
const MAX_EXPONENT: usize = 11;

/// Why a key cannot be used, or a token not be signed. Never shows a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("not a private key in PEM (RSA of 2048 to 8192 bits, P-256 or Ed25519, without a passphrase)")]
    NotPrivate,
    #[error("not a public key (RSA of 2048 to 8192 bits, P-256 or Ed25519) as a JWK")]
    NotPublic,
    #[error("an empty secret signs nothing")]
    EmptySecret,
    #[error("the key could not be used: {0}")]
    Failed(String),
}

/// A key that signs.
pub struct PrivateKey {
    pem: Secret,
    signer: Box<dyn JwsSigner>,
    public: PublicKey,
}

/// A key that checks.
#[derive(Clone)]
pub struct PublicKey {
    kid: String,
    algorithm: Algorithm,
    verifier: Box<dyn JwsVerifier>,
    jwk: Value,
}

impl PrivateKey {
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |error: JoseError| KeyError::Failed(error.to_string());
        let pem = match algorithm {
            Algorithm::Rs256 => RS256.generate_key_pair(RSA_BITS).map_err(failed)?.to_pem_private_key(),
            Algorithm::Es256 => ES256.generate_key_pair().map_err(failed)?.to_pem_private_key(),
            Algorithm::EdDsa => EdDSA.generate_key_pair(Ed25519).map_err(failed)?.to_pem_private_key(),
        };
        let pem = String::from_utf8(pem).map_err(|error| KeyError::Failed(error.to_string()))?;
        Self::from_pem(&Secret::new(pem))
    }

    /// PKCS#8, PKCS#1 (RSA) or SEC 1 (P-256); text around the block is passed over, as OpenSSL does.
    pub fn from_pem(pem: &Secret) -> Result<Self, KeyError> {
        let block = private_block(pem.expose()).ok_or(KeyError::NotPrivate)?;
        let (public, signer): (_, Box<dyn JwsSigner>) = if let Ok(pair) = RsaKeyPair::from_pem(block) {
            (pair.to_jwk_public_key(), RS256.signer_from_pem(block).map(Box::new).map_err(|_| KeyError::NotPrivate)?)
        } else if let Ok(pair) = EcKeyPair::from_pem(block, Some(P_256)) {
            (pair.to_jwk_public_key(), ES256.signer_from_pem(block).map(Box::new).map_err(|_| KeyError::NotPrivate)?)
        } else {
            let pair = EdKeyPair::from_pem(block).map_err(|_| KeyError::NotPrivate)?;
            (pair.to_jwk_public_key(), EdDSA.signer_from_pem(block).map(Box::new).map_err(|_| KeyError::NotPrivate)?)
        };
        let public = Value::Object(public.as_ref().clone());
        let public = PublicKey::from_jwk(&public).map_err(|_| KeyError::NotPrivate)?;
        Ok(Self { pem: Secret::new(format!("{block}\n")), signer, public })
    }

    pub fn pem(&self) -> &Secret {
        &self.pem
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signer.sign(message).map_err(|error| KeyError::Failed(error.to_string()))
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl PublicKey {
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        // RFC 7638 §3.2 and RFC 8037 §2: the required members, in the order of their names.
        let (algorithm, required): (_, &[&str]) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => (Algorithm::Rs256, &["e", "kty", "n"]),
            (Some("EC"), Some("P-256")) => (Algorithm::Es256, &["crv", "kty", "x", "y"]),
            (Some("OKP"), Some("Ed25519")) => (Algorithm::EdDsa, &["crv", "kty", "x"]),
            _ => return Err(KeyError::NotPublic),
        };
        if is_costly(jwk.get("n"), jwk.get("e")) {
            return Err(KeyError::NotPublic);
        }
        let member = |name: &&str| text(name).map(|value| ((*name).to_owned(), Value::from(value)));
        let public: Map<_, _> = required.iter().map(member).collect::<Option<_>>().ok_or(KeyError::NotPublic)?;
        let verifier = verifier(algorithm, &public).map_err(|_| KeyError::NotPublic)?;
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(Value::Object(public.clone()).to_string()));
        let mut jwk = public;
        for (name, value) in [("use", "sig"), ("alg", algorithm.name()), ("kid", &kid)] {
            jwk.insert(name.to_owned(), value.into());
        }
        Ok(Self { kid, algorithm, verifier, jwk: Value::Object(jwk) })
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// As published: public members, `use`, `alg`, `kid`.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature).is_ok()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.kid)
    }
}

/// Whether an RSA key of these would keep a verifier busy.
pub(super) fn is_costly(modulus: Option<&Value>, exponent: Option<&Value>) -> bool {
    let exceeds = |value: Option<&Value>, limit| value.and_then(Value::as_str).is_some_and(|text| text.len() > limit);
    exceeds(modulus, MAX_MODULUS) || exceeds(exponent, MAX_EXPONENT)
}

fn verifier(algorithm: Algorithm, public: &Map<String, Value>) -> Result<Box<dyn JwsVerifier>, JoseError> {
    let jwk = Jwk::from_map(public.clone())?;
    Ok(match algorithm {
        Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&jwk)?),
        Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(&jwk)?),
        Algorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(&jwk)?),
    })
}

/// `openssl ecparam -genkey` writes the curve's parameters first; mail and editors leave blank lines around a key.
fn private_block(pem: &str) -> Option<&str> {
    const LABEL: &str = "PRIVATE KEY-----";
    let begin = pem.match_indices("-----BEGIN ").find_map(|(at, _)| {
        let line = pem[at..].lines().next()?;
        line.trim_end().ends_with(LABEL).then_some(at)
    })?;
    let end = begin + pem[begin..].find("-----END ")?;
    let end = end + pem[end..].find(LABEL)? + LABEL.len();
    Some(&pem[begin..end])
}

#[cfg(test)]
mod tests;
