//! The actor's other half: what is said on either side goes to the bridge, and what the bridge answers is done.

use bytes::Bytes;
use futures_util::FutureExt;
use log::{debug, warn};
use tokio::sync::{mpsc, oneshot};

use super::super::backlog::Held;
use super::super::counted;
use super::super::outgoing::Author;
use super::super::streams::Exchange;
use super::super::{Reply, ToActor};
use super::{Actor, Ending, Event, Output};
use crate::child::FromChild;
use crate::mcp::head::Accept;
use crate::mcp::jsonrpc::{Incoming, Message};
use crate::mcp::rejection::Rejection;
use crate::mcp::unreadable;
use crate::mcp::version::Era;
use crate::metrics::Limit;

const EVENTS_AT_ONCE: usize = 64;

impl Actor {
    /// An event, and those that wait behind it: few enough that clients get their turn while a child floods.
    pub(super) fn on_events(&mut self, first: Option<FromChild>, more: &mut mpsc::Receiver<FromChild>) {
        self.on_event(first);
        for _ in 1..EVENTS_AT_ONCE {
            if !self.outgoing.takes_answers() {
                return;
            }
            // What is taken out of the channel is acted upon.
            match more.try_recv() {
                Ok(event) => self.on_event(Some(event)),
                Err(_) => return,
            }
        }
    }

    fn on_event(&mut self, event: Option<FromChild>) {
        match event {
            Some(FromChild::Line(line)) => self.on_line(line),
            Some(FromChild::Oversized(line)) => {
                self.signs.heard();
                warn!(session = self.session.number, bytes = line.bytes; "child wrote a line over --max-line");
                self.feed(Event::Oversized(line));
            }
            Some(FromChild::Exited(reason)) => self.on_exit(reason),
            None => self.ending = Some(Ending::Stopped),
        }
    }

    fn on_line(&mut self, line: Bytes) {
        self.signs.heard();
        match Incoming::parse_line(&line) {
            Ok(said) => {
                // Only the message has its memory then, and a large result is passed on without a copy.
                drop(line);
                said.into_messages().for_each(|message| self.feed(Event::Child(message)));
            }
            Err(why) => {
                warn!(session = self.session.number, bytes = line.len(), why:?; "child wrote a line that is no message");
                unreadable::in_place_of(&line, why).into_iter().for_each(|failed| self.feed(Event::Child(failed)));
            }
        }
    }

    /// Lets the bridge decide and does what it says.
    pub(super) fn feed(&mut self, event: Event) {
        let mut outputs = std::mem::take(&mut self.outputs);
        let author = match event {
            Event::Child(Message::Request(_)) | Event::Oversized(_) => Author::Child,
            _ => Author::Client,
        };
        let outcome = counted::heard(&event, &self.session.metrics);
        let (asks, progresses) = (matches!(event, Event::Call { .. }), is_progress(&event));
        self.bridge.on(event, self.now - self.started, &self.streams, &mut outputs);
        self.know_busy();
        for output in outputs.drain(..) {
            counted::said(&output, outcome, &self.session.metrics);
            if progresses && let Output::Say { route, .. } = &output {
                self.streams.progressed(route.stream, self.now);
            }
            if asks && matches!(output, Output::ToChild(_)) {
                self.signs.asked(self.now);
            }
            self.carry_out(output, author);
        }
        self.outputs = outputs;
        if self.bridge.held() == 0 {
            self.held.clear();
        }
    }

    fn carry_out(&mut self, output: Output, author: Author) {
        match output {
            Output::ToChild(line) => self.write(line, author),
            Output::Say { route, message } => self.streams.send(route.stream, &message),
            Output::Answer { route, status, message } => self.streams.answer(route.stream, status, message),
            Output::Opened { version, .. } => {
                self.streams.opened(version);
                self.session.set_version(version);
            }
            Output::NotOpened { route, message } => {
                self.streams.not_opened(route.stream, message);
                self.ending.get_or_insert(Ending::NotOpened);
            }
            Output::Reopened => self.on_reopened(),
            Output::NotReopened(why) => self.on_not_reopened(why),
            Output::Refused { route, why } => self.streams.refuse(route.stream, why),
            Output::Closed(route) => self.streams.close(route.stream),
            Output::Tools(page) => self.session.tools.learn(&page, self.session.number),
            Output::AllTools => self.session.tools.complete(),
            Output::ToolsChanged => self.session.tools.changed(),
            Output::Log(params) => {
                let params = String::from_utf8_lossy(&params);
                debug!(session = self.session.number, params:%; "child logged about no request that asked for it");
            }
            Output::Stray(what) => debug!(session = self.session.number; "{what}"),
        }
    }

    fn write(&mut self, line: Bytes, author: Author) {
        let line = self.session.backlog.line(line, self.large.as_mut());
        // The usual case is room in the child's queue; then no line waits here. Nor does one for a child that no longer
        // reads: its exit follows on the other channel, and fails what was asked.
        if self.outgoing.is_empty() && self.child.send(line.clone()).now_or_never().is_some() {
            return;
        }
        if self.outgoing.push(line, author) {
            self.session.metrics.limits.add(Limit::ChildQueue);
        }
    }

    pub(super) fn on_client(&mut self, message: ToActor) {
        self.session.touch(self.now);
        match message {
            ToActor::Call { incoming, accept, reply } => self.on_call(incoming, accept, reply),
            ToActor::Large(held, message) => self.on_large(held, *message),
            ToActor::Relay(incoming) => self.feed(Event::Relay { seat: self.streams.seat(), incoming }),
            ToActor::Listen { last, reply } => {
                let events = self.streams.listen(last);
                self.know_busy();
                // Nobody is there any more when this fails.
                let _ = reply.send(events);
            }
            ToActor::ListTools => self.feed(Event::ListTools),
            ToActor::ListenToAll { reply } => {
                let events = self.streams.listen_to_all();
                self.know_busy();
                drop(reply.send(events));
            }
            ToActor::Left => self.on_left(),
        }
    }

    /// Its lines are counted in its place; what waits for another child, here.
    fn on_large(&mut self, held: Held, message: ToActor) {
        let before = self.bridge.held();
        self.large = Some(held);
        self.on_client(message);
        let rest = self.large.take();
        if self.bridge.held() > before {
            self.held.extend(rest);
        }
    }

    pub(super) fn on_call(&mut self, incoming: Incoming, accept: Accept, reply: oneshot::Sender<Reply>) {
        if self.session.drain.is_cancelled() {
            // Nobody is there any more when this fails.
            return drop(reply.send(Reply::Refused(Rejection::ShuttingDown)));
        }
        let exchange = Exchange {
            accept,
            reply,
            requests: incoming.requests(),
            batch: matches!(incoming, Incoming::Batch(_)),
            opening: !self.session.is_opened(),
        };
        let route = self.streams.open(exchange, self.now);
        self.feed(Event::Call { route, incoming });
        self.streams.taken_on(route);
    }

    /// A call that came when the child was at its end. Unless it was the child that failed, in which case it shares the
    /// fate of those in flight: one that stands alone can have another child, and one of a session that is over finds
    /// none (2025-11-25 basic/transports §Session Management 3: 404, and the client starts anew).
    pub(super) fn on_late_call(
        &mut self,
        ending: Ending,
        incoming: Incoming,
        accept: Accept,
        reply: oneshot::Sender<Reply>,
    ) {
        match (self.session.era(), ending) {
            (Era::Modern, Ending::Idle | Ending::Stopped) => drop(reply.send(Reply::NotTaken(incoming))),
            (Era::Legacy, Ending::Idle | Ending::Stopped) => {
                drop(reply.send(Reply::Refused(Rejection::SessionUnknown)))
            }
            _ => self.on_call(incoming, accept, reply),
        }
    }

    pub(super) fn on_left(&mut self) {
        for route in self.streams.forsaken() {
            self.feed(Event::Gone(route));
        }
    }
}

/// Of a call: the bridge says where it belongs.
fn is_progress(event: &Event) -> bool {
    matches!(event, Event::Child(Message::Notification(note)) if note.method.is("notifications/progress"))
}
