//! Reads what a message is while it passes by, for messages that are too long to be kept: which request it answers, or
//! under which id it asks. Only the members of the outermost object count, wherever they are: an `"id"` in a result is
//! somebody's data.

use super::jsonrpc::RequestId;

/// Longer keys are none that matter.
const MAX_KEY: usize = 24;
/// A question with a longer id is not worth an answer.
const MAX_ID: usize = 256;

/// What a message was that nobody has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The answer to the request that `correlate` gave this number.
    Answer(u64),
    /// A request, whose sender waits for an answer under this id.
    Question(RequestId),
    /// A notification, or nothing that can be read.
    Other,
}

impl Passed {
    /// The number of ours that it answers.
    pub fn answers(&self) -> Option<u64> {
        if let Self::Answer(number) = self { Some(*number) } else { None }
    }

    /// The id under which an answer is waited for.
    pub fn asks(&self) -> Option<&RequestId> {
        if let Self::Question(id) = self { Some(id) } else { None }
    }
}

/// One message, as far as it has passed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Skim {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// After the colon of a member of the outermost object.
    in_value: bool,
    is_id: bool,
    is_method: bool,
    is_question: bool,
    is_answer: bool,
    is_json_rpc: bool,
    /// The key, or the value of `id`, so far.
    token: Vec<u8>,
    id: Option<RequestId>,
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
            _ if self.escaped => {
                self.escaped = false;
                self.keep(byte);
            }
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
        if self.depth == 1 && std::mem::take(&mut self.is_method) {
            // One that is null is none.
            self.is_question |= byte == b'"';
        }
        // One byte more tells that it is longer.
        let most = if self.is_id { MAX_ID } else { MAX_KEY };
        if self.depth == 1 && self.token.len() <= most && (!self.in_value || self.is_id) {
            self.token.push(byte);
        }
    }

    fn begins_value(&mut self) {
        self.is_id = self.token == b"\"id\"";
        self.is_method = self.token == b"\"method\"";
        self.is_json_rpc |= self.token == b"\"jsonrpc\"";
        self.is_answer |= self.token == b"\"result\"" || self.token == b"\"error\"";
        self.in_value = true;
        self.token.clear();
    }

    fn ends_member(&mut self) {
        if self.depth != 1 {
            return;
        }
        if self.is_id {
            self.id = Some(&self.token).filter(|token| token.len() <= MAX_ID).and_then(|id| RequestId::parse(id).ok());
        }
        self.is_id = false;
        self.in_value = false;
        self.token.clear();
    }

    /// Whether it says of itself that it is JSON-RPC 2.0, or wants to: 1.0 had no such member.
    pub fn is_json_rpc(&self) -> bool {
        self.is_json_rpc
    }

    /// What it was, once all of it has passed.
    pub fn passed(self) -> Passed {
        match self.id {
            Some(id) if self.is_question => Passed::Question(id),
            Some(id) if self.is_answer => id.as_issued().map_or(Passed::Other, Passed::Answer),
            _ => Passed::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn passed(text: &str) -> Passed {
        let of = |pieces: &[&[u8]]| {
            let mut skim = Skim::default();
            pieces.iter().for_each(|piece| skim.pass(piece));
            skim.passed()
        };
        let whole = of(&[text.as_bytes()]);
        for at in (0..text.len()).filter(|at| *at < 200) {
            let (head, tail) = text.as_bytes().split_at(at);
            assert_eq!(of(&[head, tail]), whole, "{text} split at {at}");
        }
        whole
    }

    fn question(id: &str) -> Passed {
        Passed::Question(RequestId::parse(id.as_bytes()).unwrap())
    }

    #[test]
    fn the_id_is_found_wherever_it_is() {
        for text in [
            r#"{"jsonrpc":"2.0","id":17,"result":{"content":[{"text":"xxx"}]}}"#,
            r#"{"result":{"content":[{"text":"xxx"}]},"jsonrpc":"2.0","id":17}"#,
            r#" { "result" : [ 1, "a" ] , "id" : 17 } "#,
            r#"{"error":{"code":-1,"message":"\"},"},"id":17,"jsonrpc":"2.0"}"#,
            r#"{"result":[{"id":18}],"id":"17","method":null,"error":null}"#,
        ] {
            assert_eq!(passed(text), Passed::Answer(17), "{text}");
        }
    }

    #[test]
    fn an_id_inside_a_result_or_a_text_is_somebodys_data() {
        for text in [
            r#"{"jsonrpc":"2.0","result":{"id":17,"x":{"id":18}}}"#,
            r#"{"jsonrpc":"2.0","result":"\",\"id\":17,\""}"#,
            r#"{"result":{"a":"\\"},"ID":17}"#,
            r#"{"result":[{"id":17}],"id":"x"}"#,
            r#"{"id":17,"level":"info","text":"a line of a log"}"#,
            r#"{"id":null,"error":{"id":17}}"#,
            r#"{"id":17.5,"result":0}"#,
            r#"{"id":-17,"result":0}"#,
            r#"{"id":017,"result":0}"#,
            r#"{"id":+17,"result":0}"#,
            r#"[{"id":17,"result":0}]"#,
            r#"no JSON, "id":17,"#,
        ] {
            assert_eq!(passed(text), Passed::Other, "{text}");
        }
        assert_eq!(passed(r#"{"result":{"id":1,"text":"\\\"id\":2,"},"id":3}"#), Passed::Answer(3));
    }

    #[test]
    fn a_question_of_the_child_has_its_own_id_byte_for_byte() {
        for id in [
            "17",
            "\"17\"",
            "1.0",
            "-0",
            "1e999",
            "\"\\u0031 \\\"}\"",
            "\"\u{e9} ,:\"",
            &format!("\"{}\"", "x".repeat(254)),
        ] {
            assert_eq!(passed(&format!(r#"{{"id": {id} ,"method":"x","params":{{"id":1}}}}"#)), question(id));
            assert_eq!(passed(&format!(r#"{{"params":{{"method":1}},"method":"x","id":{id}}}"#)), question(id));
        }
        assert_eq!(passed(r#"{"id":17,"result":{"method":"x"}}"#), Passed::Answer(17));
    }

    #[test]
    fn a_question_whose_id_is_huge_or_none_is_not_answered() {
        let huge = format!("\"{}\"", "x".repeat(255));
        for id in [huge.as_str(), &"1".repeat(1000), "null", "true", "{}", "[1]", "x", "\"", "", "\"\u{1}\""] {
            assert_eq!(passed(&format!(r#"{{"method":"x","id":{id}}}"#)), Passed::Other, "{id:.20}");
        }
        let mut not_text = Skim::default();
        not_text.pass(b"{\"method\":\"x\",\"id\":\"\xff\"}");
        assert_eq!(not_text.passed(), Passed::Other);
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
        assert!(skim.token.capacity() <= 2 * MAX_ID);
        assert_eq!(skim.passed(), Passed::Answer(1));
        let mut skim = Skim::default();
        skim.pass(br#"{"method":"x","id":""#);
        (0..1000).for_each(|_| skim.pass(&[b'x'; 10_000]));
        assert!(skim.token.capacity() <= 4 * MAX_ID);
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
            prop_assert_eq!(passed(&line), Passed::Answer(u64::from(id)));
        }

        #[test]
        fn what_has_no_id_answers_nothing(params in any_json()) {
            prop_assert_eq!(passed(&format!("{{\"jsonrpc\":\"2.0\",\"params\":{params}}}")), Passed::Other);
        }

        #[test]
        fn a_question_is_recognised_whatever_it_carries(params in any_json(), id: String, first: bool) {
            let id = Value::from(id).to_string();
            prop_assume!(id.len() <= MAX_ID);
            let (id_member, params_member) = (format!("\"id\":{id}"), format!("\"params\":{params}"));
            let members = if first { [id_member, params_member] } else { [params_member, id_member] };
            let line = format!("{{\"method\":\"x\",{}}}", members.join(","));
            prop_assert_eq!(passed(&line), question(&id));
        }
    }
}
