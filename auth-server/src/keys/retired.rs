//! Keys that are checked with and never signed with, as a JWK Set (RFC 7517 §5) of public halves.
//!
//! Each may say in `exp` until when it is needed (the member of OpenID Federation §8.7): once the last token that it
//! signed has expired, nobody misses it. Private halves are not kept: nothing is left that could sign in an old name.

use serde_json::{Value, json};

use crate::jwt::{KeyError, PublicKey};

/// A key that is only checked with.
#[derive(Clone, Debug)]
pub(crate) struct Retired {
    pub(crate) key: PublicKey,
    /// Seconds since the epoch; `None`: as long as the configuration names it.
    pub(crate) until: Option<u64>,
}

/// The keys of a JWK Set that are still needed at `now`.
pub(super) fn parse(set: &str, now: u64) -> Result<Vec<Retired>, KeyError> {
    let set: Value = serde_json::from_str(set).map_err(|_| KeyError::NotPublic)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or(KeyError::NotPublic)?;
    let retired = |jwk: &Value| {
        let until = match jwk.get("exp") {
            None => None,
            Some(exp) => Some(exp.as_u64().ok_or(KeyError::NotPublic)?),
        };
        Ok(Retired { key: PublicKey::from_jwk(jwk)?, until })
    };
    let mut keys: Vec<_> = keys.iter().map(retired).collect::<Result<_, KeyError>>()?;
    keys.retain(|retired| retired.until.is_none_or(|until| until > now));
    Ok(keys)
}

pub(super) fn write(keys: &[Retired]) -> String {
    format!("{:#}\n", set(keys))
}

pub(super) fn set(keys: &[Retired]) -> Value {
    let jwk = |retired: &Retired| {
        let mut jwk = retired.key.jwk().clone();
        if let Some(until) = retired.until {
            jwk["exp"] = until.into();
        }
        jwk
    };
    json!({ "keys": keys.iter().map(jwk).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{Algorithm, PrivateKey};

    fn retired(until: Option<u64>) -> Retired {
        Retired { key: PrivateKey::generate(Algorithm::EdDsa).unwrap().public().clone(), until }
    }

    #[test]
    fn what_is_written_is_read_again_without_what_is_past_its_time() {
        let keys = [retired(Some(100)), retired(Some(101)), retired(None)];
        let read = parse(&write(&keys), 100).unwrap();
        let kids = |keys: &[Retired]| keys.iter().map(|retired| retired.key.kid().to_owned()).collect::<Vec<_>>();
        assert_eq!(kids(&read), kids(&keys[1..]));
        assert_eq!(read[0].until, Some(101));
    }

    #[test]
    fn what_is_no_set_of_public_keys_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":[{}]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
            assert!(parse(text, 0).is_err(), "{text}");
        }
        let timeless = write(&[retired(Some(100))]).replace("100", "\"soon\"");
        assert!(parse(&timeless, 0).is_err());
    }
}
