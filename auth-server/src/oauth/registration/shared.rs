//! Public clients that register again and again (every start of an editor, every machine of a person) share one id.
//!
//! A public client has no secret: whoever sends the same metadata is, to OAuth, the same client. What must not be shared
//! is the right to change it: the first registrant could otherwise add a redirect URI to everybody's client. So a
//! registration that is answered twice loses its registration access token (RFC 7592 §3).

use serde_json::json;

use super::Registration;
use crate::oauth::{client::Client, secret::Secret};

/// Equal for registrations that differ in nothing, or in the ports of loopback redirect URIs only (RFC 8252 §7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// `None`: a confidential client, which has its secret for itself.
    pub fn of(client: &Client) -> Option<Self> {
        if !client.is_public() {
            return None;
        }
        let redirect_uris: Vec<_> = client.redirect_uris.iter().map(|uri| uri.without_loopback_port()).collect();
        let metadata = json!({
            "auth_method": client.auth_method,
            "redirect_uris": redirect_uris,
            "grant_types": client.grant_types,
            "response_types": client.response_types,
            "name": client.name,
            "scope": client.scope,
            "rest": client.metadata,
        });
        Some(Self(Secret::new(metadata.to_string()).hash().as_str().to_owned()))
    }

    /// Base64url: part of a key in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Registration {
    /// The registration that was there already, for one more who asks for the same.
    pub fn shared(known: Client) -> Self {
        Self { client: Client { registration_token: None, ..known }, secret: None, registration_token: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{fixtures::public_client, redirect_uri::RedirectUri};

    fn with(uri: &str) -> Client {
        Client { redirect_uris: vec![RedirectUri::parse(uri).unwrap()], ..public_client() }
    }

    #[test]
    fn registrations_that_differ_in_a_loopback_port_only_are_one() {
        let one = Fingerprint::of(&with("http://127.0.0.1:33418/cb"));
        assert!(one.is_some());
        assert_eq!(one, Fingerprint::of(&with("http://127.0.0.1:5000/cb")));
        assert_eq!(one, Fingerprint::of(&with("http://127.0.0.1/cb")));
    }

    #[test]
    fn any_other_difference_makes_another_client() {
        let one = Fingerprint::of(&with("http://127.0.0.1:33418/cb"));
        assert_ne!(one, Fingerprint::of(&with("http://127.0.0.1:33418/other")));
        assert_ne!(one, Fingerprint::of(&with("http://localhost:33418/cb")));
        assert_ne!(
            Fingerprint::of(&with("https://app.example:8443/cb")),
            Fingerprint::of(&with("https://app.example/cb"))
        );
        let named = Client { name: Some("another".to_owned()), ..with("http://127.0.0.1:33418/cb") };
        assert_ne!(one, Fingerprint::of(&named));
    }

    #[test]
    fn a_client_with_a_secret_is_never_shared() {
        assert_eq!(Fingerprint::of(&crate::oauth::fixtures::client()), None);
    }
}
