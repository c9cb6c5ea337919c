//! Replicas are exchanged while people work: nobody notices.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use gateway_tests::{
    client::{Client, Login},
    harness::{Headers, Setup, StoreKind},
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;

use crate::support::{SCOPE, load, log_in};

/// The balancer looks every second; it has the rest to find the time.
const DRAINS_SECONDS: &str = "8";

/// Refreshes until told to stop: these write, and are never sent twice.
async fn refreshes(client: &Client, mut refresh_token: String, stop: &AtomicBool) -> usize {
    let mut done = 0;
    while done <= 5 || !stop.load(Ordering::Relaxed) {
        let tokens = Client::tokens(client.refresh(&refresh_token).await).await;
        refresh_token = tokens.refresh_token.unwrap();
        done += 1;
    }
    done
}

#[tokio::test]
async fn rolling_restart_of_two_replicas_under_load_loses_no_request() {
    let server = Headers::start();
    let setup = Setup::new(StoreKind::Redis).replicas(2).balanced().var("SHUTDOWN_DELAY", DRAINS_SECONDS);
    let mut gateway = setup.upstream("one", server.url()).start();
    let (client, tokens) = log_in(&gateway, "octocat", "one").await;
    let stop = Arc::new(AtomicBool::new(false));
    let reading = futures_util::future::join_all((0..4).map(|_| load(&gateway, &client, &tokens.access_token, &stop)));
    // Another login: one that is refreshed without a pause lets go of its oldest access tokens.
    let writer = Client::register(gateway.browser(), &gateway.issuer(), "Another client").await;
    let login = Login { user: "octocat", resource: &gateway.mcp("one"), scope: SCOPE };
    let written = writer.log_in(&login).await;
    let writing = refreshes(&writer, written.refresh_token.clone().unwrap(), &stop);
    let restarted = async {
        for replica in [0, 1] {
            let mut auth = gateway.auth.remove(replica);
            // Elsewhere, so that requests go on meanwhile.
            let auth = tokio::task::spawn_blocking(move || {
                auth.process.signal(Signal::SIGTERM);
                assert!(auth.process.ended().success());
                auth.resume();
                // Until the balancer has seen it, it gets nothing, and the other must not go. Whoever asks again has
                // heard the first answer.
                let asked = |log: &str| (log.matches("path=/health/ready status=200").count() > 1).then_some(());
                auth.process.within("be asked twice whether it is ready", asked);
                auth
            })
            .await
            .unwrap();
            gateway.auth.insert(replica, auth);
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (ended, refreshed, ()) = tokio::join!(reading, writing, restarted);
    let ended = ended.concat();
    assert!(ended.iter().all(|status| *status == StatusCode::OK), "{ended:?}");
    assert!(ended.len() > 50 && refreshed > 5, "{} and {refreshed}", ended.len());
}
