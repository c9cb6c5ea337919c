//! What one of several sessions at a child has told it: what it can be asked, which resources and which log lines it
//! wants to hear of.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::concerns_many;
use crate::mcp::jsonrpc::{Notification, Request};

/// Resources that one session may subscribe to at a shared child.
const MAX_SUBSCRIPTIONS: usize = 1024;

/// server/utilities/logging §Log Levels, the most verbose first.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level(usize);

#[derive(Debug, Default)]
pub(super) struct Member {
    greeted: bool,
    capabilities: BTreeSet<String>,
    level: Option<Level>,
    subscriptions: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
struct Params {
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    capabilities: serde_json::Map<String, Value>,
}

impl Member {
    /// `initialize`.
    pub(super) fn declare(&mut self, params: Option<&Bytes>) {
        self.greeted = true;
        self.capabilities = read(params).capabilities.into_iter().map(|(name, _)| name).collect();
    }

    /// `logging/setLevel`; one that is no level is the child's to refuse.
    pub(super) fn set_level(&mut self, params: Option<&Bytes>) {
        if let Some(level) = read(params).level.and_then(|level| Level::parse(&level)) {
            self.level = Some(level);
        }
    }

    /// Whether its client has declared what the question takes.
    pub(super) fn can_answer(&self, question: &Request) -> bool {
        const NEEDS: [(&str, &str); 3] =
            [("sampling/createMessage", "sampling"), ("elicitation/create", "elicitation"), ("roots/list", "roots")];
        let needed = NEEDS.iter().find(|(method, _)| question.method.is(method)).map(|(_, needed)| *needed);
        question.method.is("ping") || needed.is_some_and(|needed| self.capabilities.contains(needed))
    }

    /// Whether a notification to many is one for it too.
    pub(super) fn hears(&self, note: &Notification) -> bool {
        if !note.method.is("notifications/resources/updated") {
            return self.greeted && concerns_many(note);
        }
        // It «might be a sub-resource of the one that the client actually subscribed to».
        let updated = read(note.params.as_ref()).uri.unwrap_or_default();
        self.subscriptions.iter().any(|uri| {
            updated
                .strip_prefix(uri.as_str())
                .is_some_and(|rest| rest.is_empty() || uri.ends_with('/') || rest.starts_with('/'))
        })
    }

    /// Whether it wants to hear what is about its calls and names none of them: log lines of its level, for instance.
    pub(super) fn reads(&self, note: &Notification) -> bool {
        let said = || read(note.params.as_ref()).level.as_deref().and_then(Level::parse);
        !concerns_many(note) && self.level.is_none_or(|level| said().is_none_or(|said| said >= level))
    }

    pub(super) fn subscribes(&self, uri: &str) -> bool {
        self.subscriptions.contains(uri)
    }

    pub(super) fn subscribe(&mut self, uri: String) {
        if self.subscriptions.len() < MAX_SUBSCRIPTIONS {
            self.subscriptions.insert(uri);
        }
    }

    pub(super) fn unsubscribe(&mut self, uri: &str) -> bool {
        self.subscriptions.remove(uri)
    }

    pub(super) fn into_subscriptions(self) -> BTreeSet<String> {
        self.subscriptions
    }
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        LEVELS.iter().position(|level| *level == text).map(Self)
    }

    pub(super) fn as_params(self) -> Value {
        json!({ "level": LEVELS[self.0] })
    }

    /// A `logging/setLevel` that asks for this one.
    pub(super) fn instead_of(self, request: Request) -> Request {
        let asked = read(request.params.as_ref()).level.as_deref().and_then(Self::parse);
        match asked {
            Some(asked) if asked != self => Request { params: Some(self.as_params().to_string().into()), ..request },
            _ => request,
        }
    }
}

pub(super) fn most_verbose<'a>(members: impl Iterator<Item = &'a Member>) -> Option<Level> {
    members.filter_map(|member| member.level).min()
}

/// The resource that a request subscribes to, or, with `false`, no longer.
pub(super) fn subscription(request: &Request) -> Option<(String, bool)> {
    let begins = request.method.is("resources/subscribe");
    (begins || request.method.is("resources/unsubscribe"))
        .then(|| read(request.params.as_ref()).uri.map(|uri| (uri, begins)))
        .flatten()
}

fn read(params: Option<&Bytes>) -> Params {
    params.and_then(|params| serde_json::from_slice(params).ok()).unwrap_or_default()
}
