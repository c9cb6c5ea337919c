//! Headers that repeat what the body says (2026-07-28 basic/transports/streamable-http §Value Encoding): plain visible
//! ASCII, or `=?base64?…?=`.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

/// One such header, as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mirror<'a> {
    #[default]
    Absent,
    Value(&'a [u8]),
    /// Two readers could believe two values.
    Repeated,
}

impl<'a> Mirror<'a> {
    pub fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Value(value),
            Self::Value(_) | Self::Repeated => Self::Repeated,
        };
    }

    pub fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    /// What the header says, never decoded.
    ///
    /// # Errors
    /// [`HeaderMismatch`]
    pub fn plain(&self, name: &str) -> Result<&'a str, HeaderMismatch> {
        match self {
            Self::Absent => Err(HeaderMismatch::Missing(name.to_owned())),
            Self::Repeated => Err(HeaderMismatch::Repeated(name.to_owned())),
            Self::Value(value) => visible(value).ok_or_else(|| HeaderMismatch::Unreadable(name.to_owned())),
        }
    }

    /// What the header stands for.
    ///
    /// # Errors
    /// [`HeaderMismatch`]
    pub fn decoded(&self, name: &str) -> Result<Cow<'a, str>, HeaderMismatch> {
        let text = self.plain(name)?;
        match text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
            None => Ok(Cow::Borrowed(text)),
            Some(encoded) => {
                let bytes = STANDARD.decode(encoded).ok();
                let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                text.map(Cow::Owned).ok_or_else(|| HeaderMismatch::Unreadable(name.to_owned()))
            }
        }
    }
}

/// Why headers and body of a request do not go together. Names are those of the headers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderMismatch {
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0} is given more than once")]
    Repeated(String),
    #[error("{0} is neither visible ASCII nor =?base64?…?= with text in it")]
    Unreadable(String),
    #[error("{0} is given, but the body has no such text")]
    Unfounded(String),
    #[error("{name} header value '{header}' does not match body value '{body}'")]
    Different { name: String, header: Quoted, body: Quoted },
}

/// A client's own text in a message to that client: cut short, without control characters, and not for the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    const AT_MOST: usize = 64;

    pub fn new(text: &str) -> Self {
        let mut quoted: String = text.chars().take(Self::AT_MOST).flat_map(char::escape_debug).collect();
        if text.chars().nth(Self::AT_MOST).is_some() {
            quoted.push('…');
        }
        Self(quoted)
    }
}

impl std::fmt::Display for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Quoted([redacted])")
    }
}

/// # Errors
/// [`HeaderMismatch::Different`]
pub fn same(name: &str, header: &str, body: &str) -> Result<(), HeaderMismatch> {
    if header == body {
        return Ok(());
    }
    let (header, body) = (Quoted::new(header), Quoted::new(body));
    Err(HeaderMismatch::Different { name: name.to_owned(), header, body })
}

/// RFC 9110 §5.5: white space around a field's value is no part of it.
fn visible(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &[u8]) -> Option<String> {
        Mirror::Value(value).decoded("X").ok().map(Cow::into_owned)
    }

    #[test]
    fn the_examples_of_the_specification_are_read_as_it_says() {
        for (header, value) in [
            ("us-west1", "us-west1"),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
            ("=?base64?IHBhZGRlZCA=?=", " padded "),
            ("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2"),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
        ] {
            assert_eq!(read(header.as_bytes()).as_deref(), Some(value), "{header}");
        }
    }

    #[test]
    fn half_a_sentinel_or_one_in_capitals_is_plain_text() {
        for plain in
            ["SGVsbG8=", "=?base64?SGVsbG8=", "SGVsbG8=?=", "=?BASE64?SGVsbG8=?=", "=?base64?=", "=?utf-8?b?eA==?="]
        {
            assert_eq!(read(plain.as_bytes()).as_deref(), Some(plain));
        }
    }

    #[test]
    fn what_is_not_base64_of_text_is_refused() {
        for wrong in ["SGVsbG8", "SGVs!!!bG8=", "SGVsbG8==", "SGVs bG8=", "_-8=", "/w==", "SGVsbG9="] {
            assert_eq!(read(format!("=?base64?{wrong}?=").as_bytes()), None, "{wrong}");
        }
        assert_eq!(read(b"=?base64??=").as_deref(), Some(""));
    }

    #[test]
    fn white_space_around_a_value_is_no_part_of_it_and_bytes_that_cannot_be_seen_are_refused() {
        assert_eq!(read(b" \techo ").as_deref(), Some("echo"));
        for invalid in ["caf\u{e9}".as_bytes(), b"a\0b", b"a\x7f", b"\xff", "\u{a0}x".as_bytes()] {
            assert_eq!(read(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn a_header_given_twice_says_nothing() {
        let mut twice = Mirror::Value(b"a");
        twice.add(b"a");
        assert_eq!(twice.decoded("X"), Err(HeaderMismatch::Repeated("X".into())));
    }

    #[test]
    fn what_a_client_said_is_told_back_short_and_without_line_breaks_and_never_logged() {
        let fault = same("Mcp-Name", "foo", &format!("a\n'{}", "b".repeat(1 << 20))).unwrap_err();
        let told = fault.to_string();
        assert!(told.starts_with(r"Mcp-Name header value 'foo' does not match body value 'a\n\'bbb"), "{told}");
        assert!(told.len() < 200 && told.ends_with("…'"), "{told}");
        assert!(!format!("{fault:?}").contains("foo"));
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_read_back(text in any::<String>()) {
            let header = format!("=?base64?{}?=", STANDARD.encode(&text));
            prop_assert_eq!(read(header.as_bytes()), Some(text));
        }

        #[test]
        fn no_bytes_break_the_reader(value in any::<Vec<u8>>()) {
            let _ = read(&value);
        }
    }
}
