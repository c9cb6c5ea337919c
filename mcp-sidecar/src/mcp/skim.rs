//! Reads which request a message answers while it passes by, for messages that are too long to be kept. Only the
//! members of the outermost object count, wherever they are: an `"id"` in a result is somebody's data.

/// Longer keys and ids are none of ours.
const MAX_TOKEN: usize = 24;

/// One message, as far as it has passed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Skim {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// After the colon of a member of the outermost object.
    in_value: bool,
    is_id: bool,
    is_question: bool,
    /// The key, or the value of `id`, so far.
    token: Vec<u8>,
    id: Option<u64>,
}

impl Skim {
    pub fn pass(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string && !self.escaped && self.depth > 1 {
                // Nearly all of a long message is text deep inside: nothing but its end is of interest.
                match memchr::memchr2(b'"', b'\\', &bytes[at..]) {
                    Some(plain) => at += plain,
                    None => return,
                }
            }
            self.step(bytes[at]);
            at += 1;
        }
    }

    fn step(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => {
                self.escaped = true;
                self.keep(byte);
            }
            b'"' => {
                self.in_string = !self.in_string;
                self.keep(byte);
            }
            _ if self.in_string => self.keep(byte),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.ends_member();
                self.depth = self.depth.saturating_sub(1);
            }
            b',' => self.ends_member(),
            b':' if self.depth == 1 => self.begins_value(),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.token.len() < MAX_TOKEN && (!self.in_value || self.is_id) {
            self.token.push(byte);
        }
    }

    fn begins_value(&mut self) {
        self.is_id = self.token == b"\"id\"";
        self.is_question |= self.token == b"\"method\"";
        self.in_value = true;
        self.token.clear();
    }

    fn ends_member(&mut self) {
        if self.depth != 1 {
            return;
        }
        if self.is_id {
            self.id = std::str::from_utf8(&self.token).ok().and_then(|text| text.parse().ok());
        }
        self.is_id = false;
        self.in_value = false;
        self.token.clear();
    }

    /// The number that this message is the answer to, as `correlate` gave it out.
    pub fn answers(&self) -> Option<u64> {
        self.id.filter(|_| !self.is_question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn answers(text: &str) -> Option<u64> {
        let mut whole = Skim::default();
        whole.pass(text.as_bytes());
        for at in (0..text.len()).filter(|at| *at < 200) {
            let mut pieces = Skim::default();
            pieces.pass(&text.as_bytes()[..at]);
            pieces.pass(&text.as_bytes()[at..]);
            assert_eq!(pieces.answers(), whole.answers(), "{text} split at {at}");
        }
        whole.answers()
    }

    #[test]
    fn the_id_is_found_wherever_it_is() {
        for text in [
            r#"{"jsonrpc":"2.0","id":17,"result":{"content":[{"text":"xxx"}]}}"#,
            r#"{"result":{"content":[{"text":"xxx"}]},"jsonrpc":"2.0","id":17}"#,
            r#" { "result" : [ 1, "a" ] , "id" : 17 } "#,
            r#"{"error":{"code":-1,"message":"\"},"},"id":17,"jsonrpc":"2.0"}"#,
        ] {
            assert_eq!(answers(text), Some(17), "{text}");
        }
    }

    #[test]
    fn an_id_inside_a_result_or_a_text_is_somebodys_data() {
        for text in [
            r#"{"jsonrpc":"2.0","result":{"id":17,"x":{"id":18}}}"#,
            r#"{"jsonrpc":"2.0","result":"\",\"id\":17,\""}"#,
            r#"{"result":{"a":"\\"},"ID":17}"#,
            r#"{"result":[{"id":17}],"id":"17"}"#,
            r#"{"id":null,"error":{"id":17}}"#,
            r#"{"id":17.5,"result":0}"#,
            r#"{"id":-17,"result":0}"#,
            r#"[{"id":17,"result":0}]"#,
            r#"no JSON, "id":17,"#,
        ] {
            assert_eq!(answers(text), None, "{text}");
        }
        assert_eq!(answers(r#"{"result":{"id":1,"text":"\\\"id\":2,"},"id":3}"#), Some(3));
    }

    #[test]
    fn a_question_of_the_child_answers_nothing() {
        assert_eq!(answers(r#"{"id":17,"method":"sampling/createMessage","params":{}}"#), None);
        assert_eq!(answers(r#"{"params":{},"method":"x","id":17}"#), None);
        assert_eq!(answers(r#"{"id":17,"result":{"method":"x"}}"#), Some(17));
    }

    #[test]
    fn endless_text_is_not_kept() {
        let mut skim = Skim::default();
        skim.pass(br#"{"id":1,"result":{"text":""#);
        for _ in 0..1000 {
            skim.pass(&[b'x'; 10_000]);
            skim.pass(b"\"");
            skim.pass(b",\"");
        }
        assert!(skim.token.capacity() <= 2 * MAX_TOKEN);
        assert_eq!(skim.answers(), Some(1));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<u32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\"\\\\{}\\[\\]:,id0-9]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(prop_oneof![Just("id".to_owned()), any::<String>()], inner, 0..4)
                    .prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_answer_is_recognised_whatever_it_carries(result in any_json(), id in any::<u32>(), first: bool) {
            let (id_member, result_member) = (format!("\"id\":{id}"), format!("\"result\":{result}"));
            let members = if first { [id_member, result_member] } else { [result_member, id_member] };
            let line = format!("{{\"jsonrpc\":\"2.0\",{}}}", members.join(","));
            prop_assert_eq!(answers(&line), Some(u64::from(id)));
        }

        #[test]
        fn what_has_no_id_answers_nothing(params in any_json()) {
            prop_assert_eq!(answers(&format!("{{\"jsonrpc\":\"2.0\",\"params\":{params}}}")), None);
        }
    }
}
