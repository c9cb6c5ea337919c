//! Requests that go on while something else happens.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use gateway_tests::{
    client::Client,
    harness::{Gateway, eventually},
};
use reqwest::StatusCode;

use crate::support::SOON;

/// Requests of everybody, and whether they may go home.
#[derive(Clone, Default)]
pub(crate) struct Work {
    /// Of each, how many.
    done: Arc<Mutex<Vec<usize>>>,
    over: Arc<AtomicBool>,
}

impl Work {
    /// One more person: their number. From now on everybody waits for them.
    pub(crate) fn joined(&self) -> usize {
        let mut done = self.done.lock().unwrap();
        done.push(0);
        done.len() - 1
    }

    pub(crate) fn did_one(&self, who: usize) {
        self.done.lock().unwrap()[who] += 1;
    }

    /// Until everybody has made so many more.
    pub(crate) async fn another(&self, requests: usize) {
        let done = || self.done.lock().unwrap().clone();
        let before = done();
        let more = async || done().iter().zip(&before).all(|(now, before)| *now >= before + requests).then_some(());
        eventually(SOON, "everybody's work goes on", more).await;
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// One person's requests, back to back, until told to stop; how they ended.
pub(crate) fn load(
    gateway: &Gateway,
    client: &Client,
    token: &str,
    work: &Work,
) -> impl Future<Output = Vec<StatusCode>> + use<> {
    let (http, url) = (client.browser.http.clone(), gateway.mcp("one"));
    let (token, work, me) = (token.to_owned(), work.clone(), work.joined());
    async move {
        let mut ended = Vec::new();
        while !work.is_over() {
            ended.push(http.get(&url).bearer_auth(&token).send().await.unwrap().status());
            work.did_one(me);
        }
        ended
    }
}
