//! A token in the compact serialization (RFC 7515 §3.1), taken apart and not believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::oauth::verify::InvalidToken;

/// Largest token that is looked at.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// A token taken apart, nothing of it believed yet.
pub(super) struct UnverifiedToken<'a> {
    header: Vec<u8>,
    pub(super) signed: &'a [u8],
    payload: &'a str,
    pub(super) signature: Vec<u8>,
}

/// All that is read of a token's header. `jku`, `x5u`, `jwk` and `x5c` have no say.
#[derive(Deserialize)]
pub(super) struct Header<'a> {
    pub(super) alg: &'a str,
    #[serde(default)]
    typ: Option<&'a str>,
    #[serde(default)]
    pub(super) kid: Option<&'a str>,
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

impl<'a> UnverifiedToken<'a> {
    pub(super) fn parse(bearer: &'a str) -> Result<Self, InvalidToken> {
        if bearer.len() > MAX_TOKEN {
            return Err(InvalidToken::TooLarge);
        }
        let (signed, signature) = bearer.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidToken::Malformed);
        Ok(Self { header: decode(header)?, signed: signed.as_bytes(), payload, signature: decode(signature)? })
    }

    pub(super) fn header(&self) -> Result<Header<'_>, InvalidToken> {
        serde_json::from_slice(&self.header).map_err(|_| InvalidToken::Malformed)
    }

    /// To be called once the signature is known to be right.
    pub(super) fn payload(&self) -> Result<Payload, InvalidToken> {
        URL_SAFE_NO_PAD.decode(self.payload).map(Payload).map_err(|_| InvalidToken::Malformed)
    }
}

/// The claims' JSON.
pub(super) struct Payload(Vec<u8>);

impl Payload {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, InvalidToken> {
        serde_json::from_slice(&self.0).map_err(|_| InvalidToken::Malformed)
    }
}

impl Header<'_> {
    /// RFC 9068 §4: at+jwt. Tokens of the Python service say JWT, which is what its library puts there; those of ours
    /// have a `kid` and never that type.
    pub(super) fn check_type(&self) -> Result<(), InvalidToken> {
        // RFC 7515 §4.1.11: we know no extension, so none may be critical.
        if self.crit.is_some() {
            return Err(InvalidToken::Critical);
        }
        match self.typ {
            None | Some("JWT") if self.kid.is_none() => Ok(()),
            Some(typ) if typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt") => Ok(()),
            _ => Err(InvalidToken::Type),
        }
    }
}
