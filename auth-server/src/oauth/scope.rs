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

    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    pub fn is_subset(&self, of: &Self) -> bool {
        self.0.is_subset(&of.0)
    }

    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn without(&self, token: &str) -> Self {
        Self(self.0.iter().filter(|t| *t != token).cloned().collect())
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
