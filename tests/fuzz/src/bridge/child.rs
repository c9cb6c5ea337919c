//! What the child of the bridge says: answers, questions, and what is about requests that it is at.

use std::time::Duration;

use bytes::Bytes;
use mcp_sidecar::mcp::{
    bridge::Event,
    jsonrpc::{Message, Outcome, RequestId, Response},
    lines::TooLong,
    skim::Passed,
};
use serde_json::{Value, json};

use super::{IDS, World};

/// A request as the child knows it.
pub(super) struct AtChild {
    pub(super) id: Bytes,
    /// Which request it is.
    pub(super) number: usize,
    pub(super) listens: bool,
    /// The child has answered it, or it was another child.
    pub(super) over: bool,
    pub(super) cancelled: Option<Duration>,
}

impl World {
    /// Whatever it was asked, also once more, or what nobody asked.
    pub(super) fn child_answers(&mut self, which: usize, quote: &str, outcome: fn(Bytes) -> Outcome) {
        let (id, number) = match which.checked_rem(self.at_child.len()) {
            // None of ours: what a server guesses for a call that it has not seen is its own answer all the same.
            None => ("0".to_owned(), usize::MAX),
            Some(at) => {
                self.child_is_done_with(at);
                let AtChild { id, number, .. } = &self.at_child[at];
                (format!("{quote}{}{quote}", String::from_utf8_lossy(id)), *number)
            }
        };
        self.child_says(Some(RequestId::parse(id.as_bytes()).expect("an id")), number, outcome);
    }

    fn child_says(&mut self, id: Option<RequestId>, number: usize, outcome: fn(Bytes) -> Outcome) {
        let said = json!({ "number": number, "protocolVersion": "2025-11-25" }).to_string();
        self.feed(Event::Child(Message::Response(Response { id, outcome: outcome(said.into()) })));
    }

    pub(super) fn child_is_done_with(&mut self, at: usize) {
        self.at_child[at].over = true;
        self.read = self.read.max(at + 1);
    }

    /// What it reads next, or after that: then an error has no id. It is heard by who asked that, or by nobody.
    pub(super) fn child_cannot_read(&mut self, which: usize) {
        let Some(skipped) = which.checked_rem(self.at_child.len() - self.read) else { return };
        let at = self.read + skipped;
        let (number, over) = (self.at_child[at].number, self.at_child[at].over);
        self.child_is_done_with(at);
        if !over {
            self.child_says(None, number, Outcome::Error);
        }
    }

    /// About a request that it is at, as far as it knows.
    pub(super) fn child_logs(&mut self, which: usize) {
        let at_it = |asked: &&AtChild| {
            !asked.over && !asked.listens && asked.cancelled.is_none_or(|at| self.now < at + Duration::from_secs(2))
        };
        let about = self.at_child.iter().filter(at_it).nth(which % 4);
        let Some(number) = about.map(|asked| asked.number) else { return };
        self.child_notifies("notifications/message", &json!({ "number": number }));
    }

    pub(super) fn child_asks(&mut self, which: usize) {
        let id = IDS[which % IDS.len()];
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"sampling/createMessage","params":{{"of":{}}}}}"#,
            which % IDS.len()
        );
        self.feed(Event::Child(Message::parse(&line.into()).expect("a request")));
    }

    pub(super) fn child_overflows(&mut self, was: Passed) {
        self.feed(Event::Oversized(TooLong { bytes: 1 << 26, was }));
    }

    pub(super) fn child_notifies(&mut self, method: &str, params: &Value) {
        let line = json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string();
        self.feed(Event::Child(Message::parse(&line.into()).expect("a notification")));
    }

    pub(super) fn child_reports(&mut self, which: usize) {
        let Some(AtChild { id, number, .. }) = self.at_child.get(which % self.at_child.len().max(1)) else { return };
        let token: Value = serde_json::from_slice(id).expect("a number of ours");
        let params = json!({ "progressToken": token, "progress": 1, "number": number });
        self.child_notifies("notifications/progress", &params);
    }
}
