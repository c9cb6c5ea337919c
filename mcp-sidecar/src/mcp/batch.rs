//! The messages of a batch (JSON-RPC 2.0 §6), so many and no more: `[1,1,1,…` would take eight times its size.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::jsonrpc::Malformed;

/// Of a client (2025-03-26 only).
pub const MAX_BATCH: usize = 100;
/// Of a server, which may collect its answers to many.
pub(super) const MAX_SERVER_BATCH: usize = 10_000;
const TOO_MANY: &str = "a batch may have at most 100 messages (a server's: 10000)";

pub(super) fn is_batch(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"[")
}

/// # Errors
/// That it is no JSON, is empty, or has more than `most`.
pub(super) fn members(text: &str, most: usize) -> Result<Vec<&RawValue>, Malformed> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_seq(AtMost(most)).and_then(|members| json.end().map(|()| members));
    match members {
        Ok(members) if members.is_empty() => Err(Malformed::NotJsonRpc("a batch must not be empty")),
        Ok(members) => Ok(members),
        // Anything that is JSON can be a member.
        Err(fault) if fault.is_data() => Err(Malformed::NotJsonRpc(TOO_MANY)),
        Err(_) => Err(Malformed::NotJson),
    }
}

struct AtMost(usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut batch: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = batch.next_element()? {
            if members.len() == self.0 {
                return Err(A::Error::custom("too many"));
            }
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Result<usize, Malformed> {
        members(text, 3).map(|members| members.len())
    }

    #[test]
    fn members_are_counted_before_all_are_read() {
        assert_eq!((counted("[1]"), counted(" [ {} , [],null ] ")), (Ok(1), Ok(3)));
        let too_many = Err(Malformed::NotJsonRpc(TOO_MANY));
        assert_eq!((counted("[1,2,3,4]"), counted("[1,2,3,4,")), (too_many, too_many));
        assert_eq!(counted("[]"), Err(Malformed::NotJsonRpc("a batch must not be empty")));
    }

    #[test]
    fn what_is_no_json_has_no_members() {
        for text in ["[", "[1", "[1,]", "[1] 2", "[1 2]", "[nul]", "{}"] {
            assert!(counted(text).is_err(), "{text}");
        }
        assert_eq!(counted("[1] 2"), Err(Malformed::NotJson));
    }

    #[test]
    fn members_are_the_text_that_they_were() {
        let text = r#"[ {"id": 1.0,"a":"\u0061"} ,7]"#;
        let texts: Vec<_> = members(text, 2).unwrap().into_iter().map(RawValue::get).collect();
        assert_eq!(texts, [r#"{"id": 1.0,"a":"\u0061"}"#, "7"]);
    }
}
