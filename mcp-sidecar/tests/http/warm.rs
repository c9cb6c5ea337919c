//! Spare children: started ahead, taken by new sessions, replaced, and ended with the sidecar.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Session, Sidecar, eventually, eventually_async, is_alive, text_of};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/server.py");

/// A sidecar whose children write their process ids when they start, and all that they are told.
struct Warmed {
    sidecar: Sidecar,
    births: tempfile::NamedTempFile,
    heard: tempfile::NamedTempFile,
}

impl Warmed {
    async fn start(options: &[&str]) -> Self {
        let heard = tempfile::NamedTempFile::new().unwrap();
        let server = format!("tee -a {} | python3 {FIXTURE}", heard.path().display());
        Self::around(options, &server, heard).await
    }

    /// The fixture as the very process that was born, after a script has run.
    async fn after(script: &str, options: &[&str]) -> Self {
        let server = format!("{script}\nexec python3 {FIXTURE}");
        Self::around(options, &server, tempfile::NamedTempFile::new().unwrap()).await
    }

    async fn around(options: &[&str], server: &str, heard: tempfile::NamedTempFile) -> Self {
        let births = tempfile::NamedTempFile::new().unwrap();
        let script = format!("births={}\necho $$ >> $births\n{server}", births.path().display());
        let sidecar = Sidecar::around(options, &["sh", "-c", &script]).await;
        Self { sidecar, births, heard }
    }

    fn births(&self) -> Vec<u32> {
        fs::read_to_string(self.births.path()).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Waits until so many were ever born, and one of these waits to be taken.
    async fn spare(&self, births: usize) {
        eventually("a spare is born", || self.births().len() == births).await;
        eventually_async("it can be taken", async || self.sidecar.count("mcp_children_warm").await == 1).await;
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

/// What it had started lives on for a while, and so does what is left of it.
const ORPHANING: &str = "(trap '' TERM; exec sleep 1000) &";

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_that_has_died_is_handed_to_nobody_even_while_what_it_started_lives_on() {
    let warmed = Warmed::after(ORPHANING, &["--warm", "1"]).await;
    // Killed, or some session's.
    let mut spent = Vec::new();
    for round in 1..=5 {
        warmed.spare(2 * round - 1).await;
        let spare = warmed.births().into_iter().find(|pid| !spent.contains(pid)).unwrap();
        kill(Pid::from_raw(spare.cast_signed()), Signal::SIGKILL).unwrap();
        eventually("it obeys", || !is_alive(spare)).await;
        spent.push(spare);
        let own = warmed.sidecar.session().await.pid().await;
        assert!(warmed.births().contains(&own) && !spent.contains(&own), "a process of its own");
        spent.push(own);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_that_has_loaded_serves_a_new_session_that_another_process_could_not_serve_yet() {
    let gate = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let slow = format!("while [ ! -e {} ]; do sleep 0.01; done; echo >> $births.loaded", gate.display());
    let warmed = Warmed::after(&slow, &["--warm", "1"]).await;
    let loaded = warmed.births.path().with_extension("loaded");
    let count = || fs::read_to_string(&loaded).unwrap_or_default().lines().count();
    warmed.spare(1).await;
    eventually("it has loaded", || count() == 1).await;
    // Whatever is started from now on never loads.
    gate.close().unwrap();
    let session = warmed.sidecar.session().await;
    assert_eq!(session.pid().await, warmed.births()[0]);
    eventually("the next spare is on its way", || warmed.births().len() == 2).await;
    assert_eq!((session.pid().await, count()), (warmed.births()[0], 1));
    fs::remove_file(loaded).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn spares_that_die_as_they_start_are_replaced_until_one_lives_and_none_reaches_a_client() {
    let warmed = Warmed::after("[ $(wc -l < $births) -gt 4 ] || exit 3", &["--warm", "1"]).await;
    eventually("one that lives", || warmed.births().len() == 5).await;
    let session = warmed.sidecar.session().await;
    assert!(warmed.births()[4..].contains(&session.pid().await));
    assert_eq!(warmed.sidecar.count(r#"mcp_sessions_ended_total{reason="not_opened"}"#).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_users_share_are_taken_from_the_spares_and_so_are_those_in_place_of_crashed_ones() {
    for (isolation, apart) in [("user", true), ("shared", false)] {
        let warmed = Warmed::after("", &["--warm", "1", "--isolation", isolation]).await;
        warmed.spare(1).await;
        let session = async |user| warmed.sidecar.session_of("2025-11-25", Some(user)).await;
        let (one, other) = (session("alice").await, session("alice").await);
        let first = warmed.births()[0];
        assert_eq!((one.pid().await, other.pid().await), (first, first), "{isolation}");
        // Replaced, once.
        warmed.spare(2).await;
        let bob = session("bob").await;
        let of_bob = bob.pid().await;
        assert_eq!(of_bob, warmed.births()[usize::from(apart)], "{isolation}");
        warmed.spare(2 + usize::from(apart)).await;
        let spare = warmed.births().pop().unwrap();
        kill(Pid::from_raw(first.cast_signed()), Signal::SIGKILL).unwrap();
        assert_eq!(pid_after_crash(&one).await, spare, "{isolation}");
        assert_eq!(pid_after_crash(&other).await, spare, "{isolation}");
        let of_bob_now = pid_after_crash(&bob).await;
        assert_eq!(of_bob_now, if apart { of_bob } else { spare }, "{isolation}");
    }
}

/// The first call may have been in flight when its process went.
async fn pid_after_crash(session: &Session<'_>) -> u32 {
    loop {
        let answer = session.call("pid", json!({})).await;
        if answer["error"]["data"]["reason"] != "child_exited" {
            return text_of(&answer).parse().unwrap();
        }
    }
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
