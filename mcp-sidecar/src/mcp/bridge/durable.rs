//! A legacy session that outlives its child (contract «Crash»): what the child was told is remembered, so that a fresh
//! one can be told the same, which is `initialize` with the same params, `notifications/initialized`, the log level and
//! the resources subscribed to. What clients send meanwhile is held until then. All else is [`Legacy`]'s business.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::legacy::Legacy;
use super::{Audience, Event, Output};
use crate::mcp::jsonrpc::{Incoming, Message, Outcome, Request, Response};
use crate::mcp::version::ProtocolVersion;

/// Bytes of params that are remembered for the session's whole life. With larger ones there is no second child.
const MAX_PARAMS: usize = 64 * 1024;
/// Resources that are subscribed to anew.
const MAX_SUBSCRIPTIONS: usize = 256;
const MAX_URI: usize = 2048;
/// Lines that wait for a fresh child. Whoever feeds the bridge stops long before, but a batch has many lines.
const MAX_HELD: usize = 1024;
/// Ids of our own requests: far from those that clients' requests get.
const FIRST_ID: u64 = 1_000_000_000;

#[derive(Debug)]
pub struct Durable {
    legacy: Legacy,
    initialize: Option<String>,
    /// What the child answered to it; outer `None`: not yet.
    version: Option<Option<ProtocolVersion>>,
    initialized: bool,
    level: Option<Value>,
    subscriptions: BTreeSet<String>,
    /// Lines for a child that is not there yet; `None` while there is one.
    held: Option<Vec<Bytes>>,
    /// Requests of our own so far, over all children.
    asked: u64,
}

impl Durable {
    pub fn new(legacy: Legacy) -> Self {
        Self {
            legacy,
            initialize: None,
            version: None,
            initialized: false,
            level: None,
            subscriptions: BTreeSet::new(),
            held: None,
            asked: 0,
        }
    }

    /// Whether a fresh child could be told all that this one was.
    pub(super) fn can_reopen(&self) -> bool {
        self.version.is_some() && self.initialize.is_some()
    }

    /// Lines that wait for a fresh child.
    pub(super) fn held(&self) -> usize {
        self.held.as_ref().map_or(0, Vec::len)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.legacy.in_flight()
    }

    pub(super) fn on(&mut self, event: Event, now: Duration, audience: &impl Audience, outputs: &mut Vec<Output>) {
        match &event {
            Event::Fresh => return outputs.extend(self.begin().map(Output::ToChild)),
            Event::Child(Message::Response(response)) if self.has_asked(response) => {
                return self.answered(response, outputs);
            }
            Event::Call { incoming, .. } | Event::Relay { incoming, .. } => self.heard(incoming),
            // What waits for a fresh child was never seen by the one that is gone.
            Event::Lost { .. } if self.held.is_some() => return,
            Event::Lost { .. } => self.held = Some(Vec::new()),
            _ => {}
        }
        let before = outputs.len();
        self.legacy.on(event, now, audience, outputs);
        for output in &outputs[before..] {
            if let Output::Opened { version, .. } = output {
                self.version = Some(*version);
            }
        }
        self.hold(before, outputs);
    }

    /// What clients send is remembered as far as it sets the child up. Whether the child liked it does not matter: it
    /// is asked again, and may dislike it again.
    fn heard(&mut self, incoming: &Incoming) {
        for message in incoming.messages() {
            match message {
                Message::Request(request) => self.heard_request(request),
                // One that is held reaches the fresh child anyway.
                Message::Notification(note) if note.method.is("notifications/initialized") => {
                    self.initialized |= self.held.is_none();
                }
                Message::Notification(_) | Message::Response(_) => {}
            }
        }
    }

    fn heard_request(&mut self, request: &Request) {
        let params = request.params.as_ref().filter(|params| params.len() <= MAX_PARAMS);
        let params = params.map(|params| &params[..]).unwrap_or_default();
        if request.method.is("initialize") {
            self.initialize = Some(on_one_line(params)).filter(|params| !params.is_empty());
        } else if request.method.is("logging/setLevel") {
            self.level = serde_json::from_slice::<Value>(params).ok().and_then(|params| params.get("level").cloned());
        } else if request.method.is("resources/subscribe") && self.subscriptions.len() < MAX_SUBSCRIPTIONS {
            self.subscriptions.extend(uri(params));
        } else if request.method.is("resources/unsubscribe")
            && let Some(uri) = uri(params)
        {
            self.subscriptions.remove(&uri);
        }
    }

    /// A fresh child is there: what to say to it first.
    fn begin(&mut self) -> Option<Bytes> {
        let params = self.initialize.clone()?;
        self.legacy.note();
        Some(self.ask("initialize", &params))
    }

    /// Whether this answers a question of our own.
    fn has_asked(&self, response: &Response) -> bool {
        // A fresh child has been asked nothing else.
        let Some(id) = &response.id else { return self.held.is_some() };
        id.as_issued().is_some_and(|number| number > FIRST_ID && number <= FIRST_ID + self.asked)
    }

    /// An answer to a question of our own. Only that to `initialize` matters, which is the one asked while lines are held.
    fn answered(&mut self, response: &Response, outputs: &mut Vec<Output>) {
        let Some(held) = self.held.take() else { return };
        match &response.outcome {
            Outcome::Result(result) if self.version == Some(ProtocolVersion::negotiated(result)) => {
                outputs.extend(self.rest().into_iter().chain(held).map(Output::ToChild));
                outputs.push(Output::Reopened);
            }
            Outcome::Result(_) => outputs.push(Output::NotReopened("it speaks another revision now")),
            Outcome::Error(_) => outputs.push(Output::NotReopened("it refused to initialize")),
        }
    }

    fn rest(&mut self) -> Vec<Bytes> {
        self.legacy.note();
        let mut lines = Vec::new();
        if self.initialized {
            lines.push(Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#));
        }
        if let Some(level) = self.level.clone() {
            lines.push(self.ask("logging/setLevel", &serde_json::json!({ "level": level }).to_string()));
        }
        for uri in self.subscriptions.clone() {
            lines.push(self.ask("resources/subscribe", &serde_json::json!({ "uri": uri }).to_string()));
        }
        lines
    }

    /// Holds back the lines among `outputs` from there on, while there is no child for them.
    fn hold(&mut self, from: usize, outputs: &mut Vec<Output>) {
        let Some(held) = &mut self.held else { return };
        for output in outputs.split_off(from) {
            match output {
                Output::ToChild(_) if held.len() >= MAX_HELD => {
                    outputs.push(Output::Stray("too much waits for a child"))
                }
                Output::ToChild(line) => held.push(line),
                other => outputs.push(other),
            }
        }
    }

    fn ask(&mut self, method: &str, params: &str) -> Bytes {
        self.asked += 1;
        format!(r#"{{"jsonrpc":"2.0","id":{},"method":"{method}","params":{params}}}"#, FIRST_ID + self.asked).into()
    }
}

/// Between the tokens of JSON a line break is only white space, and inside strings it cannot occur.
fn on_one_line(json: &[u8]) -> String {
    String::from_utf8_lossy(json).replace(['\n', '\r'], " ")
}

fn uri(params: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Subscription {
        uri: String,
    }
    let subscription = serde_json::from_slice::<Subscription>(params).ok();
    subscription.map(|subscription| subscription.uri).filter(|uri| uri.len() <= MAX_URI)
}

#[cfg(test)]
#[path = "durable_tests.rs"]
mod tests;
