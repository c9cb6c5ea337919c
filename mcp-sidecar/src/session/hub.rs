//! One child that several sessions share (`--isolation user` and `shared`): [`Shared`] says whose each line is, here they
//! are carried. A session's actor sees a child of its own. The child ends when nobody has had a seat for the idle
//! timeout; when it ends by itself, each session is told and takes a seat at the next one.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use log::{debug, info, warn};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::registry::{Registry, Session};
use super::restart::Spawned;
use crate::child::{self, Child, ExitReason, FromChild, Pulse};
use crate::config::Common;
use crate::mcp::bridge::shared::{Event, Output, Shared};
use crate::mcp::jsonrpc::{Incoming, Malformed, Message};
use crate::mcp::lines::TooLong;
use crate::mcp::route::Seat;
use crate::mcp::skim::Passed;
use crate::metrics::{InUse, Limit};

/// What sessions say and what waits for a child which does not read; beyond that sessions wait too.
const INBOX: usize = 1024;
const MAX_OUTGOING: usize = 64;

enum ToHub {
    Join(Seat, mpsc::Sender<FromChild>),
    Said(Seat, Bytes),
    Left(Seat),
}

/// Where sessions take their seats.
#[derive(Debug)]
pub(super) struct Entrance {
    process: u32,
    pulse: Pulse,
    inbox: mpsc::Sender<ToHub>,
    seats: AtomicU32,
}

impl Entrance {
    /// `None` when there is no room or the child is about to end.
    fn take_seat(&self, queues: &child::Limits, supervisor: &Handle) -> Option<Spawned> {
        let seat = Seat(self.seats.fetch_add(1, Ordering::Relaxed) + 1);
        let (events, from_child) = mpsc::channel(queues.stdout_queue.max(1));
        self.inbox.try_send(ToHub::Join(seat, events)).ok()?;
        let (child, mut end) = child::seat::take(self.process, queues.stdin_queue);
        let hub = self.inbox.clone();
        // Ends with the child that it belongs to, which its session owns.
        supervisor.spawn(async move {
            while let Some(line) = end.line().await {
                if hub.send(ToHub::Said(seat, line)).await.is_err() {
                    break;
                }
            }
            // A hub that is gone has told everybody.
            let _ = hub.send(ToHub::Left(seat)).await;
            end.leave();
        });
        Some((child, from_child))
    }
}

impl Registry {
    /// A seat at the child that sessions of this key share; it is started if there is none. Forks: not for an async
    /// worker.
    pub(super) fn take_seat(self: &Arc<Self>, key: Common, session: &Session) -> std::io::Result<Spawned> {
        let mut hubs = self.hubs();
        let (queues, supervisor) = (&self.spawning.limits, &self.supervisor);
        let serving = hubs.get(&key).filter(|hub| hub.pulse.can_serve());
        if let Some(seat) = serving.and_then(|hub| hub.take_seat(queues, supervisor)) {
            return Ok(seat);
        }
        let (child, events) = self.spawn_process(&key.owner, session)?;
        let (sender, inbox) = mpsc::channel(INBOX);
        let no_seat = || std::io::Error::other("no seat at a new child");
        let pulse = child.pulse().ok_or_else(no_seat)?.clone();
        let entrance = Entrance { process: child.id(), pulse, inbox: sender, seats: AtomicU32::new(0) };
        let seat = entrance.take_seat(queues, supervisor).ok_or_else(no_seat)?;
        info!(session = session.number, pid = child.id(); "a child that sessions share was started");
        let hub = Hub {
            _in_use: self.metrics.child(),
            key: key.clone(),
            number: session.number,
            idle_timeout: self.limits.session.idle_timeout,
            drain: self.drain.clone(),
            registry: Arc::clone(self),
            child,
            inbox,
            shared: Shared::default(),
            seats: HashMap::new(),
            outgoing: VecDeque::new(),
            outputs: Vec::new(),
            empty_since: Instant::now(),
            started: Instant::now(),
        };
        hubs.insert(key, entrance);
        self.actors.spawn_on(hub.run(events), supervisor);
        Ok(seat)
    }

    fn hubs(&self) -> MutexGuard<'_, HashMap<Common, Entrance>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Hub {
    key: Common,
    /// Of the session that it was started for: names it in the log.
    number: u64,
    idle_timeout: Duration,
    drain: CancellationToken,
    registry: Arc<Registry>,
    child: Child,
    inbox: mpsc::Receiver<ToHub>,
    shared: Shared,
    seats: HashMap<Seat, mpsc::Sender<FromChild>>,
    outgoing: VecDeque<Bytes>,
    /// What [`Shared`] said last; empty between two steps.
    outputs: Vec<Output>,
    empty_since: Instant,
    started: Instant,
    _in_use: InUse,
}

enum Step {
    Child(Option<FromChild>),
    Seat(ToHub),
    Written(bool),
    Unused,
}

impl Hub {
    async fn run(mut self, mut from_child: mpsc::Receiver<FromChild>) {
        let ended = loop {
            match self.next(&mut from_child).await {
                Step::Child(Some(FromChild::Line(line))) => self.on_line(&line).await,
                Step::Child(Some(FromChild::Oversized(line))) => self.on_oversized(line).await,
                Step::Child(Some(FromChild::Exited(reason))) => break Some(reason),
                Step::Child(None) => break Some(ExitReason::Unknown),
                Step::Seat(said) => self.on_seat(said).await,
                Step::Written(true) => drop(self.outgoing.pop_front()),
                // The child no longer reads. Its exit, which says why, follows on the other channel.
                Step::Written(false) => self.outgoing.clear(),
                Step::Unused if self.closes() => break None,
                Step::Unused => {}
            }
        };
        drop(from_child);
        self.end(ended).await;
    }

    async fn next(&mut self, from_child: &mut mpsc::Receiver<FromChild>) -> Step {
        let empty = self.seats.is_empty();
        let waiting = self.outgoing.front().cloned();
        tokio::select! {
            event = from_child.recv() => Step::Child(event),
            Some(said) = self.inbox.recv(), if self.outgoing.len() < MAX_OUTGOING => Step::Seat(said),
            sent = self.child.send(waiting.clone().unwrap_or_default()), if waiting.is_some() => Step::Written(sent.is_ok()),
            () = sleep_until(self.empty_since + self.idle_timeout), if empty => Step::Unused,
            () = self.drain.cancelled(), if empty => Step::Unused,
        }
    }

    async fn on_line(&mut self, line: &Bytes) {
        match Incoming::parse_line(line) {
            Ok(said) => {
                for message in said.into_messages() {
                    self.feed(Event::Child(message)).await;
                }
            }
            Err(why) => self.unreadable(line, why),
        }
    }

    /// The session whose answer it was says so itself.
    async fn on_oversized(&mut self, line: TooLong) {
        if !matches!(line.was, Passed::Answer(_)) {
            warn!(session = self.number, bytes = line.bytes; "child wrote a line over --max-line");
            self.registry.metrics.limits.add(Limit::Line);
        }
        self.feed(Event::Oversized(line)).await;
    }

    fn unreadable(&self, line: &Bytes, why: Malformed) {
        warn!(session = self.number, bytes = line.len(), why:?; "child wrote a line that is no message");
    }

    async fn on_seat(&mut self, said: ToHub) {
        match said {
            ToHub::Join(seat, events) => {
                self.seats.insert(seat, events);
                self.feed(Event::Joined(seat)).await;
            }
            // Composed by the session's own bridge, so it is a message.
            ToHub::Said(seat, line) => match Message::parse(&line) {
                Ok(message) => self.feed(Event::Said(seat, message)).await,
                Err(why) => self.unreadable(&line, why),
            },
            ToHub::Left(seat) => {
                self.seats.remove(&seat);
                self.empty_since = Instant::now();
                self.feed(Event::Left(seat)).await;
            }
        }
    }

    async fn feed(&mut self, event: Event) {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.shared.on(event, self.started.elapsed(), &mut outputs);
        for output in outputs.drain(..) {
            match output {
                Output::ToChild(line) => self.outgoing.push_back(line),
                Output::ToSeat(seat, line) => self.tell(seat, FromChild::Line(line)).await,
                Output::TooLong(seat, line) => self.tell(seat, FromChild::Oversized(line)).await,
                Output::Stray(what) => debug!(session = self.number; "{what}"),
            }
        }
        self.outputs = outputs;
    }

    /// Actors always take what their child says; one that is gone needs no word.
    async fn tell(&self, seat: Seat, event: FromChild) {
        if let Some(events) = self.seats.get(&seat) {
            let _ = events.send(event).await;
        }
    }

    /// Nobody comes in after that; who came in before keeps it open.
    fn closes(&self) -> bool {
        let mut hubs = self.registry.hubs();
        let unused = self.inbox.is_empty();
        if unused {
            self.leave(&mut hubs);
        }
        unused
    }

    /// Another child may have come in its place.
    fn leave(&self, hubs: &mut HashMap<Common, Entrance>) {
        if hubs.get(&self.key).is_some_and(|hub| hub.process == self.child.id()) {
            hubs.remove(&self.key);
        }
    }

    async fn end(mut self, ended: Option<ExitReason>) {
        {
            let mut hubs = self.registry.hubs();
            self.leave(&mut hubs);
            self.inbox.close();
        }
        while let Ok(said) = self.inbox.try_recv() {
            if let ToHub::Join(seat, events) = said {
                self.seats.insert(seat, events);
            }
        }
        let seats: Vec<Seat> = self.seats.keys().copied().collect();
        for seat in seats {
            self.tell(seat, FromChild::Exited(ended.unwrap_or(ExitReason::Unknown))).await;
        }
        let Self { child, number, registry, .. } = self;
        let exit = child.stop().await;
        registry.metrics.child_exits.add(exit.into());
        info!(session = number, exit:%; "the shared child ended");
    }
}
