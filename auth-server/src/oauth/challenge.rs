//! `WWW-Authenticate`: bearer challenges (RFC 6750 §3, RFC 9728 §5.1), and the Basic one of `/token`.

use super::{
    forwarded::ForwardedRequest,
    gateway::Gateway,
    metadata::{metadata_url, resource_path},
    scope::Scope,
    verify::Denied,
};

/// For 401 `invalid_client` (RFC 6749 §5.2).
pub const BASIC: &str = "Basic realm=\"token\"";

/// The challenge that goes with a refusal of `request`; `None` when no other token would help.
///
/// `scope`: what to ask for, when the refusal itself does not say it.
pub fn bearer(denied: &Denied, request: &ForwardedRequest, scope: &Scope, gateway: &Gateway) -> Option<String> {
    let metadata = metadata_url(gateway, request.host(), resource_path(request.path()));
    let mut challenge = Challenge::new();
    match denied {
        // RFC 6750 §3.1: no error when no token was sent.
        Denied::TokenMissing => {}
        Denied::InvalidToken(reason) => {
            challenge.add("error", "invalid_token");
            challenge.add("error_description", &reason.to_string());
        }
        Denied::InsufficientScope { .. } => {
            challenge.add("error", "insufficient_scope");
            challenge.add("error_description", &denied.to_string());
        }
        Denied::PersonNotAllowed | Denied::ForeignOrigin => return None,
    }
    let scope = match denied {
        Denied::InsufficientScope { required } => required,
        _ => scope,
    };
    if let Some(metadata) = metadata {
        challenge.add("resource_metadata", &metadata);
    }
    if !scope.is_empty() {
        challenge.add("scope", &scope.to_string());
    }
    Some(challenge.0)
}

struct Challenge(String);

impl Challenge {
    fn new() -> Self {
        Self("Bearer".to_owned())
    }

    /// A quoted string (RFC 9110 §5.6.4); what cannot stand in one is left out, so no value ends the header.
    fn add(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.ends_with('"') { ", " } else { " " });
        self.0.push_str(name);
        self.0.push_str("=\"");
        for c in value.chars().filter(|c| matches!(c, ' '..='~')) {
            if matches!(c, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(c);
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{
        fixtures::{gateway, scope},
        forwarded::Forwarded,
        verify::InvalidToken,
    };

    fn challenge(denied: &Denied, uri: &str) -> Option<String> {
        let headers = Forwarded { method: Some("GET"), host: Some("time.example.com"), uri: Some(uri) };
        let request = ForwardedRequest::parse(&headers, &gateway()).unwrap();
        bearer(denied, &request, &scope("openid"), &gateway())
    }

    #[test]
    fn without_a_token_the_challenge_names_metadata_and_scope_and_no_error() {
        assert_eq!(
            challenge(&Denied::TokenMissing, "/mcp").unwrap(),
            "Bearer resource_metadata=\"https://time.example.com/.well-known/oauth-protected-resource/mcp\", scope=\"openid\""
        );
    }

    #[test]
    fn a_bad_token_is_told_why() {
        assert_eq!(
            challenge(&InvalidToken::Expired.into(), "/other").unwrap(),
            "Bearer error=\"invalid_token\", error_description=\"the token has expired\", \
             resource_metadata=\"https://time.example.com/.well-known/oauth-protected-resource\", scope=\"openid\""
        );
    }

    #[test]
    fn insufficient_scope_names_the_scope_that_is_needed() {
        let text = challenge(&Denied::InsufficientScope { required: scope("mcp:time") }, "/mcp").unwrap();
        assert!(
            text.starts_with("Bearer error=\"insufficient_scope\", ") && text.ends_with(", scope=\"mcp:time\""),
            "{text}"
        );
    }

    #[test]
    fn who_may_not_come_in_whatever_they_send_gets_no_challenge() {
        assert_eq!(challenge(&Denied::ForeignOrigin, "/mcp"), None);
        assert_eq!(challenge(&Denied::PersonNotAllowed, "/mcp"), None);
    }

    #[test]
    fn no_value_can_end_the_header_or_add_another() {
        let mut challenge = Challenge::new();
        challenge.add("scope", "a\"b\\c\r\nX-User-Id: 1\u{e9}\0");
        assert_eq!(challenge.0, "Bearer scope=\"a\\\"b\\\\cX-User-Id: 1\"");
    }
}
