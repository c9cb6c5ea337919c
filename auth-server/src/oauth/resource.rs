//! Resource indicators (RFC 8707 §2): canonical form and comparison.

use serde::{Deserialize, Serialize};

/// The canonical URL of a protected resource: scheme and host lower-case, no default port, no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resource(String);

impl Resource {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
