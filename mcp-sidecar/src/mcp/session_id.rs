//! Session ids (basic/transports §Session Management): visible ASCII, unguessable.

/// 192 bits as hexadecimal text. Whoever holds it and is its owner speaks in the session, so it is never logged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Box<str>);

impl SessionId {
    /// From bytes of the operating system's generator.
    pub fn from_random(bytes: [u8; 24]) -> Self {
        use std::fmt::Write;
        let mut text = String::with_capacity(48);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// An id as a client presents it. What cannot be one of ours is no id: `None`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let hex = text.len() == 48 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        hex.then(|| std::str::from_utf8(text).ok().map(|text| Self(text.into()))).flatten()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

/// Who a request is from, as the gateway in front says in `X-User-Id`; nobody when there is none.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    user: Option<Box<str>>,
    /// What the child is told about its user ([`super::identity`]): who shows other values is another owner.
    told: Box<[Box<str>]>,
}

impl Owner {
    pub fn nobody() -> Self {
        Self { user: None, told: Box::default() }
    }

    pub fn user(id: &str) -> Self {
        Self { user: Some(id.into()), told: Box::default() }
    }

    #[must_use]
    pub fn told(self, told: Box<[Box<str>]>) -> Self {
        Self { told, ..self }
    }

    /// The user's id.
    pub fn as_str(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Nobody in particular, but whoever has the same told about them.
    #[must_use]
    pub fn anybody(&self) -> Self {
        Self { user: None, told: self.told.clone() }
    }

    pub fn is_somebody(&self) -> bool {
        self.user.is_some()
    }

    /// The same person, whatever the child is told.
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.user == other.user
    }

    pub fn told_values(&self) -> &[Box<str>] {
        &self.told
    }
}

impl std::fmt::Debug for Owner {
    /// Without the values: they are for the child and not for the log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_issued() {
        let id = SessionId::from_random([0xa5; 24]);
        assert_eq!(id.as_str().len(), 48);
        assert_eq!(SessionId::parse(id.as_str().as_bytes()), Some(id));
    }

    #[test]
    fn what_cannot_be_ours_is_no_id() {
        for text in ["", "A5", "../../etc/passwd", &"a".repeat(47), &"A".repeat(48), &"\u{e9}".repeat(24)] {
            assert_eq!(SessionId::parse(text.as_bytes()), None, "{text}");
        }
    }
}
