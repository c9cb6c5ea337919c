//! The task that owns one child: what clients send goes down with fresh ids, what the child says goes up to whom it
//! concerns. It waits for no reader and for no writer, so neither a slow client nor a stuck child can stop it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use log::{debug, info, warn};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};

use super::ending::Ending;
use super::registry::Session;
use super::streams::{Exchange, Streams};
use super::{Reply, ToActor};
use crate::child::{Child, FromChild};
use crate::config::SessionLimits;
use crate::mcp::compose;
use crate::mcp::correlate::Correlator;
use crate::mcp::jsonrpc::{Incoming, Message, Notification, Outcome, Request, Response};
use crate::mcp::rejection::Rejection;
use crate::mcp::sse::StreamId;
use crate::mcp::version::ProtocolVersion;

/// Lines that wait for a child which does not read; beyond that clients wait too.
const MAX_OUTGOING: usize = 64;
/// How often deadlines are looked at while something is open.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two keep-alive comments.
const KEEP_ALIVE_TICKS: u64 = 15;
/// A cancelled call needs no answer (basic/utilities/cancellation); its POST does, after this.
const CANCELLED_FOR: Duration = Duration::from_secs(2);

pub(crate) struct Actor {
    pub(super) child: Child,
    pub(super) session: Arc<Session>,
    pub(super) limits: SessionLimits,
    pub(super) inbox: mpsc::Receiver<ToActor>,
    ids: Correlator,
    streams: Streams,
    outgoing: VecDeque<Bytes>,
    /// Calls the client has cancelled, and when.
    cancelled: Vec<(u64, Instant)>,
    ticks: u64,
    ending: Option<Ending>,
}

enum Step {
    Child(Option<FromChild>),
    Client(ToActor),
    Written(bool),
    Tick,
    Stop,
    Drain,
}

impl Actor {
    pub(super) fn new(
        child: Child,
        session: Arc<Session>,
        limits: SessionLimits,
        inbox: mpsc::Receiver<ToActor>,
    ) -> Self {
        Self {
            child,
            session,
            limits,
            inbox,
            ids: Correlator::default(),
            streams: Streams::new(limits.replay_bytes),
            outgoing: VecDeque::new(),
            cancelled: Vec::new(),
            ticks: 0,
            ending: None,
        }
    }

    /// The session's whole life; afterwards its child and all that it started are gone.
    pub(super) async fn run(mut self, mut from_child: mpsc::Receiver<FromChild>) {
        let timer = sleep_until(Instant::now() + TICK);
        tokio::pin!(timer);
        let ending = loop {
            let step = self.next(&mut from_child, timer.as_mut()).await;
            let now = Instant::now();
            match step {
                Step::Child(event) => self.on_events(event, &mut from_child, now),
                Step::Client(message) => self.on_client(message, now),
                Step::Written(true) => drop(self.outgoing.pop_front()),
                // The child no longer reads. Its exit, which says why, follows on the other channel.
                Step::Written(false) => self.outgoing.clear(),
                Step::Tick => timer.as_mut().reset(self.on_tick(now)),
                Step::Stop => self.ending = Some(Ending::Stopped),
                Step::Drain if self.ids.in_flight() == 0 => self.ending = Some(Ending::Drained),
                Step::Drain => {}
            }
            let busy = self.is_busy();
            self.session.set_busy(busy);
            if busy && timer.deadline() > now + TICK {
                timer.as_mut().reset(now + TICK);
            }
            if let Some(ending) = self.ending {
                break ending;
            }
        };
        drop(from_child);
        self.end(ending).await;
    }

    async fn next(
        &mut self,
        from_child: &mut mpsc::Receiver<FromChild>,
        timer: std::pin::Pin<&mut tokio::time::Sleep>,
    ) -> Step {
        let drained = self.session.drain.is_cancelled() && self.ids.in_flight() == 0;
        let waiting = self.outgoing.front().cloned();
        tokio::select! {
            event = from_child.recv() => Step::Child(event),
            Some(message) = self.inbox.recv(), if self.outgoing.len() < MAX_OUTGOING => Step::Client(message),
            sent = self.child.send(waiting.clone().unwrap_or_default()), if waiting.is_some() => Step::Written(sent.is_ok()),
            () = timer => Step::Tick,
            () = self.session.stop.cancelled() => Step::Stop,
            () = self.session.drain.cancelled(), if drained || !self.session.drain.is_cancelled() => Step::Drain,
        }
    }

    fn on_events(&mut self, first: Option<FromChild>, more: &mut mpsc::Receiver<FromChild>, now: Instant) {
        let mut next = first;
        for _ in 0..64 {
            match next {
                Some(FromChild::Line(line)) => self.on_line(&line, now),
                Some(FromChild::Oversized { bytes }) => self.on_oversized(bytes),
                Some(FromChild::Exited(reason)) => return self.ending = Some(Ending::Child(reason)),
                None => return self.ending = Some(Ending::Stopped),
            }
            match more.try_recv() {
                Ok(event) => next = Some(event),
                Err(_) => return,
            }
        }
    }

    fn on_line(&mut self, line: &Bytes, now: Instant) {
        // 2025-03-26 lets a server batch.
        let parsed = match line.trim_ascii_start().first() {
            None => return,
            Some(b'[') => Incoming::parse(line),
            Some(_) => Message::parse(line).map(Incoming::Single),
        };
        match parsed {
            Ok(Incoming::Single(message)) => self.on_message(message, now),
            Ok(Incoming::Batch(messages)) => messages.into_iter().for_each(|message| self.on_message(message, now)),
            Err(why) => {
                warn!(session = self.session.number, bytes = line.len(), why:?; "child wrote a line that is no message")
            }
        }
    }

    fn on_message(&mut self, message: Message, now: Instant) {
        match message {
            Message::Response(response) => self.on_answer(&response),
            Message::Request(request) => self.on_question(&request, now),
            Message::Notification(note) => self.on_notification(&note, now),
        }
    }

    fn on_answer(&mut self, response: &Response) {
        let Some((stream, message)) = self.ids.answer(response) else {
            return debug!(session = self.session.number; "child answered what nobody asked");
        };
        if self.streams.is_opening(stream) {
            match &response.outcome {
                Outcome::Result(result) => self.on_initialized(result),
                Outcome::Error(_) => {
                    self.streams.not_opened(stream, message);
                    self.ending = Some(Ending::NotOpened);
                    return;
                }
            }
        }
        self.streams.answer(stream, message);
    }

    fn on_initialized(&mut self, result: &Bytes) {
        #[derive(Deserialize)]
        struct InitializeResult<'a> {
            #[serde(borrow, rename = "protocolVersion")]
            protocol_version: std::borrow::Cow<'a, str>,
        }
        let named = serde_json::from_slice::<InitializeResult<'_>>(result).ok();
        let version = named.and_then(|result| ProtocolVersion::parse(&result.protocol_version));
        self.streams.primes = version.is_some_and(ProtocolVersion::primes_streams);
        self.session.set_version(version);
    }

    fn on_question(&mut self, request: &Request, now: Instant) {
        let reachable = self.related().or_else(|| self.streams.is_listening().then_some(StreamId::STANDALONE));
        if reachable.is_none() && request.method.is("ping") {
            // basic/utilities/ping: an answer is due promptly, and no client is there to give it.
            let alive = compose::response(request.id.as_bytes(), &Outcome::Result(Bytes::from_static(b"{}")));
            return self.write(alive);
        }
        let stream = reachable.unwrap_or_else(|| self.left_to_fetch());
        let question = self.ids.ask(request, stream);
        self.streams.send(stream, &question, now);
    }

    fn on_notification(&mut self, note: &Notification, now: Instant) {
        let routed = if note.method.is("notifications/progress") {
            self.ids.progress(note)
        } else if note.method.is("notifications/cancelled") {
            self.ids.cancelled_by_child(note)
        } else {
            let listening = self.streams.is_listening().then_some(StreamId::STANDALONE);
            let own = if concerns_the_session(note) { listening } else { None };
            let stream = own.or_else(|| self.related()).or(listening).unwrap_or_else(|| self.left_to_fetch());
            let params = note.params.clone().map(compose::Edited::unchanged);
            Some((stream, compose::notification(&note.method, params.as_ref())))
        };
        if let Some((stream, message)) = routed {
            self.streams.send(stream, &message, now);
        }
    }

    /// The call that a question or log line is taken to be about: the oldest whose client can hear it.
    fn related(&self) -> Option<StreamId> {
        self.ids.oldest_stream(|stream| self.streams.admits(stream))
    }

    /// Where a client that is away will look first.
    fn left_to_fetch(&self) -> StreamId {
        self.ids.oldest_stream(|stream| self.streams.is_resumable(stream)).unwrap_or(StreamId::STANDALONE)
    }

    /// The line is gone. Whose it was is certain only if one call waits: that one fails, and it alone.
    fn on_oversized(&mut self, bytes: u64) {
        warn!(session = self.session.number, bytes; "child wrote a line over --max-line");
        if self.ids.in_flight() == 1 {
            let message = format!("the MCP server's answer of {bytes} bytes is over --max-line");
            self.fail(|_| true, &message, "message_too_large");
        }
    }

    fn fail(&mut self, of: impl Fn(StreamId) -> bool, message: &str, reason: &str) -> Vec<u64> {
        let calls = self.ids.abandon_where(of);
        let numbers = calls.iter().map(|(number, _)| *number).collect();
        for (_, call) in calls {
            let failure = compose::failure(call.id.as_bytes(), message, reason);
            if self.streams.is_opening(call.stream) {
                self.streams.not_opened(call.stream, failure);
            } else {
                self.streams.answer(call.stream, failure);
            }
        }
        numbers
    }

    fn write(&mut self, line: Bytes) {
        // The usual case is room in the child's queue; then no line waits here.
        if self.outgoing.is_empty() && self.child.send(line.clone()).now_or_never().is_some() {
            return;
        }
        self.outgoing.push_back(line);
    }

    fn on_client(&mut self, message: ToActor, now: Instant) {
        self.session.touch(now);
        match message {
            ToActor::Call { incoming, accept, reply } => self.on_call(incoming, accept, reply, now),
            ToActor::Relay(incoming) => self.relay(incoming.messages(), now),
            ToActor::Listen { last, reply } => {
                // Nobody is there any more when this fails.
                let _ = reply.send(self.streams.listen(last));
            }
        }
    }
}

/// What happened to the session as a whole, rather than in the course of a call.
fn concerns_the_session(note: &Notification) -> bool {
    [
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
    ]
    .iter()
    .any(|name| note.method.is(name))
}

#[path = "actor_client.rs"]
mod client;
