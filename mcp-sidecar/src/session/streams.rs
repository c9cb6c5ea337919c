//! The streams of one seat: each POST that waits for answers, and the standalone one that GET opens.
//!
//! A POST is answered in JSON until something must be said before its answer; then it becomes an event stream. An
//! event is on exactly one stream and in the replay log, where a client that comes back finds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant};

use super::Reply;
use super::ToActor;
use super::kept::Kept;
use super::sink;
use super::stream::Stream;
use crate::mcp::bridge::Audience;
use crate::mcp::compose;
use crate::mcp::head::Accept;
use crate::mcp::rejection::Rejection;
use crate::mcp::route::{Route, Seat};
use crate::mcp::sse::StreamId;
use crate::mcp::version::ProtocolVersion;
use crate::metrics::{Counter, Limit, Metrics};

/// After that a client and the proxies in between want to see that something happens.
const PLAIN_FOR: Duration = Duration::from_secs(15);
/// Events in the replay log of one session.
const MAX_EVENTS: usize = 1024;

/// A POST that waits for its answers.
pub(super) struct Exchange {
    pub(super) accept: Accept,
    pub(super) reply: oneshot::Sender<Reply>,
    /// Answers to come.
    pub(super) requests: usize,
    /// Answered as an array (2025-03-26).
    pub(super) batch: bool,
    /// `initialize`: the client does not know its session yet, so nothing else may go first.
    pub(super) opening: bool,
}

struct Pending {
    stream: Stream,
    reply: Option<oneshot::Sender<Reply>>,
    accept: Accept,
    left: usize,
    batch: bool,
    opening: bool,
    answers: Vec<Bytes>,
    /// When it came, and when the child last made progress with it.
    since: Instant,
    heard: Instant,
}

pub(super) struct Streams {
    seat: Seat,
    issued: u64,
    /// The numbers of all events begin after this.
    before: u64,
    pending: BTreeMap<StreamId, Pending>,
    standalone: Stream,
    /// The last event of the standalone stream that was given to a reader.
    handed_over: u64,
    /// Without it (2026-07-28) nobody can come back, and there is no stream but those of POSTs.
    log: Option<Kept>,
    /// 2025-11-25: streams begin with an event that lets the client come back.
    primes: bool,
    /// 2024-11-05: everything goes on the standalone stream.
    single: bool,
    actor: mpsc::Sender<ToActor>,
    slow_readers: Counter,
}

impl Streams {
    pub(super) fn new(
        seat: Seat,
        before: u64,
        replay_bytes: Option<usize>,
        actor: mpsc::Sender<ToActor>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        Self {
            seat,
            issued: 0,
            before,
            pending: BTreeMap::new(),
            standalone: Stream::after(before),
            handed_over: before,
            log: replay_bytes.map(|bytes| Kept::new(MAX_EVENTS, bytes, Arc::clone(metrics))),
            slow_readers: metrics.limits.of(Limit::SlowReader),
            primes: false,
            single: false,
            actor,
        }
    }

    pub(super) fn seat(&self) -> Seat {
        self.seat
    }

    /// The session is open in this revision.
    pub(super) fn opened(&mut self, version: Option<ProtocolVersion>) {
        self.primes = version.is_some_and(ProtocolVersion::primes_streams);
    }

    /// A POST came. It must be followed by [`Self::taken_on`] or [`Self::refuse`].
    pub(super) fn open(&mut self, exchange: Exchange, now: Instant) -> Route {
        self.issued += 1;
        let Exchange { accept, reply, requests, batch, opening } = exchange;
        let pending = Pending {
            stream: Stream::after(self.before),
            reply: Some(reply),
            accept,
            left: requests,
            batch,
            opening,
            answers: Vec::new(),
            since: now,
            heard: now,
        };
        self.pending.insert(StreamId(self.issued), pending);
        Route { seat: self.seat, stream: StreamId(self.issued) }
    }

    pub(super) fn taken_on(&mut self, Route { stream, .. }: Route) {
        if self.single {
            return self.taken_on_elsewhere(stream);
        }
        if self.log.is_some() && self.pending.get(&stream).is_some_and(|pending| !pending.accept.json) {
            self.commit(stream);
        }
    }

    /// Nothing more will be said about that POST, to whomever.
    pub(super) fn close(&mut self, id: StreamId) {
        self.pending.remove(&id);
    }

    /// POSTs whose clients have closed the connection. In 2024-11-05 every POST is closed long before its answer comes.
    pub(super) fn forsaken(&self) -> Vec<Route> {
        let forsaken = self.pending.iter().filter(|(_, pending)| match &pending.reply {
            Some(reply) => reply.is_closed(),
            None => !self.single && !pending.stream.is_open(),
        });
        forsaken.map(|(&stream, _)| Route { seat: self.seat, stream }).collect()
    }

    pub(super) fn refuse(&mut self, id: StreamId, why: Rejection) {
        if let Some(Pending { reply: Some(reply), .. }) = self.pending.remove(&id) {
            // The client has left: nobody is there to be told.
            let _ = reply.send(Reply::Refused(why));
        }
    }

    fn admits(&self, id: StreamId) -> bool {
        self.pending.get(&id).is_some_and(|pending| match &pending.reply {
            Some(reply) => pending.accept.sse && !pending.opening && !reply.is_closed(),
            None => pending.stream.is_open(),
        })
    }

    fn is_resumable(&self, id: StreamId) -> bool {
        self.log.is_some() && !self.single && self.pending.get(&id).is_some_and(|pending| pending.reply.is_none())
    }

    pub(super) fn is_listening(&self) -> bool {
        self.standalone.is_open()
    }

    /// Something that is not an answer.
    pub(super) fn send(&mut self, id: StreamId, message: &Bytes) {
        if !self.admits(id) && !self.is_resumable(id) {
            return self.send_standalone(message);
        }
        self.commit(id);
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.stream.push(id, message, &mut self.log);
        }
    }

    fn send_standalone(&mut self, message: &Bytes) {
        if self.log.is_some() && self.standalone.push(StreamId::STANDALONE, message, &mut self.log) {
            self.handed_over = self.standalone.last();
        }
    }

    /// An answer; the last one ends its POST.
    pub(super) fn answer(&mut self, id: StreamId, status: u16, message: Bytes) {
        if self.single {
            return self.answer_elsewhere(id, &message);
        }
        if status == 200 && self.pending.get(&id).is_some_and(|pending| !pending.accept.json) {
            self.commit(id);
        }
        let Some(pending) = self.pending.get_mut(&id) else { return };
        pending.left -= 1;
        if pending.reply.is_none() {
            pending.stream.push(id, &message, &mut self.log);
        } else {
            pending.answers.push(message);
        }
        if pending.left == 0
            && let Some(Pending { reply: Some(reply), batch, mut answers, .. }) = self.pending.remove(&id)
        {
            let body = if batch { compose::batch(&answers) } else { answers.pop().unwrap_or_default() };
            // The client may have left: nobody is there to be told.
            let _ = reply.send(Reply::Json { status, body });
        }
    }

    /// An error in answer to `initialize`.
    pub(super) fn not_opened(&mut self, id: StreamId, message: Bytes) {
        match self.pending.remove(&id) {
            Some(_) if self.single => self.send_standalone(&message),
            Some(Pending { reply: Some(reply), .. }) => drop(reply.send(Reply::NotOpened(message))),
            Some(mut pending) => drop(pending.stream.push(id, &message, &mut self.log)),
            None => {}
        }
    }

    /// Turns a POST's answer into a stream, if it is not one.
    fn commit(&mut self, id: StreamId) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        let Some(reply) = pending.reply.take() else { return };
        let (sink, events) = sink::channel(self.actor.clone(), self.slow_readers.clone());
        pending.stream.attach(sink);
        pending.stream.begin(id, self.primes);
        if reply.send(Reply::Stream(events)).is_err() {
            pending.stream.detach();
        }
        for answer in std::mem::take(&mut pending.answers) {
            pending.stream.push(id, &answer, &mut self.log);
        }
    }

    /// POSTs that have waited long become streams; each stream is kept alive every 15 s.
    pub(super) fn tick(&mut self, now: Instant, keep_alive: bool) {
        let waiting = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.reply.is_some() && pending.accept.sse && now - pending.since >= PLAIN_FOR);
        for id in waiting.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.commit(id);
        }
        if keep_alive {
            self.standalone.keep_alive();
            self.pending.values_mut().for_each(|pending| pending.stream.keep_alive());
        }
    }
}

#[path = "overdue.rs"]
mod overdue;

#[path = "resume.rs"]
mod resume;

#[path = "single.rs"]
mod single;

impl Audience for Streams {
    fn hears(&self, route: Route) -> bool {
        self.admits(route.stream)
    }

    fn may_return(&self, route: Route) -> bool {
        self.is_resumable(route.stream)
    }

    fn listens(&self, _: Seat) -> bool {
        self.is_listening()
    }
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
