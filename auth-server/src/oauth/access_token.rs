//! Access tokens (RFC 9068): claims and the record that makes them revocable.

use serde::{Deserialize, Serialize};

use super::{
    id::{ClientId, FamilyId, Subject, TokenId},
    scope::Scope,
};

/// Claims of an access token. `aud` is always written as a list; a single text is read too (the Python service's form).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: Subject,
    #[serde(with = "super::access_token::one_or_many")]
    pub aud: Vec<String>,
    pub client_id: ClientId,
    #[serde(default)]
    pub scope: Scope,
    pub jti: TokenId,
    /// Seconds since the epoch.
    pub iat: u64,
    /// Seconds since the epoch.
    pub exp: u64,
    #[serde(default)]
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Stored under `oauth:token:{jti}`; its absence means revoked. The family is absent in the Python service's records.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRecord {
    pub claims: Claims,
    pub family: Option<FamilyId>,
}

pub(crate) mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &[String], s: S) -> Result<S::Ok, S::Error> {
        values.serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            One(String),
            Many(Vec<String>),
        }
        Ok(match Either::deserialize(d)? {
            Either::One(value) => vec![value],
            Either::Many(values) => values,
        })
    }
}
