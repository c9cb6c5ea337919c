//! Form bodies and query strings (RFC 6749 §3.1, §3.2, appendix B).
//!
//! A parameter may appear once, except `resource` (RFC 8707 §2); one without a value counts as absent (RFC 6749 §3.1).
//! Bytes that are not UTF-8 and NUL are refused rather than repaired.

/// Largest body or query that is read; a `private_key_jwt` assertion is the largest legitimate part of one.
pub const MAX_BYTES: usize = 32 * 1024;
const MAX_COUNT: usize = 64;
const MAY_REPEAT: &str = "resource";

/// The parameters of one request, blanks dropped, in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// Why a body or query is not readable. Carries nothing of what was sent: these texts reach logs and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    #[error("the request has more than {MAX_BYTES} bytes of parameters")]
    TooLarge,
    #[error("the request's body did not arrive whole, or not in time")]
    Incomplete,
    #[error("the request has more than {MAX_COUNT} parameters")]
    TooMany,
    #[error("a parameter is not UTF-8")]
    NotUtf8,
    #[error("a parameter contains a NUL character")]
    Nul,
    #[error("a parameter was sent more than once")]
    Repeated,
    #[error("required parameter missing: {0}")]
    Missing(&'static str),
}

impl ParamError {
    /// RFC 9110 §15.5.9, §15.5.14; any other fault is OAuth's 400.
    pub fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::Incomplete => 408,
            _ => 400,
        }
    }
}

impl Params {
    /// Reads `application/x-www-form-urlencoded` bytes: a body, or the query without its `?`.
    pub fn parse(input: &[u8]) -> Result<Self, ParamError> {
        if input.len() > MAX_BYTES {
            return Err(ParamError::TooLarge);
        }
        let mut params = Self::default();
        for pair in input.split(|b| *b == b'&').filter(|p| !p.is_empty()) {
            let (name, value) = split_once(pair);
            params.add(decode(name)?, decode(value)?)?;
        }
        params.0.retain(|(_, value)| !value.is_empty());
        Ok(params)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), ParamError> {
        if self.0.len() == MAX_COUNT {
            return Err(ParamError::TooMany);
        }
        if name != MAY_REPEAT && self.0.iter().any(|(n, _)| *n == name) {
            return Err(ParamError::Repeated);
        }
        self.0.push((name, value));
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of `name`: more than one only for `resource`.
    pub fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn require(&self, name: &'static str) -> Result<&str, ParamError> {
        self.get(name).ok_or(ParamError::Missing(name))
    }
}

fn split_once(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|b| *b == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

/// Form-decodes one name or value (RFC 6749 appendix B). A `%` without two digits stands for itself, as in every browser.
pub(crate) fn decode(input: &[u8]) -> Result<String, ParamError> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((first, tail)) = rest.split_first() {
        let (byte, next) = match (first, tail) {
            (b'+', _) => (b' ', tail),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', tail),
            },
            _ => (*first, tail),
        };
        out.push(byte);
        rest = next;
    }
    if out.contains(&0) {
        return Err(ParamError::Nul);
    }
    String::from_utf8(out).map_err(|_| ParamError::NotUtf8)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests;
