//! Spare children: started ahead, taken by new sessions, replaced, and ended with the sidecar.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Sidecar, eventually, is_alive, text_of};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/server.py");

/// A sidecar whose children write their process ids when they start, and all that they are told.
struct Warmed {
    sidecar: Sidecar,
    births: tempfile::NamedTempFile,
    heard: tempfile::NamedTempFile,
}

impl Warmed {
    async fn start(options: &[&str]) -> Self {
        let (births, heard) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let script =
            format!("echo $$ >> {}; tee -a {} | python3 {FIXTURE}", births.path().display(), heard.path().display());
        let sidecar = Sidecar::around(options, &["sh", "-c", &script]).await;
        Self { sidecar, births, heard }
    }

    fn births(&self) -> Vec<u32> {
        fs::read_to_string(self.births.path()).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    }

    fn living(&self) -> usize {
        self.births().into_iter().filter(|pid| is_alive(*pid)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_takes_a_spare_that_has_been_told_nothing_and_another_is_started() {
    let warmed = Warmed::start(&["--warm", "2"]).await;
    eventually("two spares", || warmed.births().len() == 2).await;
    assert_eq!(fs::read_to_string(warmed.heard.path()).unwrap(), "");
    let session = warmed.sidecar.session_of("2025-06-18", None).await;
    assert_eq!(text_of(&session.call("echo", json!({ "text": "warm" })).await), "warm");
    let heard = fs::read_to_string(warmed.heard.path()).unwrap();
    assert!(heard.lines().next().unwrap().contains(r#""protocolVersion":"2025-06-18""#), "{heard}");
    eventually("the spare is replaced", || warmed.births().len() == 3).await;
    assert_eq!(warmed.living(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn spares_and_sessions_together_keep_to_the_limit_and_a_spare_makes_room() {
    let warmed = Warmed::start(&["--warm", "9", "--max-sessions", "2"]).await;
    eventually("as many as there may be", || warmed.births().len() == 2).await;
    let first = warmed.sidecar.session().await;
    let second = warmed.sidecar.session().await;
    assert_eq!(text_of(&second.call("echo", json!({ "text": "x" })).await), "x");
    assert_eq!(warmed.births().len(), 2);
    assert_eq!(first.delete().await, 204);
    eventually("one more, for the one that ended", || warmed.births().len() == 3).await;
    eventually("two are left", || warmed.living() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_spare_is_replaced() {
    let warmed = Warmed::start(&["--warm", "1"]).await;
    eventually("a spare", || warmed.births().len() == 1).await;
    kill(Pid::from_raw(warmed.births()[0].cast_signed()), Signal::SIGKILL).unwrap();
    eventually("another one", || warmed.births().len() == 2).await;
    assert_eq!(text_of(&warmed.sidecar.session().await.call("echo", json!({ "text": "x" })).await), "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn spares_end_with_the_sidecar() {
    let Warmed { sidecar, births, .. } = Warmed::start(&["--warm", "3"]).await;
    let pids = || -> Vec<u32> {
        fs::read_to_string(births.path()).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    };
    eventually("three spares", || pids().len() == 3).await;
    sidecar.stopped().await;
    assert!(pids().into_iter().all(|pid| !is_alive(pid)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_started_ahead_hurts_nobody() {
    let sidecar = Sidecar::around(&["--warm", "2"], &["/no/such/program"]).await;
    assert_eq!(sidecar.initialize("2025-11-25", None).await.status(), 503);
    sidecar.stopped().await;
}
