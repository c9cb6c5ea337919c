//! Where sessions come in at the child that they share. Each key has a slot, which whoever comes first fills: the others
//! wait for that child, nobody else does, and no lock is held while it is started.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use log::info;
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::hub::Hub;
use super::registry::{Registry, Session};
use super::restart::Spawned;
use crate::child::{self, Pulse};
use crate::config::Common;
use crate::mcp::route::Seat;

/// Sessions that wait to be let in. A hub does not let them wait, so this bounds a moment's crowd.
const CROWD: usize = 64;

/// A child that is being started, or the way in to one that was.
pub(super) type Slot = Arc<OnceCell<Entrance>>;

/// Somebody wants a seat. Dropped without an answer: at another child.
pub(super) type Knock = oneshot::Sender<Spawned>;

/// A line, and where it was said.
pub(super) type Said = (Seat, Bytes);

#[derive(Debug)]
pub(super) struct Entrance {
    process: u32,
    pulse: Pulse,
    door: mpsc::Sender<Knock>,
}

impl Entrance {
    /// `None` when the child is about to end.
    async fn take_seat(&self) -> Option<Spawned> {
        if !self.pulse.can_serve() {
            return None;
        }
        let (knock, seat) = oneshot::channel();
        self.door.send(knock).await.ok()?;
        seat.await.ok()
    }
}

impl Registry {
    /// A seat at the child that sessions of this key share; it is started if there is none.
    pub(super) async fn take_seat(self: &Arc<Self>, key: &Common, session: &Session) -> io::Result<Spawned> {
        while !self.stop.is_cancelled() {
            let slot = Arc::clone(self.hubs().entry(key.clone()).or_default());
            let mut first = None;
            let started = slot.get_or_try_init(async || {
                let (entrance, seat) = self.start_shared(key, session).await?;
                first = Some(seat);
                Ok::<_, io::Error>(entrance)
            });
            let entrance = match started.await {
                Ok(entrance) => entrance,
                Err(cause) => {
                    self.give_up(slot);
                    return Err(cause);
                }
            };
            let seat = match first {
                Some(first) => first.await.ok(),
                None => entrance.take_seat().await,
            };
            match seat {
                Some(seat) => return Ok(seat),
                None => self.close_entrance(key, entrance.process),
            }
        }
        Err(io::Error::other("the sidecar stops"))
    }

    /// The first one has knocked before the child can end: what becomes of that child, it hears.
    async fn start_shared(
        self: &Arc<Self>,
        key: &Common,
        session: &Session,
    ) -> io::Result<(Entrance, oneshot::Receiver<Spawned>)> {
        let (child, events) = self.spawn_process(&key.owner, session).await?;
        info!(session = session.number, pid = child.id(); "a child that sessions share was started");
        let (door, knocks) = mpsc::channel(CROWD);
        let (knock, seat) = oneshot::channel();
        door.try_send(knock).map_err(io::Error::other)?;
        let pulse = child.pulse().ok_or_else(|| io::Error::other("no process"))?.clone();
        let entrance = Entrance { process: child.id(), pulse, door };
        let hub = Hub::new(Arc::clone(self), key.clone(), session.number, child, knocks);
        self.actors.spawn_on(hub.run(events), &self.supervisor);
        Ok((entrance, seat))
    }

    /// Nothing could be started. Who waits for the same may still have more luck.
    fn give_up(&self, slot: Slot) {
        drop(slot);
        self.hubs().retain(|_, slot| slot.initialized() || Arc::strong_count(slot) > 1);
    }

    /// Who comes from now on comes to another child, which may be there already.
    pub(super) fn close_entrance(&self, key: &Common, process: u32) {
        let mut hubs = self.hubs();
        if hubs.get(key).and_then(|slot| slot.get()).is_some_and(|entrance| entrance.process == process) {
            hubs.remove(key);
        }
    }

    fn hubs(&self) -> MutexGuard<'_, HashMap<Common, Slot>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on what is said at a seat until it is left. What then has to wait for others is not waited for.
pub(super) async fn listen(seat: Seat, mut end: child::seat::Seat, said: mpsc::Sender<Said>) -> Seat {
    while let Some(line) = end.line().await {
        tokio::select! {
            biased;
            sent = said.send((seat, line)) => if sent.is_err() { break },
            () = end.left() => break,
        }
    }
    end.leave();
    seat
}
