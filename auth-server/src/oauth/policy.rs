//! What one protected service asks beyond a good token: `/verify?service=time&scope=mcp:time&users=a,b&orgs=acme`.
//!
//! The query is that of the middleware's own address, which the operator writes and no client reaches. It is read
//! strictly, for a mistyped condition that is ignored would be an open door.

use super::{
    params,
    people::{AllowList, Groups, NotAName, People},
    scope::Scope,
    service::ServiceName,
};

/// Conditions of one service; the default asks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    service: Option<ServiceName>,
    scope: Scope,
    people: People,
}

/// Why a middleware's address says nothing that can be kept to. Ours to mend: nobody passes until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPolicy {
    #[error("a parameter has no value, or cannot be decoded")]
    Parameter,
    #[error("a parameter is none of service, scope, users, orgs, teams")]
    Unknown,
    #[error("a parameter is there twice")]
    Repeated,
    #[error("service is not a name of 1 to 64 lower-case letters, digits and hyphens")]
    Service,
    #[error("scope is malformed")]
    Scope,
    #[error("scope names one that does not exist here (MCP_SERVICES lists the services)")]
    NoSuchScope,
    #[error("an entry of a list is {0}")]
    Name(#[from] NotAName),
}

impl Default for Policy {
    fn default() -> Self {
        Self { service: None, scope: Scope::default(), people: People::Anyone }
    }
}

impl Policy {
    /// `query`: what follows the `?`, percent-encoded. The same text always gives the same policy.
    pub fn parse(query: &str) -> Result<Self, MalformedPolicy> {
        let mut policy = Self::default();
        let mut allowed = AllowList::default();
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(MalformedPolicy::Parameter)?;
            let value = params::decode(value.as_bytes()).map_err(|_| MalformedPolicy::Parameter)?;
            let value = value.trim();
            // `users=` is what a template makes of an unset variable: nobody, or everybody? Neither.
            if value.is_empty() {
                return Err(MalformedPolicy::Parameter);
            }
            if seen.contains(&name) {
                return Err(MalformedPolicy::Repeated);
            }
            seen.push(name);
            match name {
                "service" => policy.service = Some(ServiceName::parse(value).ok_or(MalformedPolicy::Service)?),
                "scope" => policy.scope = Scope::parse(value).map_err(|_| MalformedPolicy::Scope)?,
                "users" => each(value, |login| allowed.add_login(login))?,
                "orgs" => each(value, |org| allowed.add_org(org))?,
                "teams" => each(value, |team| allowed.add_team(team))?,
                _ => return Err(MalformedPolicy::Unknown),
            }
        }
        if !allowed.is_empty() {
            policy.people = People::Only(allowed);
        }
        Ok(policy)
    }

    /// For logs; the host says which server it is.
    pub fn service(&self) -> Option<&ServiceName> {
        self.service.as_ref()
    }

    /// Every one of these is needed.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether this person is on the service's lists; without lists, everybody who may use the gateway is.
    pub fn admits(&self, login: &str, groups: &Groups) -> bool {
        self.people.admits(login, groups)
    }
}

/// Comma separated; an empty entry is none.
fn each(list: &str, mut add: impl FnMut(&str) -> Result<(), NotAName>) -> Result<(), MalformedPolicy> {
    let entries = || list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    if entries().next().is_none() {
        return Err(MalformedPolicy::Parameter);
    }
    Ok(entries().try_for_each(&mut add)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::fixtures::scope;

    fn groups(names: &[&str]) -> Groups {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_query_says_service_scope_and_people() {
        let policy =
            Policy::parse("service=time&scope=mcp:time+email&users=Octocat,mona&orgs=acme&teams=initech%2Fdevs")
                .unwrap();
        assert_eq!(policy.service().map(ServiceName::as_str), Some("time"));
        assert_eq!(policy.scope(), &scope("mcp:time email"));
        for (login, of) in [("octocat", &[][..]), ("Mona", &[]), ("x", &["acme"]), ("x", &["initech/devs"])] {
            assert!(policy.admits(login, &groups(of)), "{login} {of:?}");
        }
        assert!(!policy.admits("x", &groups(&["initech", "acme2"])));
    }

    #[test]
    fn without_conditions_everybody_passes_who_may_use_the_gateway() {
        for query in ["", "&", "service=time", "scope=mcp%3Atime"] {
            assert!(Policy::parse(query).unwrap().admits("anyone", &Groups::default()), "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_never_taken_for_no_condition() {
        for (query, fault) in [
            ("users=", MalformedPolicy::Parameter),
            ("users", MalformedPolicy::Parameter),
            ("users=,+,", MalformedPolicy::Parameter),
            ("scope=", MalformedPolicy::Parameter),
            ("users=a%ff", MalformedPolicy::Parameter),
            ("users=a%00", MalformedPolicy::Parameter),
            ("user=octocat", MalformedPolicy::Unknown),
            ("Users=octocat", MalformedPolicy::Unknown),
            ("us%65rs=octocat", MalformedPolicy::Unknown),
            ("users=a&users=b", MalformedPolicy::Repeated),
            ("service=Time", MalformedPolicy::Service),
            ("service=time.example.com", MalformedPolicy::Service),
            ("scope=%22", MalformedPolicy::Scope),
            ("users=a;b", NotAName::Login.into()),
            ("users=*", NotAName::Login.into()),
            ("orgs=acme/devs", NotAName::Org.into()),
            ("teams=devs", NotAName::Team.into()),
        ] {
            assert_eq!(Policy::parse(query), Err(fault), "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_list_of_people_ever_admits_everybody(list in "\\PC{0,30}", name in "users|orgs|teams") {
            if let Ok(policy) = Policy::parse(&format!("{name}={list}")) {
                prop_assume!(!list.contains('&'));
                prop_assert!(!policy.admits("somebody-else-entirely-of-forty-letters", &Groups::default()));
            }
        }
    }
}
