//! What a child may be told about its user: values of the headers that the gateway in front has verified, in its
//! environment or as arguments. Children are kept apart by those values.
//!
//! Any other header is the client's own word and cannot be chosen. A value never begins an argument, so whatever it
//! is, it cannot become an option: the argument is `PREFIX=VALUE`. A request without the header is refused, because a
//! server started without its user might serve everybody's data.

use super::rejection::Rejection;

/// Longer values are no identity.
const MAX_VALUE: usize = 4096;

/// The headers that Traefik's ForwardAuth sets and strips (traefik/dynamic). Not `X-Auth-Token`: it changes hourly, and
/// belongs in no process list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeader {
    UserId,
    UserName,
    ClientId,
    Scope,
}

impl IdentityHeader {
    pub const ALL: [Self; 4] = [Self::UserId, Self::UserName, Self::ClientId, Self::Scope];

    /// Header names are compared without case (RFC 9110 §5.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.as_str().eq_ignore_ascii_case(name))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserId => "X-User-Id",
            Self::UserName => "X-User-Name",
            Self::ClientId => "X-Client-Id",
            Self::Scope => "X-Scope",
        }
    }
}

/// A header's value and its place in the child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromHeader {
    pub place: Place,
    pub header: IdentityHeader,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The variable of that name.
    Env(String),
    /// One more argument: this text, `=`, the value.
    Arg(String),
}

impl FromHeader {
    /// `NAME=Header`.
    ///
    /// # Errors
    /// What is wrong with it, as a phrase.
    pub fn env(text: &str) -> Result<Self, String> {
        let (name, header) = text.split_once('=').ok_or("is not NAME=Header")?;
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        if !is_name || name.starts_with("MCP_SIDECAR_") {
            return Err(format!("{name:?} cannot be set for a server"));
        }
        Ok(Self { place: Place::Env(name.to_owned()), header: identity_header(header)? })
    }

    /// `PREFIX=Header`.
    ///
    /// # Errors
    /// What is wrong with it, as a phrase.
    pub fn arg(text: &str) -> Result<Self, String> {
        let (prefix, header) =
            text.rsplit_once('=').filter(|(prefix, _)| !prefix.is_empty()).ok_or("is not PREFIX=Header")?;
        Ok(Self { place: Place::Arg(prefix.to_owned()), header: identity_header(header)? })
    }
}

fn identity_header(name: &str) -> Result<IdentityHeader, String> {
    IdentityHeader::parse(name).ok_or_else(|| {
        let verified = IdentityHeader::ALL.map(IdentityHeader::as_str).join(", ");
        format!("{name:?} is no header that the gateway verifies; those are {verified}")
    })
}

/// Values as the request has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity<'a> {
    pub user_id: Option<&'a [u8]>,
    pub user_name: Option<&'a [u8]>,
    pub client_id: Option<&'a [u8]>,
    pub scope: Option<&'a [u8]>,
}

/// The values for `places`, in their order.
///
/// # Errors
/// A header that is needed is missing, or no plain text.
pub fn values(places: &[FromHeader], identity: Identity<'_>) -> Result<Box<[Box<str>]>, Rejection> {
    let value = |place: &FromHeader| {
        let given = match place.header {
            IdentityHeader::UserId => identity.user_id,
            IdentityHeader::UserName => identity.user_name,
            IdentityHeader::ClientId => identity.client_id,
            IdentityHeader::Scope => identity.scope,
        };
        let name = place.header.as_str();
        plain(given.ok_or(Rejection::IdentityRequired(name))?).map(Box::from).ok_or(Rejection::HeaderUnreadable(name))
    };
    places.iter().map(value).collect()
}

/// Control characters have no place in an environment: a NUL would cut it, a newline forge a line.
fn plain(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    let is_plain = !text.is_empty() && text.len() <= MAX_VALUE && !text.chars().any(char::is_control);
    is_plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_that_the_gateway_verifies_can_be_chosen() {
        for name in ["X-User-Id", "x-user-name", "X-CLIENT-ID", "X-Scope"] {
            assert!(FromHeader::env(&format!("A={name}")).is_ok(), "{name}");
            assert!(FromHeader::arg(&format!("--a={name}")).is_ok(), "{name}");
        }
        for name in ["Authorization", "X-Auth-Token", "X_User_Id", "X-Forwarded-For", "Cookie", ""] {
            assert!(FromHeader::env(&format!("A={name}")).is_err(), "{name}");
            assert!(FromHeader::arg(&format!("--a={name}")).is_err(), "{name}");
        }
    }

    #[test]
    fn a_variable_needs_a_name_and_an_argument_a_beginning() {
        for odd in ["X-User-Id", "=X-User-Id", "1A=X-User-Id", "A B=X-User-Id", "MCP_SIDECAR_COOKIE=X-User-Id"] {
            assert!(FromHeader::env(odd).is_err(), "{odd}");
        }
        for odd in ["X-User-Id", "=X-User-Id"] {
            assert!(FromHeader::arg(odd).is_err(), "{odd}");
        }
        let nested = FromHeader::arg("--set=user.id=X-User-Id").unwrap();
        assert_eq!(
            nested,
            FromHeader { place: Place::Arg("--set=user.id".to_owned()), header: IdentityHeader::UserId }
        );
    }

    #[test]
    fn a_value_that_is_missing_or_not_plain_text_is_refused() {
        let places = [FromHeader::env("A=X-User-Id").unwrap()];
        let of = |value| values(&places, Identity { user_id: value, ..Identity::default() });
        assert_eq!(of(None).unwrap_err(), Rejection::IdentityRequired("X-User-Id"));
        for odd in [&b""[..], b" ", b"a\0b", b"a\nb", b"a\x1bb", b"\xff", "a\u{85}b".as_bytes(), &[b'x'; MAX_VALUE + 1]]
        {
            assert_eq!(of(Some(odd)).unwrap_err(), Rejection::HeaderUnreadable("X-User-Id"), "{odd:?}");
        }
        assert_eq!(of(Some("--déjà vu; rm -rf / ".as_bytes())).unwrap()[..], [Box::<str>::from("--déjà vu; rm -rf /")]);
    }

    #[test]
    fn what_is_not_asked_for_is_not_looked_at() {
        let identity = Identity { user_name: Some(b"\0"), ..Identity::default() };
        assert!(values(&[], identity).unwrap().is_empty());
    }
}
