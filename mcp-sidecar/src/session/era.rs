//! Which era the wrapped server speaks (2026-07-28 stdio §Backward Compatibility), found out with disposable siblings:
//! a request from the wrong era ends some servers, hangs others and pins the era of the rest, so it must not reach a
//! child that serves anybody. Asked once per command and what it is told about its user, by whoever needs it first; the
//! others wait for the same answer.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use log::{info, warn};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answers::{Answers, Worth};
use super::handshake::{Handshake, Unanswered};
use super::places::Asking;
use crate::config::{EraSetting, Spawning};
use crate::mcp::headers::MODERN;
use crate::mcp::introduction::{Discovery, Introduction};
use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::Owner;
use crate::mcp::version::{Era, ProtocolVersion};

/// How siblings are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For one answer: npx may fetch a whole package first.
    pub(crate) answer: Duration,
    /// After this without an answer to `server/discover`, a second sibling is asked to `initialize`.
    pub(crate) head_start: Duration,
    /// What the first sibling still gets, at least, once the younger one has answered; on a busy machine as long again
    /// as that one took.
    pub(crate) last_word: Duration,
    /// How long a failure is remembered.
    pub(crate) failure: Duration,
}

impl Patience {
    pub(crate) const USUAL: Self = Self {
        answer: Duration::from_secs(120),
        head_start: Duration::from_secs(3),
        last_word: Duration::from_secs(2),
        failure: Duration::from_secs(5),
    };
}

/// However few sessions there may be, so many are remembered: an answer is small.
const FEWEST_ANSWERS: usize = 16;

/// What is known of the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// The one to speak to it; a server of both eras counts as modern, and takes a legacy `initialize` all the same.
    pub(crate) era: Era,
    /// Not known when `--era` said which one it is.
    pub(crate) introduction: Option<Introduction>,
}

impl Found {
    /// The revisions that clients can use here, newest first (basic/versioning: «the versions it does support»): one of
    /// ours that the server names too. A legacy server names none before it is asked to `initialize`.
    pub(crate) fn spoken(&self) -> Vec<&'static str> {
        let legacy = ProtocolVersion::ALL.map(ProtocolVersion::as_str).into_iter().rev();
        let named = |version: &&str| self.introduction.iter().any(|said| said.versions.iter().any(|v| v == version));
        match self.era {
            Era::Legacy => legacy.collect(),
            Era::Modern => MODERN.iter().copied().chain(legacy.filter(named)).collect(),
        }
    }
}

/// Neither era can be told.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotFound {
    #[error("{0}")]
    Unanswered(Arc<str>),
    /// Nobody was asked.
    #[error("{}", .0.message())]
    Refused(Rejection),
}

impl From<NotFound> for Rejection {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Unanswered(_) => Self::ChildNotStarted,
            NotFound::Refused(why) => why,
        }
    }
}

/// The one who knows.
#[derive(Debug)]
pub(crate) struct EraProbe {
    spawning: Spawning,
    setting: EraSetting,
    patience: Patience,
    supervisor: Handle,
    asked: Mutex<Answers<Answer>>,
    stop: CancellationToken,
    _stopped_with_us: DropGuard,
}

/// By those who are asked, until they are gone. Nothing where they count for nobody.
pub(super) type Held = Option<Arc<Asking>>;

/// To come, until it is there.
type Answer = watch::Receiver<Option<Outcome>>;

#[derive(Clone, Debug)]
struct Outcome {
    found: Result<Arc<Found>, NotFound>,
    at: Instant,
}

impl EraProbe {
    /// Remembers about as many answers; there is one only when servers are told nothing about their users.
    pub(crate) fn new(
        spawning: Spawning,
        setting: EraSetting,
        patience: Patience,
        supervisor: Handle,
        most: usize,
    ) -> Self {
        let asked = Mutex::new(Answers::new(most.max(FEWEST_ANSWERS)));
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        Self { spawning, setting, patience, supervisor, asked, stop, _stopped_with_us: guard }
    }

    /// The era to speak. Starts nothing when `--era` names it, or when it is known; else siblings that are told the
    /// asker's values, since a server may need them to start. They are to be admitted, and their place waited for.
    pub(super) async fn found<P>(
        &self,
        asker: &Owner,
        admit: impl FnOnce() -> Result<P, Rejection>,
    ) -> Result<Arc<Found>, NotFound>
    where
        P: Future<Output = Result<Held, Rejection>> + Send + 'static,
    {
        if let EraSetting::Fixed(era) = self.setting {
            return Ok(Arc::new(Found { era, introduction: None }));
        }
        let ask = || admit().map(|place| self.ask(asker, place));
        let mut answer = self.answer(asker, ask).map_err(NotFound::Refused)?;
        let outcome = answer.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome.map_or(Err(NotFound::Refused(Rejection::ShuttingDown)), |outcome| outcome.found)
    }

    /// Takes no more part in anything: siblings end in the background.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    fn answer(&self, asker: &Owner, ask: impl FnOnce() -> Result<Answer, Rejection>) -> Result<Answer, Rejection> {
        let anybody = asker.anybody();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.of(&anybody, |answer| self.worth(answer), ask)
    }

    fn ask<P>(&self, asker: &Owner, place: P) -> Answer
    where
        P: Future<Output = Result<Held, Rejection>> + Send + 'static,
    {
        let (tell, answer) = watch::channel(None);
        let (spawning, patience, supervisor) = (self.spawning.for_owner(asker), self.patience, self.supervisor.clone());
        let stop = self.stop.clone();
        // Not in the task of a request, whose client may leave: others wait for this too.
        self.supervisor.spawn(async move {
            let found = async {
                let held = place.await.map_err(NotFound::Refused)?;
                let found = probe(&spawning, patience, &supervisor, &held).await;
                if let Some(asking) = held {
                    asking.answered();
                }
                told(found)
            };
            tokio::select! {
                found = found => drop(tell.send_replace(Some(Outcome { found, at: Instant::now() }))),
                () = stop.cancelled() => {}
            }
        });
        answer
    }

    fn worth(&self, answer: &Answer) -> Worth {
        match &*answer.borrow() {
            Some(Outcome { found: Ok(_), .. }) => Worth::Known,
            Some(Outcome { found: Err(NotFound::Unanswered(_)), at }) if at.elapsed() < self.patience.failure => {
                Worth::AWhile
            }
            None if answer.has_changed().is_ok() => Worth::UnderWay,
            // One that was given up has no sender any more.
            Some(_) | None => Worth::Nothing,
        }
    }
}

fn told(found: Result<Found, Unanswered>) -> Result<Arc<Found>, NotFound> {
    match found {
        Ok(found) => {
            info!(era:? = found.era; "found out which era the MCP server speaks");
            Ok(Arc::new(found))
        }
        Err(cause) => {
            warn!(cause:%; "could not find out which era the MCP server speaks");
            Err(NotFound::Unanswered(cause.to_string().into()))
        }
    }
}

/// One sibling is asked `server/discover`. If that settles nothing for a while, a younger one is asked `initialize`:
/// a server that is only slow to start then still has both chances.
pub(super) async fn probe(
    spawning: &Spawning,
    patience: Patience,
    supervisor: &Handle,
    held: &Held,
) -> Result<Found, Unanswered> {
    let mut modern = pin!(discover(spawning, patience, supervisor, held));
    match timeout(patience.head_start, &mut modern).await {
        Ok(Some(introduction)) => return Ok(found(Era::Modern, introduction)),
        Ok(None) => return initialize(spawning, patience, supervisor, held).await.map(|said| found(Era::Legacy, said)),
        Err(_) => {}
    }
    let began = Instant::now();
    let mut legacy = pin!(initialize(spawning, patience, supervisor, held));
    tokio::select! {
        answer = &mut modern => match answer {
            Some(introduction) => Ok(found(Era::Modern, introduction)),
            None => legacy.await.map(|said| found(Era::Legacy, said)),
        },
        answer = &mut legacy => match answer {
            Ok(said) => {
                let late = timeout(patience.last_word.max(began.elapsed()), modern).await.ok().flatten();
                Ok(late.map_or_else(|| found(Era::Legacy, said), |introduction| found(Era::Modern, introduction)))
            }
            Err(refused) => modern.await.map(|introduction| found(Era::Modern, introduction)).ok_or(refused),
        },
    }
}

fn found(era: Era, introduction: Introduction) -> Found {
    Found { era, introduction: Some(introduction) }
}

/// `None`: not modern, whatever it did instead.
async fn discover(spawning: &Spawning, patience: Patience, supervisor: &Handle, held: &Held) -> Option<Introduction> {
    let mut sibling = sibling(spawning, patience, supervisor, held).await.ok()?;
    match sibling.discover().await {
        Ok(Discovery::Modern(introduction)) => Some(introduction),
        Ok(Discovery::Legacy) | Err(_) => None,
    }
}

/// Also tells whether a modern server speaks the older era too.
pub(super) async fn initialize(
    spawning: &Spawning,
    patience: Patience,
    supervisor: &Handle,
    held: &Held,
) -> Result<Introduction, Unanswered> {
    sibling(spawning, patience, supervisor, held).await?.initialize().await
}

async fn sibling(
    spawning: &Spawning,
    patience: Patience,
    supervisor: &Handle,
    held: &Held,
) -> Result<Handshake, Unanswered> {
    let sibling = Handshake::start(spawning, "era", patience.answer, supervisor).await?;
    if let Some(held) = held.clone() {
        let ended = sibling.ended();
        supervisor.spawn(async move {
            ended.await;
            drop(held);
        });
    }
    Ok(sibling)
}

#[cfg(test)]
#[path = "era_tests.rs"]
mod tests;
