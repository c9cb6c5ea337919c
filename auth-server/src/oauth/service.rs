//! MCP services, each with a scope of its own (`mcp:time`), and with that: which scopes exist here (RFC 6749 §3.3).

use std::collections::BTreeSet;

use super::{gateway::Gateway, policy::MalformedPolicy, scope::Scope};

const PREFIX: &str = "mcp:";
const MAX_LENGTH: usize = 64;
/// Asks for refresh tokens of the authorization server; it is no permission at any MCP server, so none of them names it
/// (MCP authorization, «Scope Selection Strategy»).
const OFFLINE_ACCESS: &str = "offline_access";

/// What a service is called: the first label of its host, and what follows `mcp:` in its scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName(String);

/// The scopes that exist here: a few for everybody, and one per service.
#[derive(Clone, Debug)]
pub struct ScopesSupported {
    common: Scope,
    /// Empty: any service may be there.
    services: BTreeSet<ServiceName>,
}

impl ServiceName {
    /// 1 to 64 lower-case letters, digits and hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (plain && !text.is_empty() && text.len() <= MAX_LENGTH).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `mcp:<service>`
    pub fn scope(&self) -> Scope {
        Scope::of(format!("{PREFIX}{}", self.0))
    }

    /// The service at `host`, which is a host of the gateway; none at the domain itself and at the issuer.
    fn at(host: &str, gateway: &Gateway) -> Option<Self> {
        let label = host.strip_suffix(gateway.base_domain())?.strip_suffix('.')?;
        Self::parse(label).filter(|name| name.as_str() != "auth")
    }
}

impl ScopesSupported {
    /// `services`: `MCP_SERVICES`; empty when the operator does not list them.
    pub fn new<'a>(common: Scope, services: impl IntoIterator<Item = &'a str>) -> Self {
        Self { common, services: services.into_iter().filter_map(ServiceName::parse).collect() }
    }

    pub fn contains(&self, token: &str) -> bool {
        let service = || token.strip_prefix(PREFIX).and_then(ServiceName::parse);
        self.common.contains(token) || service().is_some_and(|name| self.is_service(&name))
    }

    /// Those of `asked` that exist here.
    pub fn existing(&self, asked: &Scope) -> Scope {
        asked.filter(|token| self.contains(token))
    }

    /// A policy asks for what can be had.
    pub fn check(&self, needed: &Scope) -> Result<(), MalformedPolicy> {
        let exists = needed.iter().all(|token| self.contains(token));
        if exists { Ok(()) } else { Err(MalformedPolicy::NoSuchScope) }
    }

    /// For the authorization server's metadata (RFC 8414 §2).
    pub fn all(&self) -> Scope {
        self.services.iter().fold(self.common.clone(), |scope, service| scope.union(&service.scope()))
    }

    /// For the metadata of the protected resource at `host` (RFC 9728 §2): its own service and no other.
    pub fn at(&self, host: &str, gateway: &Gateway) -> Scope {
        let scope = self.common.without(OFFLINE_ACCESS);
        match ServiceName::at(host, gateway).filter(|name| self.is_service(name)) {
            Some(service) => scope.union(&service.scope()),
            None => scope,
        }
    }

    fn is_service(&self, name: &ServiceName) -> bool {
        self.services.is_empty() || self.services.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::fixtures::{gateway, scope};

    fn supported(services: &[&str]) -> ScopesSupported {
        ScopesSupported::new(scope("openid email offline_access"), services.iter().copied())
    }

    #[test]
    fn only_the_services_that_are_listed_have_a_scope_or_all_when_none_is() {
        let listed = supported(&["time", "fetch"]);
        assert_eq!(listed.existing(&scope("openid mcp:time mcp:other admin")), scope("openid mcp:time"));
        assert_eq!(listed.all(), scope("openid email offline_access mcp:time mcp:fetch"));
        assert_eq!(listed.check(&scope("openid mcp:time")), Ok(()));
        assert_eq!(listed.check(&scope("openid mcp:other")), Err(MalformedPolicy::NoSuchScope));
        let any = supported(&[]);
        assert_eq!(any.existing(&scope("openid mcp:time mcp:other admin")), scope("openid mcp:time mcp:other"));
        assert_eq!(any.all(), scope("openid email offline_access"));
    }

    #[test]
    fn a_name_that_is_no_service_has_no_scope() {
        let long = format!("mcp:{}", "a".repeat(65));
        for token in ["mcp:", "mcp:Time", "mcp:a.b", "mcp:a_b", "mcp:*", "MCP:time", "mcp:mcp:time", &long] {
            assert!(!supported(&[]).contains(token), "{token}");
        }
        assert!(supported(&[]).contains(&long[..68]));
    }

    #[test]
    fn a_resource_names_its_own_service_and_never_offline_access() {
        let at = |services: &[&str], host| supported(services).at(host, &gateway());
        assert_eq!(at(&[], "time.example.com"), scope("openid email mcp:time"));
        assert_eq!(at(&["time"], "time.example.com"), scope("openid email mcp:time"));
        for host in ["fetch.example.com", "auth.example.com", "example.com", "a.time.example.com"] {
            assert_eq!(at(&["time"], host), scope("openid email"), "{host}");
        }
        assert_eq!(at(&[], "auth.example.com"), scope("openid email"));
    }
}
