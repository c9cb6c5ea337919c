//! `grant_type=client_credentials` (RFC 6749 §4.4; MCP extension `io.modelcontextprotocol/oauth-client-credentials`): a
//! client that acts for itself, with nobody behind it.
//!
//! Only clients that the operator made have this grant: registrations and documents cannot obtain it. No refresh token
//! (§4.4.3): the client can always ask again.

use super::{
    access_token::Authorized,
    authorization::AuthorizationPolicy,
    client::Client,
    client_authentication::AuthenticatedClient,
    error::TokenError,
    grant::User,
    id::Subject,
    params::Params,
    people::Groups,
    resource::{InvalidTarget, Resource},
    scope::Scope,
};

/// What a client asks for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAccess {
    /// Absent: all that it is registered for.
    scope: Option<Scope>,
    resource: Vec<Resource>,
}

impl OwnAccess {
    pub(super) fn parse(params: &Params, resource: Vec<Resource>) -> Result<Self, TokenError> {
        Ok(Self { scope: params.get("scope").map(Scope::parse).transpose()?, resource })
    }

    /// RFC 6749 §4.4.2: only a client that proved itself by a secret or a key, since anyone could be a public one.
    pub fn authorize(
        self,
        client: &AuthenticatedClient,
        policy: &AuthorizationPolicy,
    ) -> Result<Authorized, TokenError> {
        let client = client.client();
        if client.is_public() {
            return Err(TokenError::GrantTypeNotRegistered);
        }
        if self.resource.is_empty() && policy.require_resource {
            return Err(InvalidTarget.into());
        }
        let scope = granted(self.scope, client, policy)?;
        Ok(Authorized { client_id: client.id.clone(), user: itself(client), scope, resource: self.resource })
    }
}

/// RFC 9068 §2.2: `sub` is the client. Its id cannot be taken for a person: GitHub's numbers are digits, and its logins
/// are shorter than the ids that are made here.
fn itself(client: &Client) -> User {
    let id =
        Subject::parse(client.id.as_str()).expect("a client id is an identifier, and identifiers have one alphabet");
    let (username, name) = (client.id.as_str().to_owned(), client.name.clone());
    User { id, username, email: None, name, groups: Groups::default() }
}

/// What the operator registered bounds it; without that, what exists here, as for everybody else. More than that is left
/// out of the grant (RFC 6749 §3.3).
fn granted(asked: Option<Scope>, client: &Client, policy: &AuthorizationPolicy) -> Result<Scope, TokenError> {
    let bound = if client.scope.is_empty() { None } else { Some(&client.scope) };
    let allowed = match (asked.filter(|asked| !is_about_a_person(asked, policy)), bound) {
        (Some(asked), Some(bound)) => asked.intersection(bound),
        (Some(asked), None) => asked,
        (None, bound) => bound.unwrap_or(&policy.default_scope).clone(),
    };
    let exists = policy.scopes_supported.existing(&allowed).without("offline_access");
    if exists.is_empty() { Err(TokenError::ScopeUnknown) } else { Ok(exists) }
}

/// The SDKs ask for what the server's metadata lists, which may be about people only: to a machine that says nothing.
fn is_about_a_person(asked: &Scope, policy: &AuthorizationPolicy) -> bool {
    asked.without("offline_access").is_subset(&policy.default_scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::fixtures::{authenticated, client, gateway, policy, public_client, scope};

    fn machine(registered: &str) -> Client {
        let grant_types = vec!["client_credentials".to_owned()];
        Client { scope: scope(registered), grant_types, redirect_uris: Vec::new(), ..client() }
    }

    fn ask(body: &str, client: Client) -> Result<Authorized, TokenError> {
        let params = Params::parse(body.as_bytes()).unwrap();
        let resource = Resource::parse_all(params.all("resource"), &gateway())?;
        OwnAccess::parse(&params, resource)?.authorize(&authenticated(client), &policy())
    }

    #[test]
    fn a_machine_acts_as_itself_and_never_as_a_person() {
        let access = ask("scope=email", machine("")).unwrap();
        assert_eq!((access.user().id.as_str(), access.user().username.as_str()), ("client_1", "client_1"));
        assert_eq!(access.user().email, None);
    }

    #[test]
    fn the_registered_scope_bounds_what_a_machine_gets() {
        let given =
            |body: &str, registered: &str| Ok::<_, TokenError>(ask(body, machine(registered))?.scope().to_string());
        assert_eq!(given("", "mcp:time email").unwrap(), "email mcp:time");
        assert_eq!(given("scope=mcp:time", "mcp:time mcp:fetch").unwrap(), "mcp:time");
        assert_eq!(given("scope=mcp:time+mcp:fetch+openid", "mcp:time").unwrap(), "mcp:time");
        assert_eq!(given("scope=mcp:fetch", "mcp:time"), Err(TokenError::ScopeUnknown));
        assert_eq!(given("scope=nonsense", "nonsense"), Err(TokenError::ScopeUnknown));
        assert_eq!(given("scope=mcp:time+offline_access", "").unwrap(), "mcp:time");
        assert_eq!(ask("", machine("")).unwrap().scope(), &policy().default_scope);
    }

    #[test]
    fn what_an_sdk_asks_about_people_gets_a_machine_what_it_is_registered_for() {
        let access = ask("scope=openid+profile+email+offline_access", machine("mcp:time")).unwrap();
        assert_eq!(access.scope().to_string(), "mcp:time");
    }

    #[test]
    fn a_public_client_is_nobody_by_itself() {
        let public = Client { grant_types: machine("").grant_types, ..public_client() };
        assert_eq!(ask("", public), Err(TokenError::GrantTypeNotRegistered));
    }

    #[test]
    fn a_resource_is_one_of_this_gateway_and_needed_where_that_is_configured() {
        let access = ask("resource=https://time.example.com/mcp", machine("")).unwrap();
        assert_eq!(access.resource[0].as_str(), "https://time.example.com/mcp");
        assert_eq!(ask("resource=https://evil.example/", machine("")), Err(InvalidTarget.into()));
        let strict = AuthorizationPolicy { require_resource: true, ..policy() };
        let asked = OwnAccess { scope: None, resource: Vec::new() };
        assert_eq!(asked.authorize(&authenticated(machine("")), &strict), Err(InvalidTarget.into()));
    }
}
