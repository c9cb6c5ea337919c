//! The actor's other half: what clients send, what time brings, and the end.

use tokio::sync::oneshot;

use super::{
    Actor, CANCELLED_FOR, Duration, Ending, Exchange, Incoming, Instant, KEEP_ALIVE_TICKS, Message, Notification,
    Rejection, Reply, TICK, ToActor, compose, debug, info,
};
use crate::mcp::head::Accept;

impl Actor {
    pub(super) fn on_call(&mut self, incoming: Incoming, accept: Accept, reply: oneshot::Sender<Reply>, now: Instant) {
        let requests = incoming.requests();
        if let Err(refused) = self.admit(requests) {
            // The client has left: nobody is there to be told.
            return drop(reply.send(Reply::Refused(refused)));
        }
        let stream = self.streams.next_id();
        let mut lines = Vec::with_capacity(requests);
        for message in incoming.messages() {
            if let Message::Request(request) = message {
                match self.ids.call(request, stream) {
                    Ok(line) => lines.push(line),
                    Err(refused) => {
                        self.ids.abandon_where(|other| other == stream);
                        return drop(reply.send(Reply::Refused(refused)));
                    }
                }
            }
        }
        let batch = matches!(incoming, Incoming::Batch(_));
        let opening = !self.session.is_opened();
        self.streams.open(Exchange { accept, reply, requests, batch, opening }, now);
        lines.into_iter().for_each(|line| self.write(line));
        if batch {
            self.relay(incoming.messages(), now);
        }
    }

    fn admit(&self, requests: usize) -> Result<(), Rejection> {
        if self.session.drain.is_cancelled() {
            return Err(Rejection::ShuttingDown);
        }
        if self.ids.in_flight() + requests > self.limits.max_calls {
            return Err(Rejection::TooManyCalls);
        }
        Ok(())
    }

    /// Notifications and responses of a client.
    pub(super) fn relay(&mut self, messages: &[Message], now: Instant) {
        for message in messages {
            let line = match message {
                Message::Request(_) => continue,
                Message::Notification(note) if note.method.is("notifications/cancelled") => self.cancel(note, now),
                Message::Notification(note) => {
                    let params = note.params.clone().map(compose::Edited::unchanged);
                    Some(compose::notification(&note.method, params.as_ref()))
                }
                Message::Response(response) => self.ids.answer_from_client(response),
            };
            match line {
                Some(line) => self.write(line),
                None => debug!(session = self.session.number; "client answered or cancelled what is not open"),
            }
        }
    }

    fn cancel(&mut self, note: &Notification, now: Instant) -> Option<bytes::Bytes> {
        let (number, line) = self.ids.cancelled_by_client(note)?;
        self.cancelled.push((number, now));
        Some(line)
    }

    /// Looks at all deadlines; returns when to look again.
    pub(super) fn on_tick(&mut self, now: Instant) -> Instant {
        self.ticks += 1;
        self.streams.tick(now, self.ticks.is_multiple_of(KEEP_ALIVE_TICKS));
        self.expire_cancelled(now);
        if let Some(patience) = self.limits.call_timeout {
            self.expire_silent(patience, now);
        }
        if self.is_busy() {
            self.session.touch(now);
            return now + TICK;
        }
        let idle_at = self.session.last_used() + self.limits.idle_timeout;
        if idle_at <= now {
            self.ending = Some(Ending::Idle);
        }
        idle_at
    }

    fn expire_cancelled(&mut self, now: Instant) {
        let (due, waiting) = self.cancelled.iter().partition(|(_, at)| now - *at >= CANCELLED_FOR);
        self.cancelled = waiting;
        let due: Vec<(u64, Instant)> = due;
        for (number, _) in due {
            if let Some(call) = self.ids.abandon(number) {
                let failure = compose::failure(call.id.as_bytes(), "the request was cancelled", "cancelled");
                self.streams.answer(call.stream, failure);
            }
        }
    }

    fn expire_silent(&mut self, patience: Duration, now: Instant) {
        for stream in self.streams.silent_for(patience, now) {
            let message = format!("the MCP server said nothing for {} s", patience.as_secs());
            for number in self.fail(|other| other == stream, &message, "call_timeout") {
                self.write(compose::cancelled(number, "call timeout"));
            }
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.ids.in_flight() > 0 || self.streams.is_listening()
    }

    /// Everybody who waits is told, the streams end, the child is stopped with all it started.
    pub(super) async fn end(mut self, ending: Ending) {
        self.session.forget();
        self.inbox.close();
        while let Ok(message) = self.inbox.try_recv() {
            // Handed over before the end was known: it shares the fate of those in flight.
            if let ToActor::Call { incoming, accept, reply } = message {
                self.on_call(incoming, accept, reply, Instant::now());
            }
        }
        self.fail(|_| true, &ending.message(), ending.reason());
        let Self { child, session, streams, inbox, .. } = self;
        drop((streams, inbox));
        let exit = child.stop().await;
        info!(session = session.number, reason = ending.reason(), exit:%; "session ended");
    }
}
