use super::*;
use std::path::Path;

use crate::child::{Command, Limits};
use crate::mcp::identity::{FromHeader, IdentityHeader, Place};

const MODERN: &str = r#"send(id=id, result={"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "resultType": "complete"})"#;
const LEGACY: &str = r#"send(id=id, result={"protocolVersion": "2025-06-18", "capabilities": {}})"#;
/// By the second process: else the first might end before it has begun.
const LEGACY_AFTER_BOTH: &str =
    r#"both_are_born(); send(id=id, result={"protocolVersion": "2025-06-18", "capabilities": {}})"#;
const UNKNOWN: &str = r#"send(id=id, error={"code": -32601, "message": "Method not found"})"#;
static NOBODY: std::sync::LazyLock<Owner> = std::sync::LazyLock::new(Owner::nobody);
const HANGS: &str = "time.sleep(1000)";
const EXITS: &str = "sys.exit(1)";

/// A server that does one thing when discovered and one when initialized, after `delay` seconds, and notes in `born`
/// that it was started.
fn server(discovered: &str, initialized: &str, delay: &str, born: &Path) -> Spawning {
    let script = format!(
        r#"
import json, os, sys, time
with open({born:?}, "a") as born: born.write("+")
time.sleep({delay})
def both_are_born():
    while len(open({born:?}).read()) < 2: time.sleep(0.01)
def send(**message): print(json.dumps(dict(message, jsonrpc="2.0")), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    method, id = message.get("method"), message.get("id")
    if method == "server/discover": {discovered}
    elif method == "initialize": {initialized}
"#
    );
    let command = Command { program: "python3".into(), args: vec!["-c".into(), script.into()], env: Vec::new() };
    let limits = Limits { max_line: 1 << 20, stdin_queue: 8, stdout_queue: 8, stop_grace: Duration::from_millis(300) };
    Spawning { command, limits, told: Vec::new(), isolation: crate::config::Isolation::default() }
}

/// Short head starts, long answers: as with npx, only faster.
const PATIENCE: Patience = Patience {
    answer: Duration::from_secs(60),
    head_start: Duration::from_millis(300),
    last_word: Duration::from_millis(300),
    failure: Duration::ZERO,
};

impl EraProbe {
    /// Where there is a place for everybody.
    async fn asked_by(&self, asker: &Owner) -> Result<Arc<Found>, NotFound> {
        self.found(asker, || Ok(std::future::ready(Ok(None)))).await
    }
}

struct Server {
    born: tempfile::NamedTempFile,
    spawning: Spawning,
}

impl Server {
    fn new(discovered: &str, initialized: &str) -> Self {
        Self::slow(discovered, initialized, "0")
    }

    fn slow(discovered: &str, initialized: &str, delay: &str) -> Self {
        let born = tempfile::NamedTempFile::new().unwrap();
        Self { spawning: server(discovered, initialized, delay, born.path()), born }
    }

    fn probe(&self, patience: Patience) -> EraProbe {
        EraProbe::new(self.spawning.clone(), EraSetting::Auto, patience, Handle::current(), 9)
    }

    async fn era(&self) -> Option<Era> {
        self.probe(PATIENCE).asked_by(&NOBODY).await.ok().map(|found| found.era)
    }

    fn processes(&self) -> usize {
        std::fs::read(self.born.path()).unwrap().len()
    }
}

#[tokio::test]
async fn a_modern_server_is_asked_once() {
    for initialized in [UNKNOWN, LEGACY, EXITS] {
        let server = Server::new(MODERN, initialized);
        // Long enough that no slow machine starts the second one.
        let patience = Patience { head_start: Duration::from_secs(20), ..PATIENCE };
        let found = server.probe(patience).asked_by(&NOBODY).await.unwrap();
        assert_eq!(found.era, Era::Modern);
        assert_eq!(found.introduction.as_ref().unwrap().versions, ["2026-07-28"]);
        assert_eq!(server.processes(), 1);
    }
}

#[tokio::test]
async fn a_server_that_refuses_dies_or_hangs_at_discover_is_legacy_and_another_process_says_so() {
    for discovered in [UNKNOWN, EXITS, HANGS, "pass", r#"print("who?", flush=True)"#, r#"send(id=id, result={})"#] {
        let server = Server::new(discovered, LEGACY_AFTER_BOTH);
        let found = server.probe(PATIENCE).asked_by(&NOBODY).await.unwrap();
        assert_eq!(found.era, Era::Legacy, "{discovered}");
        assert_eq!(found.introduction.as_ref().unwrap().versions, ["2025-06-18"]);
        assert_eq!(server.processes(), 2);
    }
}

#[tokio::test]
async fn a_slow_start_is_not_taken_for_age() {
    for initialized in [UNKNOWN, EXITS, HANGS] {
        assert_eq!(Server::slow(MODERN, initialized, "1").era().await, Some(Era::Modern), "{initialized}");
    }
    assert_eq!(Server::slow(UNKNOWN, LEGACY, "1").era().await, Some(Era::Legacy));
}

#[tokio::test]
async fn everybody_who_asks_waits_for_the_same_two_processes() {
    let server = Server::new(UNKNOWN, LEGACY_AFTER_BOTH);
    let probe = server.probe(PATIENCE);
    let answers = futures_util::future::join_all((0..50).map(|_| probe.asked_by(&NOBODY))).await;
    assert!(answers.into_iter().all(|found| found.unwrap().era == Era::Legacy));
    probe.asked_by(&NOBODY).await.unwrap();
    assert_eq!(server.processes(), 2);
}

#[tokio::test]
async fn an_asker_who_leaves_does_not_end_the_asking() {
    let server = Server::new(MODERN, UNKNOWN);
    let patience = Patience { head_start: Duration::from_secs(20), ..PATIENCE };
    let probe = server.probe(patience);
    assert!(futures_util::FutureExt::now_or_never(probe.asked_by(&NOBODY)).is_none());
    assert_eq!(probe.asked_by(&NOBODY).await.unwrap().era, Era::Modern);
    assert_eq!(server.processes(), 1);
}

#[tokio::test]
async fn a_failure_is_not_remembered_for_ever() {
    let mark = tempfile::NamedTempFile::new().unwrap();
    let broken_while = format!("(sys.exit(9) if open({:?}).read() == '' else {MODERN})", mark.path());
    let server = Server::new(&broken_while, EXITS);
    let probe = server.probe(PATIENCE);
    let failed = probe.asked_by(&NOBODY).await.unwrap_err();
    assert!(failed.to_string().contains("exited with status 1"), "{failed}");
    std::fs::write(mark.path(), "repaired").unwrap();
    assert_eq!(probe.asked_by(&NOBODY).await.unwrap().era, Era::Modern);
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_while_so_that_requests_do_not_start_process_after_process() {
    let server = Server::new(EXITS, EXITS);
    let probe = server.probe(Patience { failure: Duration::from_secs(1000), ..PATIENCE });
    for _ in 0..10 {
        assert!(probe.asked_by(&NOBODY).await.is_err());
    }
    assert_eq!(server.processes(), 2);
}

/// Somebody whose server is told that value.
fn told(value: &str) -> Owner {
    Owner::user("somebody").told(Box::new([value.into()]))
}

#[tokio::test]
async fn what_one_owners_server_says_or_fails_to_say_is_nothing_to_who_is_told_something_else() {
    let of_good = format!("({MODERN} if os.environ['WHO'] == 'good' else {UNKNOWN})");
    for (initialized, of_bad) in [("sys.exit(2)", None), (LEGACY, Some(Era::Legacy))] {
        let mut server = Server::new(&of_good, initialized);
        server.spawning.told = vec![FromHeader { place: Place::Env("WHO".to_owned()), header: IdentityHeader::UserId }];
        let patience = Patience { head_start: Duration::from_secs(20), failure: Duration::from_secs(1000), ..PATIENCE };
        let probe = server.probe(patience);
        let era = async |who: &Owner| probe.asked_by(who).await.ok().map(|found| found.era);
        assert_eq!(era(&told("bad")).await, of_bad);
        assert_eq!(era(&told("good")).await, Some(Era::Modern));
        assert_eq!(era(&told("bad")).await, of_bad);
        // Another person of whom the same is told.
        assert_eq!(era(&Owner::user("another").told(Box::new(["good".into()]))).await, Some(Era::Modern));
        assert_eq!(server.processes(), 3);
    }
}

#[tokio::test]
async fn an_era_that_is_said_is_believed_without_a_process() {
    let server = Server::new(UNKNOWN, UNKNOWN);
    for era in [Era::Legacy, Era::Modern] {
        let probe =
            EraProbe::new(server.spawning.clone(), EraSetting::Fixed(era), Patience::USUAL, Handle::current(), 9);
        assert_eq!(probe.asked_by(&NOBODY).await.unwrap().era, era);
    }
    assert_eq!(server.processes(), 0);
}

#[tokio::test]
async fn stopping_ends_the_asking() {
    let server = Server::new(HANGS, HANGS);
    let probe = server.probe(PATIENCE);
    let (found, ()) = tokio::join!(probe.asked_by(&NOBODY), async { probe.stop() });
    assert!(found.is_err());
}
