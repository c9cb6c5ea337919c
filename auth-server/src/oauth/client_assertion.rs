//! `private_key_jwt`: a client proves itself by an assertion that it signed (RFC 7523 §2.2 and §3, OpenID Connect
//! Core §9). Taking it apart and judging its claims is here; `jwt::client_assertion` checks the signature.
//!
//! Left out: `client_secret_jwt`, since secrets are kept as hashes; encrypted assertions.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{
    access_token::one_or_many,
    client::{AuthMethod, Client},
    client_authentication::AuthenticatedClient,
    gateway::Gateway,
    id::ClientId,
    secret::{Secret, SecretHash},
};

/// `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Largest assertion that is looked at, bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// How far ahead an assertion may expire, seconds: its `jti` is remembered as long.
const LONGEST: u64 = 600;
/// By how much clocks may differ, seconds.
const SKEW: u64 = 60;

/// Algorithms of assertions (RFC 7518 §3.1, RFC 8037 §3.1): signatures only, nothing that a public key could forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum AssertionAlgorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// As the metadata lists them.
pub const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// Why an assertion proves nothing. All are `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    #[error("client_assertion_type is not the one for JWTs")]
    Type,
    #[error("client_assertion is missing")]
    Missing,
    #[error("client_assertion is not a signed JWT of at most 8 KiB with iss, sub, aud and exp")]
    Malformed,
    #[error("client_assertion is not signed with RS256, PS256, ES256 or EdDSA")]
    Algorithm,
    #[error("iss and sub of client_assertion are not both the client_id")]
    Issuer,
    #[error("the client is not registered for private_key_jwt")]
    NotRegistered,
    #[error("aud of client_assertion is neither the issuer nor the token endpoint")]
    Audience,
    #[error("client_assertion has expired")]
    Expired,
    #[error("client_assertion expires more than ten minutes from now")]
    TooLong,
    #[error("client_assertion is not valid yet")]
    TooEarly,
    #[error("client_assertion is not signed by a key of the client")]
    Signature,
    #[error("client_assertion was used before")]
    Replayed,
}

/// An assertion taken apart, nothing of it believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    algorithm: AssertionAlgorithm,
    key_id: Option<String>,
    claims: Claims,
    /// Header and payload: what the signature is over.
    signed: Secret,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Claims {
    iss: ClientId,
    sub: ClientId,
    #[serde(with = "one_or_many")]
    aud: Vec<String>,
    exp: NumericDate,
    #[serde(default)]
    nbf: Option<NumericDate>,
    #[serde(default)]
    iat: Option<NumericDate>,
    #[serde(default)]
    jti: Option<String>,
}

/// Seconds since the epoch; some libraries write fractions (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "f64")]
struct NumericDate(u64);

impl From<f64> for NumericDate {
    fn from(seconds: f64) -> Self {
        // Saturates: before the epoch is the epoch.
        Self(seconds as u64)
    }
}

/// A proof that holds once, and only beside a right signature: remember `id` for `lifetime` seconds, and take the
/// client only if it was not known.
#[derive(Clone, Debug, PartialEq)]
pub struct OneTimeProof {
    pub id: SecretHash,
    pub lifetime: u64,
    client: Client,
}

impl Assertion {
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        let malformed = AssertionError::Malformed;
        let (signed, signature) = text.rsplit_once('.').filter(|_| text.len() <= MAX_LENGTH).ok_or(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| malformed)?;
        // RFC 7515 §4.1.11: we know no extension, so none may be critical.
        if header.crit.is_some() {
            return Err(malformed);
        }
        let algorithm = serde_json::from_value(header.alg.into()).map_err(|_| AssertionError::Algorithm)?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?).map_err(|_| malformed)?;
        if claims.iss != claims.sub {
            return Err(AssertionError::Issuer);
        }
        let signature = decode(signature)?;
        Ok(Self { algorithm, key_id: header.kid, claims, signed: Secret::new(signed), signature })
    }

    /// Whom it speaks for, if it is right (RFC 7521 §4.2: `client_id` may be left out beside it).
    pub fn client_id(&self) -> &ClientId {
        &self.claims.sub
    }

    pub fn algorithm(&self) -> AssertionAlgorithm {
        self.algorithm
    }

    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub fn signed(&self) -> &[u8] {
        self.signed.expose().as_bytes()
    }

    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What RFC 7523 §3 asks besides the signature. `now`: seconds since the epoch.
    pub fn check(&self, client: Client, gateway: &Gateway, now: u64) -> Result<OneTimeProof, AssertionError> {
        let Claims { sub, exp, nbf, iat, jti, .. } = &self.claims;
        if client.auth_method != AuthMethod::PrivateKeyJwt || client.id != *sub {
            return Err(AssertionError::NotRegistered);
        }
        if !self.is_for(gateway) {
            return Err(AssertionError::Audience);
        }
        let end = exp.0.saturating_add(SKEW);
        if end <= now {
            return Err(AssertionError::Expired);
        }
        if end > now.saturating_add(LONGEST + 2 * SKEW) {
            return Err(AssertionError::TooLong);
        }
        if nbf.max(iat).is_some_and(|begin| begin.0 > now + SKEW) {
            return Err(AssertionError::TooEarly);
        }
        // Without a jti (RFC 7523 §3 makes it optional) the whole assertion is what may not come again. Without its
        // signature, since one ECDSA signature can be turned into another that is right too.
        let name = jti.as_deref().unwrap_or(self.signed.expose());
        let id = Secret::new(format!("client assertion\n{sub}\n{name}")).hash();
        Ok(OneTimeProof { id, lifetime: end - now, client })
    }

    /// The issuer, as the successor of RFC 7523 will have it; the token endpoint, as RFC 7523 §3 has it. Some libraries
    /// end every URL of a bare host with a slash.
    fn is_for(&self, gateway: &Gateway) -> bool {
        let (issuer, token) = (gateway.issuer(), gateway.url("/token"));
        self.claims.aud.iter().any(|aud| aud.strip_suffix('/').unwrap_or(aud) == issuer || *aud == token)
    }
}

impl OneTimeProof {
    /// `first`: its id was not known and now is, in one atomic step.
    pub fn used(self, first: bool) -> Result<AuthenticatedClient, AssertionError> {
        if first { Ok(AuthenticatedClient::proven(self.client)) } else { Err(AssertionError::Replayed) }
    }
}

#[cfg(test)]
mod tests;
