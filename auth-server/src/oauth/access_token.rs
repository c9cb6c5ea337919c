//! Access tokens (RFC 9068): claims and the record that makes them revocable.

use serde::{Deserialize, Serialize};

use super::{
    error::TokenError,
    gateway::Gateway,
    grant::User,
    id::{ClientId, FamilyId, Subject, TokenId},
    people::{Groups, People},
    resource::Resource,
    scope::Scope,
};

/// What a person authorized a client to have: access tokens are issued from this and from nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorized {
    pub(crate) client_id: ClientId,
    pub(crate) user: User,
    pub(crate) scope: Scope,
    pub(crate) resource: Vec<Resource>,
}

/// The name and times of a token about to be issued.
#[derive(Clone, Debug)]
pub struct Issue {
    pub jti: TokenId,
    /// Seconds since the epoch.
    pub now: u64,
    /// Seconds.
    pub lifetime: u64,
}

impl Authorized {
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn user(&self) -> &User {
        &self.user
    }

    /// The operator may have taken the person off the list since they signed in. A machine client is on no such list.
    pub fn check_owner(&self, people: &People) -> Result<(), TokenError> {
        let is_machine = self.user.id.as_str() == self.client_id.as_str();
        let admitted = is_machine || people.admits(&self.user.username, &self.user.groups);
        if admitted { Ok(()) } else { Err(TokenError::PersonRemoved) }
    }

    /// The claims of RFC 9068 §2.2; email and name only with the scope that asks for them (OpenID Connect Core §5.4).
    pub fn issue(&self, issue: Issue, family: Option<FamilyId>, gateway: &Gateway) -> TokenRecord {
        let with = |scope: &str, value: &Option<String>| value.clone().filter(|_| self.scope.contains(scope));
        let claims = Claims {
            iss: gateway.issuer().to_owned(),
            sub: self.user.id.clone(),
            aud: self.audience(gateway),
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
            jti: issue.jti,
            iat: issue.now,
            nbf: None,
            exp: issue.now.saturating_add(issue.lifetime),
            username: self.user.username.clone(),
            email: with("email", &self.user.email),
            name: with("profile", &self.user.name),
        };
        TokenRecord { claims, family, groups: self.user.groups.clone() }
    }

    /// RFC 9068 §3: the resources; without any, the issuer, which stands for every service of this gateway.
    fn audience(&self, gateway: &Gateway) -> Vec<String> {
        if self.resource.is_empty() {
            return vec![gateway.issuer().to_owned()];
        }
        self.resource.iter().map(|resource| resource.as_str().to_owned()).collect()
    }
}

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
    /// Seconds since the epoch. Never written by us (RFC 7519 §4.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
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
    /// Not in the token itself: they are many, and no business of the MCP server.
    pub groups: Groups,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{
        fixtures::{NOW, client, gateway, scope, user},
        people::AllowList,
    };

    fn issue(scopes: &str, resources: &[&str]) -> Claims {
        let resource = Resource::parse_all(resources.iter().copied(), &gateway()).unwrap();
        let authorized = Authorized { client_id: client().id, user: user(), scope: scope(scopes), resource };
        let issue = Issue { jti: TokenId::parse("jti").unwrap(), now: NOW, lifetime: 60 };
        authorized.issue(issue, None, &gateway()).claims
    }

    #[test]
    fn email_and_name_need_their_scopes() {
        let bare = serde_json::to_value(issue("openid", &[])).unwrap();
        assert!(bare.get("email").is_none() && bare.get("name").is_none());
        let full = issue("email profile", &[]);
        assert_eq!((full.email.as_deref(), full.name.as_deref()), (Some("octocat@example.com"), Some("Mona")));
    }

    #[test]
    fn the_audience_is_the_resources_or_else_the_issuer() {
        assert_eq!(issue("openid", &[]).aud, ["https://auth.example.com"]);
        assert_eq!(issue("openid", &["https://time.example.com/mcp"]).aud, ["https://time.example.com/mcp"]);
    }

    #[test]
    fn nothing_is_issued_to_someone_who_is_no_longer_on_the_list() {
        let owned = Authorized { client_id: client().id, user: user(), scope: scope("openid"), resource: Vec::new() };
        let mut list = AllowList::default();
        list.add_login("mona").unwrap();
        assert_eq!(owned.check_owner(&People::Only(list.clone())), Err(TokenError::PersonRemoved));
        list.add_org("acme").unwrap();
        assert_eq!(owned.check_owner(&People::Only(list)), Ok(()));
    }

    #[test]
    fn times_are_whole_seconds_and_the_lifetime_counts_from_now() {
        let claims = issue("openid", &[]);
        assert_eq!((claims.iat, claims.exp), (NOW, NOW + 60));
    }

    #[test]
    fn an_audience_written_as_one_text_is_read() {
        let mut json = serde_json::to_value(issue("openid", &[])).unwrap();
        json["aud"] = "https://auth.example.com".into();
        let claims: Claims = serde_json::from_value(json).unwrap();
        assert_eq!(claims.aud, ["https://auth.example.com"]);
    }
}
