//! Ids, exact to the byte; and the numbers among them that are ours.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::jsonrpc::{Malformed, malformed};

/// The exact text of an id, quotes included: `1` and `"1"` are different.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Bytes);

impl RequestId {
    /// An id that stands by itself.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let raw: &RawValue = serde_json::from_slice(text).map_err(|fault| malformed(&fault))?;
        Self::read(raw, |raw| Bytes::copy_from_slice(raw.get().as_bytes()))
    }

    pub(super) fn read(raw: &RawValue, slice: impl Fn(&RawValue) -> Bytes) -> Result<Self, Malformed> {
        match raw.get().as_bytes() {
            [b'"' | b'-' | b'0'..=b'9', ..] => Ok(Self(slice(raw))),
            _ => Err(Malformed::NotJsonRpc("an id is a string or a number")),
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same id, not sharing the memory of the message it came in.
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// The number, if this is one of the ids that [`super::correlate`] gives out.
    pub fn as_issued(&self) -> Option<u64> {
        issued(&self.0)
    }
}

impl From<u64> for RequestId {
    fn from(issued: u64) -> Self {
        Self(issued.to_string().into())
    }
}

/// A number of ours that somebody quotes. Some servers keep ids and tokens as text, or as a number with a fraction, and
/// the official TypeScript SDK takes them so: `"5"` and `5.0` are 5.
pub fn issued(quoted: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(quoted).ok()?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl std::fmt::Debug for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RequestId({})", String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_ours_is_known_as_text_and_with_a_fraction_too() {
        for quoted in ["5", "\"5\"", "5.0", "\"5.0\""] {
            assert_eq!(issued(quoted.as_bytes()), Some(5), "{quoted}");
        }
        for other in
            ["", "\"\"", "\"", "\"5", "5\"", "+5", "\"+5\"", "-5", "5.5", "5.", ".0", "5e0", "\" 5\"", "\"\\u0035\""]
        {
            assert_eq!(issued(other.as_bytes()), None, "{other}");
        }
    }
}
