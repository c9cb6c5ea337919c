//! Discovery documents: RFC 8414 (authorization server) and RFC 9728 (protected resource), from configuration only.

use serde_json::{Value, json};

use super::{
    client_assertion::ALGORITHMS,
    gateway::Gateway,
    resource::{Resource, is_plain},
    scope::Scope,
    service::ScopesSupported,
    token::GRANT_TYPES,
};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A public client proves nothing, and so has no use for introspection: `none` stands first.
const AUTH_METHODS: [&str; 4] = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

/// RFC 8414 §2; served as `openid-configuration` too. The same on every host.
pub fn authorization_server(gateway: &Gateway, scopes: &Scope) -> Value {
    json!({
        "issuer": gateway.issuer(),
        "authorization_endpoint": gateway.url("/authorize"),
        "token_endpoint": gateway.url("/token"),
        "registration_endpoint": gateway.url("/register"),
        "revocation_endpoint": gateway.url("/revoke"),
        "introspection_endpoint": gateway.url("/introspect"),
        "jwks_uri": gateway.url("/jwks"),
        "scopes_supported": scopes.iter().collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANT_TYPES,
        "subject_types_supported": ["public"],
        // No ID tokens are issued; OpenID Connect Discovery §3 requires the member, and clients parse it strictly.
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": &AUTH_METHODS[1..],
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        // draft-ietf-oauth-client-id-metadata-document-00 §5.
        "client_id_metadata_document_supported": true,
        // RFC 9207 §3.
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["sub", "username", "name", "email"],
        "service_documentation": gateway.url("/docs"),
        "op_policy_uri": gateway.url("/policy"),
        "op_tos_uri": gateway.url("/terms"),
    })
}

/// RFC 9728 §2 for the server at `path` on `host`; `None` when that is no URL of this gateway.
///
/// `path`: what follows `/.well-known/oauth-protected-resource` (RFC 9728 §3.1), empty for the host itself.
pub fn protected_resource(gateway: &Gateway, host: &str, path: &str, scopes: &ScopesSupported) -> Option<Value> {
    let host = gateway.host(host)?;
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let resource = Resource::parse(&format!("https://{host}{path}"), gateway).ok()?;
    let scopes = scopes.at(&host, gateway);
    Some(json!({
        "resource": resource.as_str(),
        "authorization_servers": [gateway.issuer()],
        "scopes_supported": scopes.iter().collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
        "resource_name": format!("MCP server {host}"),
    }))
}

/// Where [`protected_resource`] is served: the path inserted after the well-known part (RFC 9728 §3.1).
pub(crate) fn metadata_url(gateway: &Gateway, host: &str, path: &str) -> Option<String> {
    let host = gateway.host(host)?;
    is_plain(path).then(|| format!("https://{host}{WELL_KNOWN}{path}"))
}

/// The resource that a request is for: `/mcp` for it and all below, else the whole host.
pub(crate) fn resource_path(path: &str) -> &'static str {
    match path.strip_prefix("/mcp") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => "/mcp",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::fixtures::{gateway, policy};

    fn resource(host: &str, path: &str) -> Option<Value> {
        protected_resource(&gateway(), host, path, &policy().scopes_supported)
    }

    #[test]
    fn every_url_starts_with_the_issuer() {
        let document = authorization_server(&gateway(), &policy().scopes_supported.all());
        assert_eq!(document["issuer"], "https://auth.example.com");
        assert_eq!(document["token_endpoint"], "https://auth.example.com/token");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("offline_access")));
    }

    #[test]
    fn resource_is_exactly_the_url_of_the_server() {
        assert_eq!(resource("Time.example.com", "/mcp").unwrap()["resource"], "https://time.example.com/mcp");
        assert_eq!(resource("time.example.com", "").unwrap()["resource"], "https://time.example.com");
        assert_eq!(resource("time.example.com", "/a/b").unwrap()["resource"], "https://time.example.com/a/b");
    }

    #[test]
    fn a_resource_has_a_scope_of_its_own_and_never_offline_access() {
        let document = resource("time.example.com", "/mcp").unwrap();
        assert_eq!(document["scopes_supported"], json!(["email", "mcp:time", "openid", "profile"]));
    }

    #[test]
    fn a_forged_host_gets_no_document() {
        for (host, path) in [
            ("evil.example", "/mcp"),
            ("time.example.com.evil.example", ""),
            ("time.example.com", "/../x"),
            ("time.example.com", "@evil.example"),
        ] {
            assert_eq!(resource(host, path), None, "{host}{path}");
        }
    }

    #[test]
    fn the_metadata_url_has_the_path_inserted() {
        let url = |path| metadata_url(&gateway(), "time.example.com", resource_path(path)).unwrap();
        assert_eq!(url("/mcp/x"), "https://time.example.com/.well-known/oauth-protected-resource/mcp");
        assert_eq!(url("/mcpx"), "https://time.example.com/.well-known/oauth-protected-resource");
    }
}
