//! `tools/list` as the bridge itself asks it, page by page: the headers of a call can be judged only by who knows the
//! tool (2026-07-28 basic/transports/streamable-http §Server Behavior for Custom Headers).

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::Output;
use crate::mcp::compose;
use crate::mcp::correlate::Correlator;
use crate::mcp::introduction::modern_meta;
use crate::mcp::jsonrpc::{Outcome, Request};

/// A server whose cursors never end is not followed for ever.
const MAX_PAGES: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The page that is being waited for, and how many came before it.
    asked: Option<(u64, usize)>,
    /// The tools have changed since: an answer that is still to come says little, and may never come.
    outdated: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursors {
    /// Of a request.
    cursor: Option<String>,
    /// Of a result.
    next_cursor: Option<String>,
}

impl Listing {
    /// Asks for the first page, unless that is under way.
    pub(super) fn begin(&mut self, ids: &mut Correlator, outputs: &mut Vec<Output>) {
        if let Some((number, _)) = self.asked.take_if(|_| self.outdated) {
            outputs.push(Output::ToChild(compose::cancelled(number, "the tools have changed")));
        }
        if self.asked.is_none() {
            self.outdated = false;
            outputs.push(self.ask(0, None, ids));
        }
    }

    pub(super) fn outdate(&mut self) {
        self.outdated = true;
    }

    pub(super) fn awaits(&self, number: u64) -> bool {
        self.asked.is_some_and(|(asked, _)| asked == number)
    }

    /// A page came, or an error in its place; then what came before is all that will be known.
    pub(super) fn page(&mut self, outcome: Outcome, ids: &mut Correlator, outputs: &mut Vec<Output>) {
        let before = self.asked.take().map_or(MAX_PAGES, |(_, pages)| pages + 1);
        let mut next = None;
        if let Outcome::Result(result) = outcome {
            next = cursors(Some(&result)).next_cursor.filter(|_| before < MAX_PAGES);
            outputs.push(Output::Tools(result));
        }
        outputs.push(match next {
            Some(cursor) => self.ask(before, Some(&cursor), ids),
            None => Output::AllTools,
        });
    }

    fn ask(&mut self, pages: usize, cursor: Option<&str>, ids: &mut Correlator) -> Output {
        let number = ids.own();
        self.asked = Some((number, pages));
        let mut params = json!({ "_meta": modern_meta() });
        if let Some(cursor) = cursor {
            params["cursor"] = cursor.into();
        }
        Output::ToChild(compose::own_request(number, "tools/list", &params))
    }
}

/// Whether a client asks for the first page of the tools, or for a later one; `None` for any other request.
pub(super) fn asks_first_page(request: &Request) -> Option<bool> {
    let lists = request.method.is("tools/list");
    lists.then(|| cursors(request.params.as_ref()).cursor.is_none())
}

/// What a client was told of the tools; all, if one page is all.
pub(super) fn overheard(result: &Bytes, first: bool, outputs: &mut Vec<Output>) {
    outputs.push(Output::Tools(result.clone()));
    if first && cursors(Some(result)).next_cursor.is_none() {
        outputs.push(Output::AllTools);
    }
}

fn cursors(object: Option<&Bytes>) -> Cursors {
    object.and_then(|object| serde_json::from_slice(object).ok()).unwrap_or_default()
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
