//! The task that owns one child: it feeds the [`Bridge`] with what clients and the child say and with time, and does
//! what that answers. It waits for no reader and for no writer, so neither a slow client nor a stuck child can stop it.

use std::sync::Arc;

use log::{info, warn};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};

use super::ToActor;
use super::backlog::Held;
use super::ending::Ending;
use super::outgoing::Outgoing;
use super::registry::Session;
use super::restart::{Restart, Spawned};
use super::signs_of_life::{SignsOfLife, Verdict};
use super::streams::Streams;
use crate::child::{Child, FromChild};
use crate::config::SessionLimits;
use crate::mcp::bridge::durable::Durable;
use crate::mcp::bridge::legacy::Legacy;
use crate::mcp::bridge::modern::Modern;
use crate::mcp::bridge::{Bridge, Event, Output};
use crate::mcp::route::Seat;
use crate::mcp::version::Era;
use crate::metrics::{InUse, Limit};

/// How often deadlines are looked at while something is open.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two keep-alive comments.
const KEEP_ALIVE_TICKS: u64 = 15;

pub(crate) struct Actor {
    child: Child,
    session: Arc<Session>,
    limits: SessionLimits,
    inbox: mpsc::Receiver<ToActor>,
    bridge: Bridge,
    restart: Restart,
    signs: SignsOfLife,
    /// What the bridge said last; empty between two steps.
    outputs: Vec<Output>,
    streams: Streams,
    outgoing: Outgoing,
    /// The room of messages that wait for another child.
    held: Vec<Held>,
    /// Of the client's message that is just taken on.
    large: Option<Held>,
    started: Instant,
    now: Instant,
    ticks: u64,
    draining: bool,
    ending: Option<Ending>,
    in_use: (Option<InUse>, InUse),
}

enum Step {
    Child(Option<FromChild>),
    Fresh(std::io::Result<Spawned>),
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
        let (seat, now) = (Seat(0), Instant::now());
        let (bridge, replay_bytes) = match session.era() {
            Era::Legacy => {
                (Bridge::Legacy(Durable::new(Legacy::new(seat, limits.max_calls))), Some(limits.replay_bytes))
            }
            Era::Modern => (Bridge::Modern(Modern::new(limits.max_calls)), None),
        };
        let signs = SignsOfLife::new(limits.call_timeout.filter(|_| session.era() == Era::Modern));
        let streams = Streams::new(seat, session.before, replay_bytes, session.inbox.clone(), &session.metrics);
        Self {
            in_use: (
                child.is_process().then(|| session.metrics.child()),
                session.metrics.sessions_open.hold(session.era().into()),
            ),
            child,
            session,
            limits,
            inbox,
            bridge,
            restart: Restart::new(now),
            signs,
            outputs: Vec::new(),
            streams,
            outgoing: Outgoing::default(),
            held: Vec::new(),
            large: None,
            started: now,
            now,
            ticks: 0,
            draining: false,
            ending: None,
        }
    }

    /// The session's whole life; afterwards its child and all that it started are gone.
    pub(super) async fn run(mut self, mut from_child: mpsc::Receiver<FromChild>) {
        let timer = sleep_until(Instant::now() + TICK);
        tokio::pin!(timer);
        let ending = loop {
            let step = self.next(&mut from_child, timer.as_mut()).await;
            self.now = Instant::now();
            match step {
                Step::Child(event) => self.on_events(event, &mut from_child),
                Step::Fresh(spawned) => {
                    if let Some(events) = self.on_fresh(spawned) {
                        from_child = events;
                    }
                }
                Step::Client(message) => self.on_client(message),
                Step::Written(true) => self.outgoing.pop(),
                // The child no longer reads. Its exit, which says why, follows on the other channel.
                Step::Written(false) => self.outgoing.clear(),
                Step::Tick => timer.as_mut().reset(self.on_tick()),
                Step::Stop => self.ending = Some(Ending::Stopped),
                Step::Drain => self.on_drain(),
            }
            if self.know_busy() && timer.deadline() > self.now + TICK {
                timer.as_mut().reset(self.now + TICK);
            }
            if self.streams.is_abandoned() {
                self.ending.get_or_insert(Ending::Stopped);
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
        let drainable = !self.draining || self.bridge.in_flight() == 0;
        // A session that nobody uses needs no child.
        let (lost, wanted) = (self.restart.is_lost(), self.is_busy() || self.bridge.held() > 0);
        let waiting = self.outgoing.first();
        let (speaks, hears) = (self.outgoing.takes_lines(self.bridge.held()), self.outgoing.takes_answers());
        tokio::select! {
            event = from_child.recv(), if !lost && hears => Step::Child(event),
            spawned = self.restart.fresh(|| self.session.respawn()), if lost && wanted => Step::Fresh(spawned),
            Some(message) = self.inbox.recv(), if speaks => Step::Client(message),
            sent = self.child.send(waiting.clone().unwrap_or_default()), if waiting.is_some() => Step::Written(sent.is_ok()),
            () = timer => Step::Tick,
            () = self.session.stop.cancelled() => Step::Stop,
            () = self.session.drain.cancelled(), if drainable => Step::Drain,
        }
    }

    fn on_drain(&mut self) {
        if !std::mem::replace(&mut self.draining, true) {
            self.feed(Event::Drain);
        }
        if self.bridge.in_flight() == 0 {
            self.ending = Some(Ending::Drained);
        }
    }

    /// Looks at all deadlines; returns when to look again.
    fn on_tick(&mut self) -> Instant {
        self.ticks += 1;
        self.streams.tick(self.now, self.ticks.is_multiple_of(KEEP_ALIVE_TICKS));
        self.on_left();
        self.feed(Event::Tick);
        if self.restart.is_late(self.now) {
            self.child.begin_stop();
        }
        if let Some(patience) = self.limits.call_timeout {
            for (route, patience) in self.streams.overdue(patience, self.now) {
                self.feed(Event::Silent { route, patience });
            }
        }
        self.on_silence();
        if self.know_busy() {
            return self.now + TICK;
        }
        let idle_at = self.session.last_used() + self.limits.idle_timeout;
        if idle_at <= self.now {
            self.session.metrics.limits.add(Limit::IdleTimeout);
            self.ending = Some(Ending::Idle);
        }
        self.signs.due().map_or(idle_at, |due| due.min(idle_at))
    }

    /// Of a child that many share; a session's own is its client's business.
    fn on_silence(&mut self) {
        match self.signs.verdict(self.now) {
            Some(Verdict::Ask) => self.feed(Event::Ping),
            Some(Verdict::GiveUp) => {
                warn!(session = self.session.number; "the shared child does not answer, and is ended");
                self.session.leave_pool();
                // Its end follows as an event.
                self.child.begin_stop();
            }
            None => {}
        }
    }

    /// To be known before a client hears of it: what it does next may depend on that, as whose place a new session takes.
    fn know_busy(&self) -> bool {
        let busy = self.is_busy();
        self.session.set_busy(busy, self.now);
        busy
    }

    fn is_busy(&self) -> bool {
        self.bridge.in_flight() > 0 || self.streams.is_listening()
    }

    /// Everybody who waits is told, the streams end, the child is stopped with all it started.
    async fn end(mut self, ending: Ending) {
        if self.session.era() == Era::Modern && matches!(ending, Ending::Child(_)) {
            self.session.crashed(self.now);
        }
        self.session.forget();
        self.inbox.close();
        while let Ok(message) = self.inbox.try_recv() {
            // Handed over before the end was known.
            if let ToActor::Call { incoming, accept, reply } = message.alone() {
                self.on_late_call(ending, incoming, accept, reply);
            }
        }
        let graceful = !matches!(ending, Ending::Child(_));
        self.feed(Event::End { message: ending.message(), reason: ending.reason(), graceful });
        let Self { child, session, streams, inbox, in_use, .. } = self;
        drop((streams, inbox));
        session.metrics.sessions_ended.add(ending.counted());
        let exit = child.stop().await;
        // A shared child is counted where it is looked after, a lost one was counted when it was lost.
        if in_use.0.is_some() {
            session.metrics.child_exits.add(exit.into());
        }
        drop(in_use);
        info!(session = session.number, reason = ending.reason(), exit:%; "session ended");
    }
}

#[path = "reopen.rs"]
mod reopen;

#[path = "interpret.rs"]
mod interpret;
