//! Resource indicators (RFC 8707 §2): canonical form, and what a token for one may reach.

use serde::{Deserialize, Serialize};

use super::gateway::{Gateway, canonical_host};

const MAX_LENGTH: usize = 2048;

/// The canonical URL of a protected resource: scheme and host lower-case, no default port, no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resource(String);

/// The indicator names nothing that this gateway protects (`invalid_target`, RFC 8707 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the resource is not an MCP server of this gateway")]
pub struct InvalidTarget;

impl Resource {
    /// Canonicalises an indicator; refuses all that is not an https URL on a host of `gateway`, and the issuer's own host:
    /// as an audience the issuer stands for every service, so naming it would turn one resource into all of them.
    pub fn parse(text: &str, gateway: &Gateway) -> Result<Self, InvalidTarget> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidTarget);
        }
        let (host, path) = split(text).ok_or(InvalidTarget)?;
        let host = gateway.host(host).filter(|host| !gateway.is_issuer(host)).ok_or(InvalidTarget)?;
        // RFC 8707 §2: no fragment; a query has no use here. A path that could be read twice is no name for anything.
        if !is_plain(path) {
            return Err(InvalidTarget);
        }
        Ok(Self(format!("https://{host}{}", path.strip_suffix('/').unwrap_or(path))))
    }

    /// Reads each of several indicators; the result is sorted and has no duplicates.
    pub fn parse_all<'a>(texts: impl Iterator<Item = &'a str>, gateway: &Gateway) -> Result<Vec<Self>, InvalidTarget> {
        let mut all = texts.map(|text| Self::parse(text, gateway)).collect::<Result<Vec<_>, _>>()?;
        all.sort();
        all.dedup();
        Ok(all)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label before the gateway's domain, by which people know an MCP server.
    pub fn service(&self, gateway: &Gateway) -> Option<&str> {
        let (host, _) = split(&self.0)?;
        host.strip_suffix(gateway.base_domain())?.strip_suffix('.')
    }
}

/// Whether a token for `audience` may reach `path` on `host`: the same host, and the audience's path or below it.
pub(crate) fn covers(audience: &str, host: &str, path: &str) -> bool {
    let Some((audience_host, prefix)) = split(audience) else { return false };
    if canonical_host(audience_host).is_none_or(|canonical| canonical != host) {
        return false;
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    // `/mcp/../other` begins with `/mcp` and reaches something else: only plain paths are told apart by prefix.
    prefix.is_empty()
        || is_plain(path) && path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Host (with port) and path of an https URL.
fn split(text: &str) -> Option<(&str, &str)> {
    let scheme = text.get(..8)?;
    let rest = text.get(8..)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    scheme.eq_ignore_ascii_case("https://").then(|| rest.split_at(end))
}

/// A path that every server reads alike: no dot segments, doubled slashes, escapes, query or fragment; no `;` either,
/// for to some servers `..;` is a dot segment with a parameter.
pub(crate) fn is_plain(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@/".contains(&b);
    let doubled = path.contains("//");
    path.bytes().all(plain) && !doubled && path.split('/').all(|segment| segment != "." && segment != "..")
}

#[cfg(test)]
mod tests;
