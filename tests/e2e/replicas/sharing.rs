//! `--isolation user` and `shared` among replicas: each has shared processes of its own, and a session is spoken to
//! through any replica all the same.

use std::path::Path;

use gateway_tests::{client::McpClient, harness::eventually};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::json;

use super::{
    Replicas, SOON,
    passed_on::{answer, sampled},
    pinged, session,
};

async fn pid(client: &McpClient) -> String {
    client.call("pid", json!({})).await
}

#[tokio::test]
async fn sessions_share_a_process_at_their_own_replica_and_are_spoken_to_through_any() {
    for (isolation, everybody) in [("user", false), ("shared", true)] {
        let replicas = Replicas::start(&["--isolation", isolation]);
        let mut pids = Vec::new();
        for at in [0, 1] {
            let (here, there) = replicas.session(at).await;
            let (second, second_there) = replicas.session(at).await;
            let shared = pid(&here).await;
            for client in [&there, &second, &second_there] {
                assert_eq!(pid(client).await, shared, "{isolation}");
            }
            let stranger = session(&replicas.replicas[at].url(), "bob").await;
            assert_eq!(pid(&stranger).await == shared, everybody, "{isolation}");
            pids.push(shared);
        }
        assert_ne!(pids[0], pids[1], "{isolation}: each replica has its own");
    }
}

#[tokio::test]
async fn what_a_shared_server_asks_reaches_whom_it_asks_through_another_replica_and_nobody_else() {
    let replicas = Replicas::start(&["--isolation", "shared"]);
    let ((one, one_there), (other, other_there)) = (replicas.session(0).await, replicas.session(0).await);
    assert_eq!(pid(&one).await, pid(&other).await);
    for (asked, answering) in [(&one_there, &one), (&other_there, &other)] {
        let (question, mut stream) = sampled(asked).await;
        answer(answering, &question).await;
        assert!(stream.next().await.unwrap()["result"].to_string().contains("sampled"));
        assert_eq!(stream.next().await, None);
    }
    // One session's end is not the process's.
    assert_eq!(one_there.delete().await, StatusCode::NO_CONTENT);
    assert_eq!((pinged(&one).await, pinged(&other_there).await), (StatusCode::NOT_FOUND, StatusCode::OK));
}

#[tokio::test]
async fn what_a_server_asks_while_several_people_call_reaches_none_of_them_by_mistake() {
    let replicas = Replicas::start(&["--isolation", "shared"]);
    let url = replicas.replicas[0].url();
    let (alice, bob) = (session(&url, "alice").await, session(&url, "bob").await);
    let (question, mut stream) = sampled(&alice).await;
    // Nobody can tell whom the server means now, so it is told that nobody can be asked.
    let refused = bob.call("sample", json!({ "text": "what only Bob may see" })).await;
    assert!(refused.contains("client_unknown"), "{refused}");
    answer(&alice, &question).await;
    let next = stream.next().await.unwrap();
    assert!(next["result"].to_string().contains("sampled"), "{next}");
}

#[tokio::test]
async fn kill_9_of_a_replica_leaves_the_others_shared_process_alone_and_its_own_clients_start_anew() {
    for isolation in ["user", "shared"] {
        let mut replicas = Replicas::start(&["--isolation", isolation]);
        let balancer = replicas.balancer();
        let url = format!("{}/mcp", balancer.url());
        let mut clients = Vec::new();
        for replica in &replicas.replicas {
            let own = [session(&replica.url(), "alice").await, session(&replica.url(), "alice").await];
            clients.push(own.map(|client| client.through(&url)));
        }
        let (lost, kept) = (pid(&clients[0][0]).await, pid(&clients[1][0]).await);
        replicas.replicas[0].process.signal(Signal::SIGKILL);
        replicas.replicas[0].process.ended();
        balancer.hear_of_the_dead();
        for client in clients[1].iter().cycle().take(6) {
            assert_eq!(pid(client).await, kept, "{isolation}");
        }
        for client in &clients[0] {
            assert_eq!(pinged(client).await, StatusCode::NOT_FOUND, "{isolation}");
            let anew = session(&url, "alice").await;
            assert_eq!(pid(&anew).await, kept, "{isolation}: it shares what is there");
        }
        let gone = async || (!Path::new("/proc").join(&lost).exists()).then_some(());
        eventually(SOON, "the killed replica's process is gone", gone).await;
    }
}
