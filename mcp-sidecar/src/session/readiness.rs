//! Whether a client that came now would be served. A disposable child is asked, as clients would ask it: seldom, once
//! for all who want to know meanwhile, and not for ever.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use log::{debug, warn};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::handshake::{Handshake, Unanswered};
use crate::config::{EraSetting, Spawning};
use crate::mcp::session_id::Owner;
use crate::mcp::version::Era;
use crate::metrics::Metrics;

/// How long an answer is believed.
const FRESH: Duration = Duration::from_secs(10);
/// For one child to start and to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why not, in words for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unready(pub(crate) Arc<str>);

#[derive(Debug)]
pub(crate) struct Readiness {
    attempt: Attempt,
    last: Mutex<Option<watch::Receiver<Option<Outcome>>>>,
}

#[derive(Clone, Debug)]
struct Outcome {
    ready: Result<(), Unready>,
    at: Instant,
}

#[derive(Clone, Debug)]
struct Attempt {
    spawning: Spawning,
    setting: EraSetting,
    /// The era that the server has answered in.
    known: Arc<OnceLock<Era>>,
    asking: Asking,
}

/// What asking takes.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) supervisor: Handle,
    pub(crate) metrics: Arc<Metrics>,
    /// Cancelled when the sidecar is told to stop.
    pub(crate) stop: CancellationToken,
}

impl Readiness {
    pub(crate) fn new(spawning: &Spawning, setting: EraSetting, asking: Asking) -> Self {
        // Nobody in particular asks.
        let spawning = spawning.for_owner(&Owner::nobody());
        Self { attempt: Attempt { spawning, setting, known: Arc::default(), asking }, last: Mutex::default() }
    }

    pub(crate) async fn check(&self) -> Result<(), Unready> {
        let stopping = || Err(Unready("the sidecar is shutting down".into()));
        if self.attempt.asking.stop.is_cancelled() {
            return stopping();
        }
        let mut answer = self.answer();
        let outcome = answer.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome.map_or_else(stopping, |outcome| outcome.ready)
    }

    /// The one that is under way or fresh, or else a new one.
    fn answer(&self) -> watch::Receiver<Option<Outcome>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |answer: &&watch::Receiver<Option<Outcome>>| match &*answer.borrow() {
            Some(outcome) => outcome.at.elapsed() < FRESH,
            None => answer.has_changed().is_ok(),
        };
        if let Some(answer) = last.as_ref().filter(good) {
            return answer.clone();
        }
        let (tell, answer) = watch::channel(None);
        let attempt = self.attempt.clone();
        // Not in the task of a request, whose client may leave: others wait for this too.
        self.attempt.asking.supervisor.spawn(async move {
            tokio::select! {
                ready = attempt.make() => drop(tell.send_replace(Some(Outcome { ready, at: Instant::now() }))),
                () = attempt.asking.stop.cancelled() => {}
            }
        });
        last.insert(answer).clone()
    }
}

impl Attempt {
    async fn make(&self) -> Result<(), Unready> {
        let made = match (self.setting, self.known.get()) {
            (EraSetting::Fixed(era), _) | (EraSetting::Auto, Some(&era)) => self.introduce(era).await,
            (EraSetting::Auto, None) => match self.introduce(Era::Legacy).await {
                Err(cause) if !matches!(cause, Unanswered::NotStarted(_)) => {
                    // A server of 2026-07-28 alone may refuse `initialize`, ignore it or leave.
                    self.introduce(Era::Modern).await.map_err(|_| cause)
                }
                made => made,
            },
        };
        match made {
            Ok(()) => {
                debug!("the MCP server is ready");
                Ok(())
            }
            Err(cause) => {
                warn!(cause:%; "the MCP server is not ready");
                Err(Unready(cause.to_string().into()))
            }
        }
    }

    async fn introduce(&self, era: Era) -> Result<(), Unanswered> {
        let Asking { supervisor, metrics, .. } = &self.asking;
        let _running = metrics.child();
        let mut child = Handshake::start(&self.spawning, "ready", PATIENCE, supervisor).await?;
        child.introduce(era).await?;
        let _ = self.known.set(era);
        // Whoever asks need not wait until it has ended.
        supervisor.spawn(child.stop());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::{Command, Limits};
    use crate::config::Isolation;

    /// Of a server that says nothing.
    fn readiness(stop: &CancellationToken) -> Readiness {
        let command = Command { program: "sleep".into(), args: vec!["60".into()], env: Vec::new() };
        let limits = Limits { max_line: 1 << 20, stdin_queue: 8, stdout_queue: 8, stop_grace: Duration::ZERO };
        let asking = Asking { supervisor: Handle::current(), metrics: Metrics::new(), stop: stop.clone() };
        Readiness::new(
            &Spawning { command, limits, told: Vec::new(), isolation: Isolation::Session },
            EraSetting::Auto,
            asking,
        )
    }

    #[tokio::test]
    async fn while_shutting_down_it_is_not_ready_and_whoever_waits_is_told() {
        let stop = CancellationToken::new();
        let unready = Err(Unready("the sidecar is shutting down".into()));
        let asked = readiness(&stop);
        let (waited, ()) = futures_util::join!(asked.check(), async { stop.cancel() });
        assert_eq!(waited, unready);
        assert_eq!(asked.check().await, unready);
    }
}
