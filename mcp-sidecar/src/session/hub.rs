//! One child that several sessions share (`--isolation user` and `shared`): [`Shared`] says whose each line is, here they
//! are carried. A session's actor sees a child of its own. The child ends when nobody has had a seat for the idle
//! timeout; when it ends by itself, each session is told and takes a seat at the next one.
//!
//! It waits for nobody: whoever does not read, child or session, others come and go, and it can be told to stop.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use log::{debug, warn};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::entrance::{Knock, Said, listen};
use super::outgoing::{Author, Outgoing};
use super::registry::Registry;
use super::signs_of_life::{SignsOfLife, Verdict};
use crate::child::{self, Child, ExitReason, FromChild};
use crate::config::Common;
use crate::mcp::bridge::shared::{Event, Output, Shared};
use crate::mcp::jsonrpc::{Incoming, Message};
use crate::mcp::lines::TooLong;
use crate::mcp::route::Seat;
use crate::mcp::skim::Passed;
use crate::mcp::unreadable;
use crate::metrics::{InUse, Limit};

/// What sessions have said and nobody has looked at; beyond that they wait, each with a queue of its own.
const SAID: usize = 64;

pub(super) struct Hub {
    key: Common,
    /// Of the session that it was started for: names it in the log.
    number: u64,
    idle_timeout: Duration,
    drain: CancellationToken,
    stop: CancellationToken,
    registry: Arc<Registry>,
    child: Child,
    knocks: mpsc::Receiver<Knock>,
    shared: Shared,
    seats: HashMap<Seat, mpsc::Sender<FromChild>>,
    /// How many were ever taken: their numbers are not used again.
    taken: u32,
    /// One for each seat. Over when it is left, so that this is noticed however much there is to say.
    listening: FuturesUnordered<BoxFuture<'static, Seat>>,
    said: (mpsc::Sender<Said>, mpsc::Receiver<Said>),
    outgoing: Outgoing,
    /// For sessions whose actors are behind; the child is not read meanwhile.
    undelivered: VecDeque<(Seat, FromChild)>,
    /// What [`Shared`] said last; empty between two steps.
    outputs: Vec<Output>,
    empty_since: Instant,
    signs: SignsOfLife,
    started: Instant,
    _in_use: InUse,
}

enum Step {
    Child(Option<FromChild>),
    Knock(Knock),
    Said(Seat, Bytes),
    Left(Seat),
    Written(bool),
    Deliverable,
    Unused,
    Silent,
    Stop,
}

impl Hub {
    pub(super) fn new(
        registry: Arc<Registry>,
        key: Common,
        number: u64,
        child: Child,
        knocks: mpsc::Receiver<Knock>,
    ) -> Self {
        Self {
            key,
            number,
            idle_timeout: registry.limits.session.idle_timeout,
            drain: registry.drain.clone(),
            stop: registry.stop.clone(),
            _in_use: registry.metrics.child(),
            signs: SignsOfLife::new(registry.limits.session.call_timeout),
            shared: Shared::default(),
            registry,
            child,
            knocks,
            seats: HashMap::new(),
            taken: 0,
            listening: FuturesUnordered::new(),
            said: mpsc::channel(SAID),
            outgoing: Outgoing::default(),
            undelivered: VecDeque::new(),
            outputs: Vec::new(),
            empty_since: Instant::now(),
            started: Instant::now(),
        }
    }

    pub(super) async fn run(mut self, mut from_child: mpsc::Receiver<FromChild>) {
        let ended = loop {
            match self.next(&mut from_child).await {
                Step::Child(Some(FromChild::Line(line))) => self.on_line(&line),
                Step::Child(Some(FromChild::Oversized(line))) => self.on_oversized(line),
                Step::Child(Some(FromChild::Exited(reason))) => break Some(reason),
                Step::Child(None) => break Some(ExitReason::Unknown),
                Step::Knock(knock) => self.let_in(knock),
                Step::Said(seat, line) => self.on_said(seat, &line),
                Step::Left(seat) => self.on_left(seat),
                Step::Written(true) => self.outgoing.pop(),
                // The child no longer reads. Its exit, which says why, follows on the other channel.
                Step::Written(false) => self.outgoing.clear(),
                Step::Deliverable => self.deliver(),
                Step::Silent => self.on_silence(),
                // Who has come meanwhile keeps it open.
                Step::Unused if !self.knocks.is_empty() => {}
                Step::Unused | Step::Stop => break None,
            }
        };
        drop(from_child);
        self.end(ended).await;
    }

    async fn next(&mut self, from_child: &mut mpsc::Receiver<FromChild>) -> Step {
        let empty = self.seats.is_empty();
        let waiting = self.outgoing.first();
        let behind = self.undelivered.front().and_then(|(seat, _)| self.seats.get(seat));
        let heard = self.undelivered.is_empty() && self.outgoing.takes_answers();
        let silent = self.signs.due().filter(|_| self.undelivered.is_empty());
        tokio::select! {
            event = from_child.recv(), if heard => Step::Child(event),
            Some((seat, line)) = self.said.1.recv(), if self.outgoing.takes_lines(0) => Step::Said(seat, line),
            Some(seat) = self.listening.next() => Step::Left(seat),
            sent = self.child.send(waiting.clone().unwrap_or_default()), if waiting.is_some() => Step::Written(sent.is_ok()),
            Some(knock) = self.knocks.recv() => Step::Knock(knock),
            () = room(behind), if !self.undelivered.is_empty() => Step::Deliverable,
            () = sleep_until(self.empty_since + self.idle_timeout), if empty => Step::Unused,
            () = sleep_until(silent.unwrap_or(self.started)), if silent.is_some() => Step::Silent,
            () = self.drain.cancelled(), if empty => Step::Unused,
            () = self.stop.cancelled() => Step::Stop,
        }
    }

    fn let_in(&mut self, knock: Knock) {
        self.taken += 1;
        let (seat, queues) = (Seat(self.taken), &self.registry.spawning.limits);
        let (events, from_child) = mpsc::channel(queues.stdout_queue.max(1));
        let (child, end) = child::seat::take(self.child.id(), queues.stdin_queue);
        self.seats.insert(seat, events);
        self.listening.push(Box::pin(listen(seat, end, self.said.0.clone())));
        self.feed(Event::Joined(seat));
        // Who does not wait any more has left the seat with that.
        drop(knock.send((child, from_child)));
    }

    fn on_line(&mut self, line: &Bytes) {
        self.signs.heard();
        match Incoming::parse_line(line) {
            Ok(said) => said.into_messages().for_each(|message| self.feed(Event::Child(message))),
            Err(why) => {
                warn!(session = self.number, bytes = line.len(), why:?; "child wrote a line that is no message");
                unreadable::in_place_of(line, why).into_iter().for_each(|failed| self.feed(Event::Child(failed)));
            }
        }
    }

    /// The session whose answer it was says so itself.
    fn on_oversized(&mut self, line: TooLong) {
        self.signs.heard();
        if !matches!(line.was, Passed::Answer(_)) {
            warn!(session = self.number, bytes = line.bytes; "child wrote a line over --max-line");
            self.registry.metrics.limits.add(Limit::Line);
        }
        self.feed(Event::Oversized(line));
    }

    fn on_said(&mut self, seat: Seat, line: &Bytes) {
        if !self.seats.contains_key(&seat) {
            return;
        }
        // Composed by the session's own bridge, so it is a message.
        match Message::parse(line) {
            Ok(message) => self.feed(Event::Said(seat, message)),
            Err(why) => warn!(session = self.number, bytes = line.len(), why:?; "session said what is no message"),
        }
    }

    fn on_left(&mut self, seat: Seat) {
        // What it said before comes first, unless the child does not read: then nobody waits for that.
        for _ in 0..self.said.1.len() {
            let Some((seat, line)) = self.outgoing.takes_lines(0).then(|| self.said.1.try_recv().ok()).flatten() else {
                break;
            };
            self.on_said(seat, &line);
        }
        self.seats.remove(&seat);
        self.undelivered.retain(|(to, _)| *to != seat);
        self.empty_since = Instant::now();
        self.feed(Event::Left(seat));
    }

    fn feed(&mut self, event: Event) {
        let (now, asks) = (Instant::now(), matches!(event, Event::Said(_, Message::Request(_))));
        let is_childs = matches!(event, Event::Child(_) | Event::Oversized(_));
        let author = if is_childs { Author::Child } else { Author::Client };
        let mut outputs = std::mem::take(&mut self.outputs);
        self.shared.on(event, now - self.started, &mut outputs);
        for output in outputs.drain(..) {
            match output {
                Output::ToChild(line) => {
                    if asks {
                        self.signs.asked(now);
                    }
                    self.write(line, author);
                }
                Output::ToSeat(seat, line) => self.undelivered.push_back((seat, FromChild::Line(line))),
                Output::TooLong(seat, line) => self.undelivered.push_back((seat, FromChild::Oversized(line))),
                Output::Stray(what) => debug!(session = self.number; "{what}"),
            }
        }
        self.outputs = outputs;
        self.signs.greets(self.shared.is_mute(), now);
        self.deliver();
    }

    fn on_silence(&mut self) {
        match self.signs.verdict(Instant::now()) {
            Some(Verdict::Ask) => self.feed(Event::Ping),
            Some(Verdict::GiveUp) => {
                warn!(session = self.number; "the shared child does not answer, and is ended");
                // Its end, of which its sessions hear, follows as an event.
                self.child.begin_stop();
            }
            None => {}
        }
    }

    fn write(&mut self, line: Bytes, author: Author) {
        if self.outgoing.push(line, author) {
            self.registry.metrics.limits.add(Limit::ChildQueue);
        }
    }
}

/// Until there is room, or nobody to need any.
async fn room(behind: Option<&mpsc::Sender<FromChild>>) {
    if let Some(events) = behind {
        let _ = events.reserve().await;
    }
}

#[path = "delivery.rs"]
mod delivery;
