//! An answer that cannot be read: its call fails at once and is told why, or else would wait until `--call-timeout`.

use bytes::Bytes;

use super::compose;
use super::jsonrpc::{self, Malformed, Message, Outcome, Response, without_mark};
use super::skim::Skim;

/// What takes the place of a child's line that is no message: of a batch, its members that can be read stay.
pub fn in_place_of(line: &Bytes, why: Malformed) -> Vec<Message> {
    let Some(members) = jsonrpc::batched(line) else { return failed(line, why).into_iter().collect() };
    let read = |member| Message::parse(member).or_else(|why| failed(member, why).ok_or(why));
    members.iter().filter_map(|member| read(member).ok()).collect()
}

/// The answer to whoever waits for this one, if it was meant as an answer to us. What a server says of its messages in its
/// own words, `sent {…}`, is none, nor what it heard from others, as of JSON-RPC 1.0: the answer is still to come.
fn failed(line: &[u8], why: Malformed) -> Option<Message> {
    let text = without_mark(line);
    text.trim_ascii_start().starts_with(b"{").then_some(())?;
    let mut skim = Skim::default();
    skim.pass(text);
    let number = skim.is_json_rpc().then_some(skim)?.passed().answers()?;
    let message = match why {
        Malformed::NotJsonRpc(why) => format!("the MCP server's answer is not JSON-RPC: {why}"),
        Malformed::NotJson | Malformed::TooDeep => "the MCP server's answer is not JSON".to_owned(),
    };
    let outcome = Outcome::Error(compose::internal_error(&message, "message_malformed"));
    Some(Message::Response(Response { id: Some(number.into()), outcome }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::jsonrpc::Incoming;
    use serde_json::Value;

    fn read(line: &[u8]) -> Vec<Message> {
        let line = Bytes::copy_from_slice(line);
        let why = Incoming::parse_line(&line).expect_err("no message");
        in_place_of(&line, why)
    }

    /// Which call fails, and what it is told.
    fn failed(line: &[u8]) -> Option<(u64, String)> {
        failure(read(line).first()?)
    }

    fn failure(message: &Message) -> Option<(u64, String)> {
        let Message::Response(response) = message else { panic!("no answer") };
        let Outcome::Error(error) = &response.outcome else { panic!("no error") };
        let error: Value = serde_json::from_slice(error).unwrap();
        assert_eq!((&error["code"], &error["data"]["reason"]), (&(-32603).into(), &"message_malformed".into()));
        Some((response.answers()?, error["message"].as_str()?.to_owned()))
    }

    #[test]
    fn an_answer_that_cannot_be_read_fails_its_call_and_says_why() {
        for (line, why) in [
            (r#"{"jsonrpc":"1.0","id":"5","result":{}}"#, "not JSON-RPC: jsonrpc must be \"2.0\""),
            (r#"{"jsonrpc":"2.0","id":5,"error":"text"}"#, "not JSON-RPC: an error is an object"),
            (r#"{"jsonrpc":"2.0","id":5,"error":null}"#, "not JSON-RPC: a message is a request"),
            (r#"{"jsonrpc":"2.0","id":5,"result":1,"error":{}}"#, "not JSON-RPC: a message is a request"),
            (r#"{"jsonrpc":"2.0","id":5,"result":1,"result":2}"#, "not JSON-RPC: a message is an object without"),
            ("\u{feff} {\"jsonrpc\":2,\"id\":5,\"result\":{}}", "not JSON-RPC: jsonrpc must be \"2.0\""),
            (r#"{"jsonrpc":"2.0","id":5,"result":{"x":NaN}}"#, "not JSON"),
            (r#"{"jsonrpc":"2.0","id":5,"result":{}} {"#, "not JSON"),
            (r#"{"jsonrpc":"2.0","id":5,"result":{"cut": "of"#, "not JSON"),
        ] {
            let (number, message) = failed(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(number, 5);
            assert!(message.starts_with(&format!("the MCP server's answer is {why}")), "{line}: {message}");
        }
        assert!(failed(b"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":\"\xff\"}").is_some());
    }

    #[test]
    fn what_answers_nothing_fails_no_call() {
        for line in [
            "junk",
            r#"sent {"jsonrpc":"2.0","id":5,"result":{}}"#,
            r#"[{"result":"0x10","error":null,"id":5}, 5, [{"jsonrpc":"2.0","id":5,"error":0}], null]"#,
            r#"[{"jsonrpc":"2.0","id":5,"error":0}, "#,
            "[]",
            r#"{"result":"0x10","error":null,"id":5}"#,
            r#"{"id":5,"result":{"jsonrpc":"2.0"}}"#,
            r#"{"id":5,"level":"info","message":"a line of a log"}"#,
            r#"{"jsonrpc":1,"id":5,"method":"POST","result":"a line of a log"}"#,
            r#"{"jsonrpc":"1.0","id":"x","result":{}}"#,
            r#"{"jsonrpc":"1.0","result":{"id":5,"error":1}}"#,
            r#"{'jsonrpc': '2.0', 'id': 5, 'result': {}}"#,
        ] {
            assert_eq!(failed(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn of_a_batch_with_something_unreadable_in_it_the_rest_is_read() {
        let one = r#"{"jsonrpc":"2.0","id":1,"result":{"exact":1.50}}"#;
        let said = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
        let bad = r#"{"jsonrpc":"2.0","id":2,"error":"text"}"#;
        let messages = read(format!(" [{one} ,7, {bad},\t{said}]\r").as_bytes());
        let parsed = |line: &str| Message::parse(&Bytes::copy_from_slice(line.as_bytes())).unwrap();
        assert_eq!(messages.len(), 3);
        assert_eq!((&messages[0], &messages[2]), (&parsed(one), &parsed(said)));
        let (number, why) = failure(&messages[1]).unwrap();
        assert_eq!((number, why.as_str()), (2, "the MCP server's answer is not JSON-RPC: an error is an object"));
    }
}
