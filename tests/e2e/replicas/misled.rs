//! A replica whose address leads to another one.

use std::process::Command;

use gateway_tests::harness::{Process, binary, eventually};
use reqwest::StatusCode;

use super::{Replica, Replicas, SOON, announced, pinged, session};

/// How often a replica said so.
fn warned(replica: &Replica, address: &str, of: &str) -> usize {
    let is_it = |line: &&str| line.contains("WARN") && line.contains(of) && line.contains(address);
    replica.process.log().lines().filter(is_it).filter(|line| line.contains("--advertise")).count()
}

#[tokio::test]
async fn a_session_whose_replica_says_anothers_address_is_404_and_both_logs_say_what_to_set() {
    let replicas = Replicas::start(&[]);
    let [here, there] = &replicas.replicas[..] else { panic!("two") };
    let address = there.base().replace("http://", "");
    let mut misled = Replica::start(&replicas.redis.url(), &["--advertise", &address]);
    announced(&mut misled);
    let client = session(&misled.url(), "alice").await;
    for _ in 0..3 {
        for other in [here, there] {
            assert_eq!(pinged(&client.through(&other.url())).await, StatusCode::NOT_FOUND);
        }
    }
    assert_eq!(pinged(&client).await, StatusCode::OK);
    // Once, however often it happens; the second replica has met itself, too. All that was said before is in the log
    // once this is.
    for replica in [here, there] {
        session(&replica.url(), "the-last").await;
        let said = async || replica.process.log().contains("user=the-last ").then_some(());
        eventually(SOON, "the replica's log has the last request", said).await;
    }
    let passed_on = "another replica answers where";
    let came = "that was meant for another replica";
    assert_eq!((warned(here, &address, passed_on), warned(here, &address, came)), (1, 0), "{}", here.process.log());
    assert_eq!((warned(there, &address, passed_on), warned(there, &address, came)), (1, 1), "{}", there.process.log());
    // Who starts anew is found.
    let (anew, anew_there) = replicas.session(0).await;
    assert_eq!((pinged(&anew).await, pinged(&anew_there).await), (StatusCode::OK, StatusCode::OK));
}

#[tokio::test]
async fn a_loopback_address_is_warned_of_at_the_start_when_redis_is_on_another_machine() {
    for (redis, warns) in [("redis://192.0.2.1:6379", true), ("redis://localhost:6379", false)] {
        let mut run = Command::new(binary("mcp-sidecar"));
        run.args(["--port", "0", "--"]).arg(binary("stdio-fixture")).env("REDIS_URL", redis);
        let mut process = Process::start("mcp-sidecar", &mut run);
        process.address();
        let log = process.log();
        let warned = log.lines().any(|line| line.contains("127.0.0.1:") && line.contains("--advertise"));
        assert_eq!(warned, warns, "{log}");
    }
}
