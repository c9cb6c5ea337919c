//! Identifiers: parsed once at the edge, opaque strings with a bounded, printable alphabet after that.

use serde::{Deserialize, Serialize};

/// Longest identifier accepted; a Client ID Metadata Document URL is the longest legitimate one.
const MAX_LENGTH: usize = 2048;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Accepts 1 to 2048 visible ASCII characters (RFC 6749 appendix A: VSCHAR).
            pub fn parse(text: &str) -> Option<Self> {
                let visible = text.bytes().all(|b| b.is_ascii_graphic());
                (visible && !text.is_empty() && text.len() <= MAX_LENGTH).then(|| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// `client_id` (RFC 6749 §2.2).
    ClientId
}
identifier! {
    /// `jti`: names one access token (RFC 7519 §4.1.7).
    TokenId
}
identifier! {
    /// Everything that was issued from one authorization: its access and refresh tokens.
    FamilyId
}
identifier! {
    /// `sub`: the person, as the identity provider numbers them (GitHub's numeric id as text).
    Subject
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_visible_ascii_of_bounded_length() {
        assert!(ClientId::parse("https://app.example/client.json").is_some());
        for text in ["", "a b", "a\nb", "a\0", "\u{e9}"] {
            assert_eq!(ClientId::parse(text), None, "{text:?}");
        }
        assert!(ClientId::parse(&"a".repeat(MAX_LENGTH)).is_some());
        assert_eq!(ClientId::parse(&"a".repeat(MAX_LENGTH + 1)), None);
    }
}
