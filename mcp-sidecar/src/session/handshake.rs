//! A small MCP client of one child, for what the sidecar itself has to ask: which era it speaks, who it is, what tools
//! it has; and to make a fresh child ready for others. One request at a time; all of it together is bounded in time
//! and in bytes. What the child says meanwhile is passed over, what it asks is refused.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout_at};

use crate::child::{self, Child, ExitReason, FromChild};
use crate::config::Spawning;
use crate::mcp::compose;
use crate::mcp::introduction::{self, DISCOVER, Discovery, Introduction};
use crate::mcp::jsonrpc::{Incoming, Message, Outcome, Request, Response};
use crate::mcp::unreadable;
use crate::mcp::version::Era;

/// What a child may write during a whole handshake.
const MAX_BYTES: u64 = 64 << 20;
/// Numbers, as every server reads them; far from those that the child's later owner gives out, and still 31 bits.
const FIRST_ID: u32 = 1_000_000_000;
/// Pages of one list; a server whose cursors never end is not followed for ever.
const MAX_PAGES: usize = 100;
/// Characters of a line that is no message.
const MAX_JUNK: usize = 200;

/// Why a question of ours has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("the MCP server could not be started: {0}")]
    NotStarted(#[from] io::Error),
    #[error("the MCP server {0}")]
    Exited(ExitReason),
    #[error("the MCP server did not answer in time")]
    Silent,
    #[error("the MCP server wrote more than {MAX_BYTES} bytes before its answer")]
    Flooded,
    #[error("the MCP server refused {method}: {error}")]
    Refused { method: &'static str, error: String },
    #[error("the MCP server's answer to {0} cannot be read")]
    Unreadable(&'static str),
    #[error("the MCP server has more than {MAX_PAGES} pages of {0}: perhaps its cursors never end")]
    Endless(&'static str),
}

/// A child that nobody else speaks to yet. Dropped, it is ended in the background.
#[derive(Debug)]
pub(crate) struct Handshake {
    child: Child,
    events: mpsc::Receiver<FromChild>,
    asked: u32,
    heard: u64,
    deadline: Instant,
    junk: Junk,
}

/// Lines that are no messages: what a server should have written to its stderr.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Junk {
    pub(crate) lines: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<String>,
}

impl Junk {
    fn saw(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.lines += 1;
        self.first.get_or_insert_with(|| String::from_utf8_lossy(line).chars().take(MAX_JUNK).collect());
    }
}

/// Something that a server lists page by page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) method: &'static str,
    member: &'static str,
}

impl List {
    pub(crate) const TOOLS: Self = Self { method: "tools/list", member: "tools" };
    pub(crate) const PROMPTS: Self = Self { method: "prompts/list", member: "prompts" };
    pub(crate) const RESOURCES: Self = Self { method: "resources/list", member: "resources" };
    pub(crate) const TEMPLATES: Self = Self { method: "resources/templates/list", member: "resourceTemplates" };
}

impl Handshake {
    /// Starts a child of its own, apart from the async workers: a fork can take long.
    pub(crate) async fn start(
        spawning: &Spawning,
        label: &str,
        patience: Duration,
        supervisor: &Handle,
    ) -> Result<Self, Unanswered> {
        let (Spawning { command, limits, .. }, label, runtime) =
            (spawning.clone(), label.to_owned(), supervisor.clone());
        let spawned = supervisor.spawn_blocking(move || child::spawn(&command, &limits, &label, &runtime)).await;
        let (child, events) = spawned.map_err(io::Error::other)??;
        Ok(Self { child, events, asked: 0, heard: 0, deadline: Instant::now() + patience, junk: Junk::default() })
    }

    /// `server/discover`, and what its answer says about the era.
    pub(crate) async fn discover(&mut self) -> Result<Discovery, Unanswered> {
        self.ask_to_discover().await.map(|outcome| introduction::discovered(&outcome))
    }

    async fn ask_to_discover(&mut self) -> Result<Outcome, Unanswered> {
        self.ask(DISCOVER, &json!({ "_meta": introduction::modern_meta() })).await
    }

    /// `initialize` in our own name, then `notifications/initialized`.
    pub(crate) async fn initialize(&mut self) -> Result<Introduction, Unanswered> {
        const METHOD: &str = "initialize";
        let result = self.result_of(METHOD, &introduction::initialize_params()).await?;
        let introduction = introduction::initialized(&result).ok_or(Unanswered::Unreadable(METHOD))?;
        self.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string().into()).await?;
        Ok(introduction)
    }

    /// Either of the two.
    pub(crate) async fn introduce(&mut self, era: Era) -> Result<Introduction, Unanswered> {
        match era {
            Era::Legacy => self.initialize().await,
            Era::Modern => {
                let outcome = self.ask_to_discover().await?;
                match (introduction::discovered(&outcome), outcome) {
                    (Discovery::Modern(introduction), _) => Ok(introduction),
                    (Discovery::Legacy, Outcome::Error(error)) => Err(refused(DISCOVER, &error)),
                    (Discovery::Legacy, Outcome::Result(_)) => Err(Unanswered::Unreadable(DISCOVER)),
                }
            }
        }
    }

    /// What is asked from now on is to be answered by then.
    pub(crate) fn wait_until(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// All pages of a list, each member as the server describes it; of one that breaks off, what there was.
    pub(crate) async fn list(&mut self, list: List, era: Era, members: &mut Vec<Value>) -> Result<(), Unanswered> {
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let mut params = json!({});
            if era == Era::Modern {
                params["_meta"] = introduction::modern_meta();
            }
            if let Some(cursor) = cursor {
                params["cursor"] = cursor;
            }
            let page = self.result_of(list.method, &params).await?;
            let page: Value = serde_json::from_slice(&page).map_err(|_| Unanswered::Unreadable(list.method))?;
            members.extend(page[list.member].as_array().ok_or(Unanswered::Unreadable(list.method))?.iter().cloned());
            cursor = page.get("nextCursor").filter(|cursor| cursor.is_string()).cloned();
            if cursor.is_none() {
                return Ok(());
            }
        }
        Err(Unanswered::Endless(list.method))
    }

    /// What it has written that is no message.
    pub(crate) fn junk(&self) -> &Junk {
        &self.junk
    }

    /// Waits until nothing of the child is left, whoever ends it.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + use<> {
        self.child.ended()
    }

    /// Ends the child and waits until nothing of it is left.
    pub(crate) async fn stop(self) -> ExitReason {
        let Self { child, events, .. } = self;
        drop(events);
        child.stop().await
    }

    async fn result_of(&mut self, method: &'static str, params: &Value) -> Result<Bytes, Unanswered> {
        match self.ask(method, params).await? {
            Outcome::Result(result) => Ok(result),
            Outcome::Error(error) => Err(refused(method, &error)),
        }
    }

    /// Sends a request and waits for its answer.
    async fn ask(&mut self, method: &'static str, params: &Value) -> Result<Outcome, Unanswered> {
        self.asked += 1;
        let id = FIRST_ID + self.asked;
        self.say(compose::own_request(id.into(), method, params)).await?;
        loop {
            let line = self.line().await?;
            let incoming = Incoming::parse_line(&line).unwrap_or_else(|why| {
                self.junk.saw(&line);
                Incoming::Batch(unreadable::in_place_of(&line, why))
            });
            for message in incoming.into_messages() {
                match message {
                    Message::Response(response) if answers(&response, id) => return Ok(response.outcome),
                    Message::Request(question) => self.say(reply(&question)).await?,
                    Message::Response(_) | Message::Notification(_) => {}
                }
            }
        }
    }

    async fn say(&self, line: Bytes) -> Result<(), Unanswered> {
        // That it no longer reads is said with the reason by its exit, which follows.
        timeout_at(self.deadline, self.child.send(line)).await.map_or(Err(Unanswered::Silent), |_| Ok(()))
    }

    async fn line(&mut self) -> Result<Bytes, Unanswered> {
        let event = timeout_at(self.deadline, self.events.recv()).await.map_err(|_| Unanswered::Silent)?;
        match event {
            Some(FromChild::Line(line)) => {
                self.heard += line.len() as u64;
                if self.heard > MAX_BYTES { Err(Unanswered::Flooded) } else { Ok(line) }
            }
            Some(FromChild::Oversized(_)) => Err(Unanswered::Flooded),
            Some(FromChild::Exited(reason)) => Err(Unanswered::Exited(reason)),
            None => Err(Unanswered::Exited(ExitReason::Unknown)),
        }
    }
}

fn refused(method: &'static str, error: &[u8]) -> Unanswered {
    Unanswered::Refused { method, error: String::from_utf8_lossy(error).into_owned() }
}

/// An error without a readable id can only be about the one request that is open.
fn answers(response: &Response, id: u32) -> bool {
    response.id.as_ref().is_none_or(|answered| answered.as_issued() == Some(id.into()))
}

/// Nobody is behind us to be asked; only a ping is due an answer.
fn reply(question: &Request) -> Bytes {
    if question.method.is("ping") {
        return compose::response(question.id.as_bytes(), Outcome::Result(Bytes::from_static(b"{}")));
    }
    compose::not_found(&question.id)
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
