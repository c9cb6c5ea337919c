//! Redirect URIs (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1): what may be registered, what matches.
//!
//! https; http on loopback; private-use schemes of native apps. Never a scheme that a browser runs or opens itself.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Shows the code to the person to copy; from before RFC 8252, still used by command line clients.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
const MAX_LENGTH: usize = 2048;
/// Schemes that a browser executes, reads locally, or treats as part of itself.
const FORBIDDEN: [&str; 14] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "about",
    "filesystem",
    "view-source",
    "ws",
    "wss",
    "ftp",
    "jar",
    "chrome",
    "mailto",
];

/// A redirect URI that passed [`RedirectUri::parse`]; kept as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why a redirect URI is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    #[error("a redirect URI is not an absolute URI of at most 2048 visible ASCII characters")]
    Malformed,
    #[error("a redirect URI must not have a fragment")]
    Fragment,
    #[error("a redirect URI must not name a user or password")]
    UserInfo,
    #[error("a redirect URI uses http on a host that is not localhost, 127.0.0.1 or [::1]")]
    PlainHttp,
    #[error("a redirect URI uses a scheme that is not allowed")]
    Scheme,
}

impl RedirectUri {
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text == OUT_OF_BAND {
            return Ok(Self(text.to_owned()));
        }
        // Browsers drop tabs and newlines and read «\» as «/»: what is compared must be what is opened.
        let visible = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        if !visible || text.len() > MAX_LENGTH {
            return Err(RedirectUriError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        // RFC 6749 §3.1.2: no fragment.
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        check_scheme(&url)?;
        check_authority(text, &url)?;
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_out_of_band(&self) -> bool {
        self.0 == OUT_OF_BAND
    }

    /// `http` on this machine: any program there may be listening.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "http")
    }

    /// The same text for all URIs that [`Self::matches`] takes for each other.
    pub fn without_loopback_port(&self) -> String {
        split_loopback(&self.0).map_or_else(|| self.0.clone(), |(host, tail)| format!("http://{host}{tail}"))
    }

    /// Whether `requested` is this registered URI: equal as text, or differing in a loopback port only (RFC 8252 §7.3).
    pub fn matches(&self, requested: &Self) -> bool {
        self.0 == requested.0 || same_but_for_loopback_port(&self.0, &requested.0)
    }

    /// What the consent page shows plainly: the host, or the scheme of an app.
    pub fn display_host(&self) -> String {
        let Ok(url) = Url::parse(&self.0) else { return self.0.clone() };
        match (url.host_str(), url.scheme()) {
            (Some(host), "http" | "https") => host.to_owned(),
            (_, scheme) => format!("{scheme}:"),
        }
    }

    /// The Location of a response: this URI with `pairs` added to its query (RFC 6749 §4.1.2). Values are encoded.
    pub fn with(&self, pairs: &[(&str, &str)]) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let joint = match self.0.split_once('?') {
            None => "?",
            Some((_, existing)) if existing.is_empty() || existing.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{query}", self.0)
    }
}

fn check_scheme(url: &Url) -> Result<(), RedirectUriError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback_host(url) => Ok(()),
        "http" => Err(RedirectUriError::PlainHttp),
        scheme if FORBIDDEN.contains(&scheme) || scheme.starts_with("ms-") => Err(RedirectUriError::Scheme),
        // RFC 8252 §7.1: a private-use scheme; `urn:` names nothing that could be opened.
        "urn" => Err(RedirectUriError::Scheme),
        _ => Ok(()),
    }
}

fn check_authority(text: &str, url: &Url) -> Result<(), RedirectUriError> {
    let web = matches!(url.scheme(), "http" | "https");
    let after_scheme = text.split_once(':').map_or("", |(_, rest)| rest);
    // `https:host` and `https:///host` are repaired by browsers; refused, so that the text says what it is.
    if web && (!after_scheme.starts_with("//") || after_scheme.starts_with("///")) {
        return Err(RedirectUriError::Malformed);
    }
    // Also an empty one («https://@host»), which the parser drops silently.
    let authority = after_scheme.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
    if authority.is_some_and(|a| a.contains('@')) { Err(RedirectUriError::UserInfo) } else { Ok(()) }
}

fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn same_but_for_loopback_port(registered: &str, requested: &str) -> bool {
    match (split_loopback(registered), split_loopback(requested)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => false,
    }
}

/// Host and everything after the port of an http loopback URI, compared as text: nothing is normalised, nothing hidden.
fn split_loopback(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = ["localhost", "127.0.0.1", "[::1]"].into_iter().find(|host| authority.starts_with(host))?;
    let port = &authority[host.len()..];
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    is_port.then_some((host, tail))
}

#[cfg(test)]
mod tests;
