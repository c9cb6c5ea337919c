//! Replicas are exchanged while people work: nobody notices.

use gateway_tests::{
    client::{Client, Login},
    harness::{Headers, Setup, StoreKind},
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;

use crate::{
    support::{SCOPE, log_in},
    work::{Work, load},
};

/// The balancer looks every second; it has the rest to find the time.
const DRAINS_SECONDS: &str = "5";

/// Refreshes until told to stop: these write, and are never sent twice.
fn refreshes(client: &Client, mut refresh_token: String, work: &Work) -> impl Future<Output = usize> {
    let me = work.joined();
    async move {
        let mut done = 0;
        while !work.is_over() {
            let tokens = Client::tokens(client.refresh(&refresh_token).await).await;
            refresh_token = tokens.refresh_token.unwrap();
            done += 1;
            work.did_one(me);
        }
        done
    }
}

#[tokio::test]
async fn rolling_restart_of_two_replicas_under_load_loses_no_request() {
    let server = Headers::start();
    let setup = Setup::new(StoreKind::Redis).replicas(2).balanced().var("SHUTDOWN_DELAY", DRAINS_SECONDS);
    let mut gateway = setup.upstream("one", server.url()).start();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let work = Work::default();
    let reading = futures_util::future::join_all((0..4).map(|_| load(&gateway, &client, &tokens.access_token, &work)));
    // Another login: one that is refreshed without a pause lets go of its oldest access tokens.
    let writer = Client::register(gateway.browser(), &gateway.issuer(), "Another client").await;
    let login = Login { user: "octocat", resource: &gateway.mcp("one"), scope: SCOPE };
    let written = writer.log_in(&login).await;
    let writing = refreshes(&writer, written.refresh_token.clone().unwrap(), &work);
    let restarted = async {
        for replica in [0, 1] {
            work.another(5).await;
            let mut auth = gateway.auth.remove(replica);
            auth.process.signal(Signal::SIGTERM);
            work.another(5).await;
            // Elsewhere, so that requests go on meanwhile.
            let ended = tokio::task::spawn_blocking(move || {
                assert!(auth.process.ended().success());
                auth
            });
            let mut auth = ended.await.unwrap();
            work.another(5).await;
            let back = tokio::task::spawn_blocking(move || {
                auth.resume();
                // Until the balancer has seen it, it gets nothing, and the other must not go. Whoever asks again has
                // heard the first answer.
                let asked = |log: &str| (log.matches("path=/health/ready status=200").count() > 1).then_some(());
                auth.process.within("be asked twice whether it is ready", asked);
                auth
            });
            gateway.auth.insert(replica, back.await.unwrap());
        }
        work.another(5).await;
        work.end();
    };
    let (ended, refreshed, ()) = tokio::join!(reading, writing, restarted);
    let ended = ended.concat();
    assert!(ended.iter().all(|status| *status == StatusCode::OK), "{ended:?}");
    assert!(ended.len() > 50 && refreshed > 5, "{} and {refreshed}", ended.len());
}
