//! The hub's other half: what the shared child has said reaches its sessions, and so does its end.

use log::info;
use tokio::sync::mpsc;

use super::Hub;
use crate::child::{ExitReason, FromChild};

impl Hub {
    /// As far as their actors have room.
    pub(super) fn deliver(&mut self) {
        while let Some((seat, event)) = self.undelivered.pop_front() {
            // One that is gone needs no word.
            let told = self.seats.get(&seat).map(|events| events.try_send(event));
            if let Some(Err(mpsc::error::TrySendError::Full(event))) = told {
                return self.undelivered.push_front((seat, event));
            }
        }
    }

    pub(super) async fn end(mut self, ended: Option<ExitReason>) {
        self.registry.close_entrance(&self.key, self.child.id());
        self.knocks.close();
        if let Some(reason) = ended {
            while let Ok(knock) = self.knocks.try_recv() {
                self.let_in(knock);
            }
            // Sessions that had much to say listen again.
            self.listening.clear();
            let stop = self.stop.clone();
            tokio::select! {
                () = self.tell_all(reason) => {}
                () = stop.cancelled() => {}
            }
        }
        let Self { child, number, registry, _in_use, .. } = self;
        let exit = child.stop().await;
        registry.metrics.child_exits.add(exit.into());
        info!(session = number, exit:%; "the shared child ended");
    }

    async fn tell_all(&mut self, reason: ExitReason) {
        self.undelivered.extend(self.seats.keys().map(|&seat| (seat, FromChild::Exited(reason))));
        for (seat, event) in self.undelivered.drain(..) {
            if let Some(events) = self.seats.get(&seat) {
                let _ = events.send(event).await;
            }
        }
    }
}
