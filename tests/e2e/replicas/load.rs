//! Replicas come and go behind real Traefik, round-robin and without a sticky cookie, while people work.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use gateway_tests::{client::McpClient, harness::eventually};
use nix::sys::signal::Signal;
use reqwest::StatusCode;

use super::{Replica, Replicas, SOON, person, pinged, session};
use crate::work::Work;

/// People at work, and a death among the replicas.
#[derive(Default)]
struct Everybody {
    work: Work,
    /// A replica is being killed.
    killed: AtomicBool,
    /// It is gone, and the balancer knows.
    buried: AtomicBool,
}

/// How one person's requests ended.
#[derive(Debug, Default)]
struct Ended {
    ok: usize,
    /// Times the session was gone and a new one was opened.
    anew: usize,
    lost: Vec<StatusCode>,
    /// Of these, begun after the killed one was gone.
    lost_later: usize,
}

impl Ended {
    /// What the killed one held in its hands, one request of each client at most, went with it: Traefik says so, and
    /// does not repeat what may have been carried out.
    fn lost_with_the_dead(&self) -> bool {
        self.lost_later == 0 && matches!(self.lost[..], [] | [StatusCode::BAD_GATEWAY])
    }
}

impl Everybody {
    /// Back to back until told to stop; starts anew when the session is gone, as clients do.
    fn go_on(&self, client: McpClient, url: &str) -> impl Future<Output = Ended> {
        self.go_on_as(self.work.joined(), client, url)
    }

    async fn go_on_as(&self, me: usize, mut client: McpClient, url: &str) -> Ended {
        let mut ended = Ended::default();
        while !self.work.is_over() {
            let (buried, lost) = (self.buried.load(Ordering::Relaxed), ended.lost.len());
            match pinged(&client).await {
                StatusCode::OK => ended.ok += 1,
                StatusCode::NOT_FOUND => match McpClient::try_connect(&person("alice"), url, "").await {
                    Ok(anew) => {
                        client = anew;
                        ended.anew += 1;
                    }
                    Err((lost, _)) => ended.lost.push(lost),
                },
                lost => ended.lost.push(lost),
            }
            ended.lost_later += if buried { ended.lost.len() - lost } else { 0 };
            self.work.did_one(me);
            // Each of the balancer's connections to the dead takes a request: whoever has lost one does not ask again yet.
            while !ended.lost.is_empty() && self.is_one_unburied() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        ended
    }

    fn is_one_unburied(&self) -> bool {
        self.killed.load(Ordering::Relaxed) && !self.buried.load(Ordering::Relaxed)
    }
}

async fn sessions_at(replica: &Replica, url: &str) -> Vec<McpClient> {
    join_all((0..3).map(|_| async { session(&replica.url(), "alice").await.through(url) })).await
}

#[tokio::test]
async fn kill_9_of_one_replica_under_load_leaves_the_others_sessions_untouched() {
    let mut replicas = Replicas::start(&[]);
    let balancer = replicas.balancer();
    let url = format!("{}/mcp", balancer.url());
    let everybody = Everybody::default();
    let (mut dying, living) = (replicas.replicas.remove(1), &replicas.replicas[0]);
    let (untouched, touched) = (sessions_at(living, &url).await, sessions_at(&dying, &url).await);
    // These never meet the one that dies.
    let apart = sessions_at(living, &living.url()).await;
    let apart = join_all(apart.into_iter().map(|client| everybody.go_on(client, &url)));
    let untouched = join_all(untouched.into_iter().map(|client| everybody.go_on(client, &url)));
    let touched = join_all(touched.into_iter().map(|client| everybody.go_on(client, &url)));
    let killed = async {
        everybody.work.another(10).await;
        everybody.killed.store(true, Ordering::Relaxed);
        // Elsewhere, so that requests go on meanwhile.
        let heard = tokio::task::spawn_blocking(move || {
            dying.process.signal(Signal::SIGKILL);
            dying.process.ended();
            balancer.hear_of_the_dead();
            balancer
        });
        let balancer = heard.await.unwrap();
        everybody.buried.store(true, Ordering::Relaxed);
        everybody.work.another(40).await;
        everybody.work.end();
        // It is needed until the last answer.
        balancer
    };
    let (apart, untouched, touched, _balancer) = tokio::join!(apart, untouched, touched, killed);
    for ended in &apart {
        assert!(ended.anew == 0 && ended.ok > 5 && ended.lost.is_empty(), "{apart:?}");
    }
    for ended in &untouched {
        assert!(ended.anew == 0 && ended.ok > 5 && ended.lost_with_the_dead(), "{untouched:?}");
    }
    for ended in &touched {
        assert!(ended.anew == 1 && ended.ok > 5 && ended.lost_with_the_dead(), "{touched:?}");
    }
}

#[tokio::test]
async fn rolling_restart_of_two_sidecars_under_load_loses_no_request() {
    let mut replicas = Replicas::start(&["--shutdown-delay", "5"]);
    let balancer = replicas.balancer();
    let url = format!("{}/mcp", balancer.url());
    let everybody = Everybody::default();
    let mut clients = sessions_at(&replicas.replicas[0], &url).await;
    clients.extend(sessions_at(&replicas.replicas[1], &url).await);
    let working = join_all(clients.into_iter().map(|client| everybody.go_on(client, &url)));
    let restarted = async {
        for number in [0, 1] {
            everybody.work.another(5).await;
            let mut replica = replicas.replicas.remove(number);
            replica.process.signal(Signal::SIGTERM);
            everybody.work.another(5).await;
            // Elsewhere, so that requests go on meanwhile.
            let ended = tokio::task::spawn_blocking(move || {
                assert!(replica.process.ended().success());
                replica
            });
            let mut replica = ended.await.unwrap();
            everybody.work.another(5).await;
            let back = tokio::task::spawn_blocking(move || {
                replica.resume();
                replica
            });
            let replica = back.await.unwrap();
            // Until the balancer has seen it, it gets nothing, and the other must not go.
            let used = async || (replica.metric("mcp_received_bytes_total").await > 0).then_some(());
            eventually(SOON, "the new replica gets requests", used).await;
            replicas.replicas.insert(number, replica);
        }
        everybody.work.another(60).await;
        everybody.work.end();
    };
    let (ended, ()) = tokio::join!(working, restarted);
    assert!(ended.iter().all(|ended| ended.lost.is_empty() && ended.anew > 0 && ended.ok > 50), "{ended:?}");
}
