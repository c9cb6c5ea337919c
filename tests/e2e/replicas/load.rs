//! Replicas come and go behind real Traefik, round-robin and without a sticky cookie, while people work.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::join_all;
use gateway_tests::{client::McpClient, harness::eventually};
use nix::sys::signal::Signal;
use reqwest::StatusCode;

use super::{Replica, Replicas, SOON, person, pinged, session};

/// Requests of everybody, and whether they may go home.
#[derive(Clone, Default)]
struct Work {
    /// Of each, how many.
    done: Arc<Mutex<Vec<usize>>>,
    /// A replica was killed and is gone, and the balancer knows.
    buried: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
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

impl Work {
    /// Back to back until told to stop; starts anew when the session is gone, as clients do.
    fn go_on(&self, client: McpClient, url: &str) -> impl Future<Output = Ended> {
        let mut done = self.done.lock().unwrap();
        done.push(0);
        self.go_on_as(done.len() - 1, client, url)
    }

    async fn go_on_as(&self, me: usize, mut client: McpClient, url: &str) -> Ended {
        let mut ended = Ended::default();
        while !self.over.load(Ordering::Relaxed) {
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
            self.done.lock().unwrap()[me] += 1;
        }
        ended
    }

    /// Until everybody has made so many more.
    async fn another(&self, requests: usize) {
        let done = || self.done.lock().unwrap().clone();
        let before = done();
        let more = async || done().iter().zip(&before).all(|(now, before)| *now >= before + requests).then_some(());
        eventually(SOON, "everybody's work goes on", more).await;
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
    let work = Work::default();
    let [living, dying] = &mut replicas.replicas[..] else { panic!("two") };
    let (untouched, touched) = (sessions_at(living, &url).await, sessions_at(dying, &url).await);
    // These never meet the one that dies.
    let apart = sessions_at(living, &living.url()).await;
    let apart = join_all(apart.into_iter().map(|client| work.go_on(client, &url)));
    let untouched = join_all(untouched.into_iter().map(|client| work.go_on(client, &url)));
    let touched = join_all(touched.into_iter().map(|client| work.go_on(client, &url)));
    let killed = async {
        work.another(10).await;
        dying.process.signal(Signal::SIGKILL);
        dying.process.ended();
        balancer.hear_of_the_dead();
        work.buried.store(true, Ordering::Relaxed);
        work.another(40).await;
        work.over.store(true, Ordering::Relaxed);
    };
    let (apart, untouched, touched, ()) = tokio::join!(apart, untouched, touched, killed);
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
    let mut replicas = Replicas::start(&["--shutdown-delay", "8"]);
    let balancer = replicas.balancer();
    let url = format!("{}/mcp", balancer.url());
    let work = Work::default();
    let mut clients = sessions_at(&replicas.replicas[0], &url).await;
    clients.extend(sessions_at(&replicas.replicas[1], &url).await);
    let working = join_all(clients.into_iter().map(|client| work.go_on(client, &url)));
    let restarted = async {
        for number in [0, 1] {
            let mut replica = replicas.replicas.remove(number);
            // Elsewhere, so that requests go on meanwhile.
            let replica = tokio::task::spawn_blocking(move || {
                assert!(replica.process.terminate().success());
                replica.resume();
                replica
            });
            let replica = replica.await.unwrap();
            // Until the balancer has seen it, it gets nothing, and the other must not go.
            let used = async || (replica.metric("mcp_received_bytes_total").await > 0).then_some(());
            eventually(SOON, "the new replica gets requests", used).await;
            replicas.replicas.insert(number, replica);
        }
        work.another(60).await;
        work.over.store(true, Ordering::Relaxed);
    };
    let (ended, ()) = tokio::join!(working, restarted);
    assert!(ended.iter().all(|ended| ended.lost.is_empty() && ended.anew > 0 && ended.ok > 50), "{ended:?}");
}
