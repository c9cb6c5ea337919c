//! `scope`: a set of tokens (RFC 6749 §3.3).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A set of scope tokens; printed in a stable order, separated by single spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Scope(BTreeSet<String>);

/// A character outside RFC 6749 §3.3's NQCHAR was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("scope has a character that RFC 6749 §3.3 does not allow")]
pub struct InvalidScope;

impl Scope {
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let tokens: BTreeSet<String> = text.split(' ').filter(|t| !t.is_empty()).map(str::to_owned).collect();
        let allowed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if tokens.iter().all(|t| t.bytes().all(allowed)) { Ok(Self(tokens)) } else { Err(InvalidScope) }
    }

    /// One token whose characters are known to be right.
    pub(super) fn of(token: String) -> Self {
        Self(BTreeSet::from([token]))
    }

    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    pub fn is_subset(&self, of: &Self) -> bool {
        self.0.is_subset(&of.0)
    }

    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|token| keep(token)).cloned().collect())
    }

    pub fn without(&self, token: &str) -> Self {
        Self(self.0.iter().filter(|t| *t != token).cloned().collect())
    }

    /// Its tokens in the order in which `text` names them, then the others.
    pub fn in_order_of<'a>(&'a self, text: &str) -> Vec<&'a str> {
        let mut others: BTreeSet<_> = self.iter().collect();
        let mut tokens: Vec<_> = text.split(' ').filter_map(|named| others.take(named)).collect();
        tokens.extend(others);
        tokens
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, token) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;
    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(scope(" email  openid email "), scope("openid email"));
        assert_eq!(scope("openid email").to_string(), "email openid");
        assert!(scope("  ").is_empty());
    }

    #[test]
    fn quotes_backslashes_control_and_foreign_characters_are_refused() {
        for text in ["a\"b", "a\\b", "a\nb", "a\tb", "\u{e9}", "a\0"] {
            assert_eq!(Scope::parse(text), Err(InvalidScope), "{text:?}");
        }
    }

    #[test]
    fn narrower_is_a_subset_and_case_counts() {
        assert!(scope("openid").is_subset(&scope("openid email")) && !scope("OpenID").is_subset(&scope("openid")));
        assert_eq!(scope("openid email").without("email").to_string(), "openid");
        assert_eq!(scope("openid x").intersection(&scope("openid email")).to_string(), "openid");
    }

    #[test]
    fn tokens_are_told_in_the_order_in_which_they_were_asked_for() {
        assert_eq!(scope("a openid email b").in_order_of("openid x email openid"), ["openid", "email", "a", "b"]);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(text in "\\PC{0,40}") {
            if let Ok(parsed) = Scope::parse(&text) {
                prop_assert_eq!(Scope::parse(&parsed.to_string()), Ok(parsed));
            }
        }

        #[test]
        fn an_intersection_is_a_subset_of_both(a in "[a-d ]{0,8}", b in "[a-d ]{0,8}") {
            let both = scope(&a).intersection(&scope(&b));
            prop_assert!(both.is_subset(&scope(&a)) && both.is_subset(&scope(&b)));
        }
    }
}
