//! The actor's third part: its child has ended by itself, and the session goes on with another one if that can be told
//! all that the lost one was.

use log::{info, warn};
use tokio::sync::mpsc;

use super::super::restart::Spawned;
use super::{Actor, Ending, Event};
use crate::child::{ExitReason, FromChild};

impl Actor {
    /// Whatever the exit status: a child that leaves between two calls is missed as well.
    pub(super) fn on_exit(&mut self, reason: ExitReason) {
        self.restart.reason = reason;
        if !self.bridge.can_reopen() || self.session.drain.is_cancelled() {
            self.ending = Some(Ending::Child(reason));
            return;
        }
        if self.in_use.0.take().is_some() {
            self.session.metrics.child_exits.add(reason.into());
        }
        self.outgoing.clear();
        let lost = Ending::Child(reason);
        self.feed(Event::Lost { message: lost.message(), reason: lost.reason() });
        self.try_again();
    }

    fn try_again(&mut self) {
        if !self.restart.lost(self.now) {
            warn!(session = self.session.number; "child ended too often");
            self.ending = Some(Ending::Child(self.restart.reason));
        }
    }

    /// What the fresh child says, if there is one.
    pub(super) fn on_fresh(&mut self, spawned: std::io::Result<Spawned>) -> Option<mpsc::Receiver<FromChild>> {
        match spawned {
            Ok((child, events)) => {
                self.in_use.0 = child.is_process().then(|| self.session.metrics.child());
                self.child = child;
                self.restart.opening(self.now);
                self.feed(Event::Fresh);
                Some(events)
            }
            Err(cause) => {
                warn!(session = self.session.number, cause:%; "another child could not be started");
                self.try_again();
                None
            }
        }
    }

    pub(super) fn on_reopened(&mut self) {
        self.restart.reopened(self.now);
        self.session.metrics.child_restarts.inc();
        info!(session = self.session.number, pid = self.child.id(); "session goes on with another child");
    }

    pub(super) fn on_not_reopened(&mut self, why: &'static str) {
        warn!(session = self.session.number; "the session cannot go on with another child: {why}");
        self.ending = Some(Ending::Child(self.restart.reason));
    }
}
