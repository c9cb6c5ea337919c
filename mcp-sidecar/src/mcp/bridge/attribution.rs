//! Whose a message of a shared child is that names no call.

use bytes::Bytes;
use memchr::memmem;

use super::{Output, Shared};
use crate::mcp::compose;
use crate::mcp::jsonrpc::Request;
use crate::mcp::route::{Route, Seat};

const NOBODY_KNOWN: &str = "it cannot be told which client is asked: several share this MCP server. One that asks its \
    clients needs --isolation session";

impl Shared {
    pub(super) fn question(&mut self, request: &Request, outputs: &mut Vec<Output>) {
        let said = match self.certain(request.params.as_ref()).and_then(|seat| Some((seat, self.seats.get(&seat)?))) {
            Some((seat, member)) if member.can_answer(request) => {
                let (line, given_up) = self.ids.ask(request, Route::standalone(seat));
                outputs.extend(given_up.map(Output::ToChild));
                Output::ToSeat(seat, line)
            }
            Some(_) => Output::ToChild(compose::not_found(&request.id)),
            None if request.method.is("ping") => Output::ToChild(compose::empty(&request.id)),
            None => Output::ToChild(compose::failure(request.id.as_bytes(), NOBODY_KNOWN, "client_unknown")),
        };
        outputs.push(said);
    }

    /// What is for that seat, if it is still taken.
    pub(super) fn tell(&self, seat: Seat, message: Bytes) -> Output {
        let there = self.seats.contains_key(&seat);
        if there { Output::ToSeat(seat, message) } else { Output::Stray("it is for a session that has left") }
    }

    /// The one seat that a question or a log line with these params can be about. Calls that were cancelled a moment
    /// ago count: the child may not know it yet.
    pub(super) fn certain(&self, params: Option<&Bytes>) -> Option<Seat> {
        let mut calling = self.ids.calls().map(|(_, call)| call.route.seat);
        // 2025-11-25 basic/utilities/tasks: a task outlives the call that it began with.
        if params.is_some_and(|params| memmem::find(params, b"\"taskId\"").is_some()) {
            return self.only_seat().filter(|only| calling.all(|seat| seat == *only));
        }
        let first = calling.next().or_else(|| self.only_seat())?;
        calling.all(|seat| seat == first).then_some(first)
    }

    fn only_seat(&self) -> Option<Seat> {
        let mut seats = self.seats.keys();
        seats.next().copied().filter(|_| seats.next().is_none())
    }
}
