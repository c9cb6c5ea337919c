//! Ids, remapped. The client's ids never reach the child, nor the child's the client: each request gets a fresh
//! number, and its answer returns under the exact text it was asked with. A request's number is its progress token
//! too. So equal ids of two clients, `1` beside `"1"`, or an id used twice cannot cross or lose an answer.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::compose::{self, Edited};
use super::jsonrpc::{Notification, Request, RequestId, Response};
use super::rejection::Rejection;
use super::request_id::issued;
use super::route::{Route, Seat};

/// Tasks whose progress is still passed on after their request was answered.
const MAX_TASKS: usize = 256;

/// Questions that may be open. A child that asks on and on and is never answered must not cost memory for ever.
const MAX_QUESTIONS: usize = 1024;
const NOT_ANSWERED: &str = "the client has not answered, and too many newer requests wait for it too";

/// A cancelled call need not be answered (basic/utilities/cancellation), but may still be, for so long.
pub(super) const CANCELLED_FOR: Duration = Duration::from_secs(2);

/// A client's request that the child has not answered.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: RequestId,
    pub route: Route,
    /// Log messages about it are wanted.
    pub logs: bool,
    progress_token: Option<Bytes>,
    task: bool,
}

/// A child's request that the client has not answered.
#[derive(Clone, Debug)]
struct Question {
    id: RequestId,
    route: Route,
}

/// A message for a client, and where it belongs.
pub type Routed = (Route, Bytes);

#[derive(Debug, Default)]
pub struct Correlator {
    last: u64,
    calls: BTreeMap<u64, Call>,
    questions: BTreeMap<u64, Question>,
    /// Calls for whose answers nobody waits, and since when; the oldest first.
    cancelled: VecDeque<(u64, Duration)>,
    /// Progress tokens that outlive their request (2025-11-25 basic/utilities/tasks §Task Progress).
    tasks: VecDeque<(u64, Seat, Bytes)>,
    /// The newest request before something was written that is none, or was given up; until a newer one is answered,
    /// the child may not have read it.
    noted: Option<u64>,
}

impl Correlator {
    fn fresh(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The id for a request of our own.
    pub fn own(&mut self) -> u64 {
        self.fresh()
    }

    /// A client's request under a fresh number, as the child shall see it.
    ///
    /// # Errors
    /// [`Rejection::AmbiguousParams`]
    pub fn call(&mut self, request: &Request, route: Route) -> Result<(u64, Bytes), Rejection> {
        let meta = match &request.params {
            Some(params) => compose::request_meta(params).map_err(|_| Rejection::AmbiguousParams)?,
            None => compose::RequestMeta::default(),
        };
        let number = self.fresh();
        let text = Bytes::from(number.to_string());
        let params = request.params.clone().map(|params| match &meta.progress_token {
            Some(token) => Edited::replacing(params, token, text.clone()),
            None => Edited::unchanged(params),
        });
        let line = compose::request(&text, &request.method, params.as_ref());
        // Copies: slices would keep the whole body in memory until the answer comes.
        let progress_token = meta.progress_token.map(|token| Bytes::copy_from_slice(&token));
        let call = Call { id: request.id.detached(), route, logs: meta.logs, progress_token, task: meta.task };
        self.calls.insert(number, call);
        Ok((number, line))
    }

    /// The child may yet complain of something else than the calls in flight.
    pub fn note(&mut self) {
        self.noted = Some(self.last);
    }

    /// JSON-RPC 2.0 §5: an error has no id when the server could not read that of the request. It answers the one call
    /// that the child has not read yet, if there is just one, and nothing else that it may complain of.
    pub fn attribute(&self, response: &mut Response, may_be_unread: impl Fn(u64) -> bool) {
        if response.id.is_some() || self.noted.is_some() {
            return;
        }
        let mut unread = self.calls.keys().copied().filter(|number| may_be_unread(*number));
        response.id = unread.next().filter(|_| unread.next().is_none()).map(RequestId::from);
    }

    /// The child's answer to a call, under the client's id. `None` when nothing was asked under that id.
    pub fn answer(&mut self, response: Response) -> Option<Routed> {
        // The id shares the line's memory, which a large outcome shall have for itself.
        let Response { id, outcome } = response;
        let number = id?.as_issued()?;
        let call = self.calls.remove(&number)?;
        self.noted.take_if(|noted| number > *noted);
        if let Some(token) = call.progress_token.filter(|_| call.task) {
            self.tasks.push_back((number, call.route.seat, token));
            if self.tasks.len() > MAX_TASKS {
                self.tasks.pop_front();
            }
        }
        Some((call.route, compose::response(call.id.as_bytes(), outcome)))
    }

    /// The child's `notifications/progress`, under the client's token.
    pub fn progress(&self, note: &Notification) -> Option<Routed> {
        let params = note.params.as_ref()?;
        let ours = compose::progress_token(params)?;
        let number = issued(&ours)?;
        let (route, token) = match self.calls.get(&number) {
            Some(call) => (call.route, call.progress_token.as_ref()?),
            None => {
                let (_, seat, token) = self.tasks.iter().find(|(task, ..)| *task == number)?;
                (Route::standalone(*seat), token)
            }
        };
        let params = Edited::replacing(params.clone(), &ours, token.clone());
        Some((route, compose::notification(&note.method, Some(&params))))
    }

    /// A client's `notifications/cancelled` for its newest call with that id, as the child shall see it.
    pub fn cancelled_by_client(&self, note: &Notification, seat: Seat) -> Option<(u64, Bytes)> {
        let params = note.params.as_ref()?;
        let theirs = compose::request_id(params)?;
        let named = |call: &Call| call.route.seat == seat && call.id.as_bytes() == theirs;
        let (number, _) = self.calls.iter().rev().find(|(_, call)| named(call))?;
        let params = Edited::replacing(params.clone(), &theirs, number.to_string().into());
        Some((*number, compose::notification(&note.method, Some(&params))))
    }

    /// Nobody waits for that call's answer any more: [`Self::expire`] gives it up if none comes.
    pub fn cancel(&mut self, number: u64, now: Duration) {
        let known = self.cancelled.iter().any(|(cancelled, _)| *cancelled == number);
        if !known && self.calls.contains_key(&number) {
            self.cancelled.push_back((number, now));
        }
    }

    /// Gives up the calls that were cancelled and have had their time.
    pub fn expire(&mut self, now: Duration) -> Vec<(u64, Call)> {
        let mut expired = Vec::new();
        while let Some((number, _)) = self.cancelled.pop_front_if(|(_, at)| now >= *at + CANCELLED_FOR) {
            expired.extend(self.calls.remove(&number).map(|call| (number, call)));
        }
        expired
    }

    /// A child's request, as the client shall see it; and the answer to the oldest one, if that makes room for it.
    pub fn ask(&mut self, request: &Request, route: Route) -> (Bytes, Option<Bytes>) {
        let number = self.fresh();
        let oldest = if self.questions.len() >= MAX_QUESTIONS { self.questions.pop_first() } else { None };
        let given_up =
            oldest.map(|(_, oldest)| compose::failure(oldest.id.as_bytes(), NOT_ANSWERED, "too_many_questions"));
        self.questions.insert(number, Question { id: request.id.detached(), route });
        let params = request.params.clone().map(Edited::unchanged);
        (compose::request(number.to_string().as_bytes(), &request.method, params.as_ref()), given_up)
    }

    /// The answer to a question by the client that was asked, under the child's id. `None` when nothing was asked, or
    /// it was answered.
    pub fn answer_from_client(&mut self, response: &Response, seat: Seat) -> Option<Bytes> {
        let number = response.answers()?;
        self.questions.get(&number).filter(|question| question.route.seat == seat)?;
        let question = self.questions.remove(&number)?;
        Some(compose::response(question.id.as_bytes(), response.outcome.clone()))
    }

    /// The child's `notifications/cancelled` for one of its questions.
    pub fn cancelled_by_child(&mut self, note: &Notification) -> Option<Routed> {
        let params = note.params.as_ref()?;
        let theirs = compose::request_id(params)?;
        let (&number, _) = self.questions.iter().rev().find(|(_, question)| question.id.as_bytes() == theirs)?;
        let question = self.questions.remove(&number)?;
        let params = Edited::replacing(params.clone(), &theirs, number.to_string().into());
        Some((question.route, compose::notification(&note.method, Some(&params))))
    }

    /// Forgets the child's questions; `notifications/cancelled` tells their clients that nobody waits for an answer.
    pub fn withdraw_questions(&mut self) -> Vec<Routed> {
        let questions = std::mem::take(&mut self.questions);
        let withdrawn = |(number, question): (u64, Question)| {
            (question.route, compose::cancelled(number, "the MCP server has ended"))
        };
        questions.into_iter().map(withdrawn).collect()
    }

    /// What the child is told about its questions to a client that has left without an answer.
    pub fn leave_unanswered(&mut self, seat: Seat) -> Vec<Bytes> {
        let (left, open) =
            std::mem::take(&mut self.questions).into_iter().partition(|(_, question)| question.route.seat == seat);
        self.questions = open;
        let left: BTreeMap<u64, Question> = left;
        let failed =
            |question: Question| compose::failure(question.id.as_bytes(), "the client has left", "client_gone");
        left.into_values().map(failed).collect()
    }

    /// Where the oldest call in flight among those that `admits` waits: legacy stdio does not say which call a child's
    /// question or log line is about.
    pub fn oldest(&self, admits: impl Fn(Route) -> bool) -> Option<Route> {
        self.calls.values().map(|call| call.route).find(|&route| admits(route))
    }

    /// Calls in flight, oldest first, with their numbers.
    pub fn calls(&self) -> impl Iterator<Item = (u64, &Call)> {
        self.calls.iter().map(|(&number, call)| (number, call))
    }

    pub fn numbers(&self, of: impl Fn(u64, &Call) -> bool) -> Vec<u64> {
        self.calls().filter(|(number, call)| of(*number, call)).map(|(number, _)| number).collect()
    }

    pub fn find(&self, number: u64) -> Option<&Call> {
        self.calls.get(&number)
    }

    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Gives up one call.
    pub fn abandon(&mut self, number: u64) -> Option<Call> {
        self.calls.remove(&number)
    }

    /// Gives up the calls of one route, or of all.
    pub fn abandon_where(&mut self, of: impl Fn(Route) -> bool) -> Vec<(u64, Call)> {
        let numbers: Vec<u64> =
            self.calls.iter().filter(|(_, call)| of(call.route)).map(|(&number, _)| number).collect();
        // The child may not have read them yet.
        if !numbers.is_empty() {
            self.note();
        }
        numbers.into_iter().filter_map(|number| self.calls.remove(&number).map(|call| (number, call))).collect()
    }
}

#[cfg(test)]
#[path = "correlate_tests.rs"]
mod tests;
