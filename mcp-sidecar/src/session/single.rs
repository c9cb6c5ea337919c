//! A session of 2024-11-05 has one stream for everything, and is over when that is closed.

use bytes::Bytes;

use super::super::Reply;
use super::super::sink::Events;
use super::{Rejection, StreamId, Streams};

impl Streams {
    /// Once in a session's life, and first of all.
    pub(in super::super) fn listen_to_all(&mut self) -> Result<Events, Rejection> {
        self.single = true;
        self.listen(None)
    }

    pub(in super::super) fn is_abandoned(&self) -> bool {
        self.single && !self.is_listening()
    }

    pub(super) fn taken_on_elsewhere(&mut self, id: StreamId) {
        if let Some(reply) = self.pending.get_mut(&id).and_then(|pending| pending.reply.take()) {
            // The client has left: nobody is there to be told.
            let _ = reply.send(Reply::Taken);
        }
    }

    pub(super) fn answer_elsewhere(&mut self, id: StreamId, message: &Bytes) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        pending.left -= 1;
        if pending.left == 0 {
            self.pending.remove(&id);
        }
        self.send_standalone(message);
    }
}
