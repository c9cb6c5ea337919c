//! A stop in the middle of much: whoever is let in is answered, and whoever is not is told so at once.

use std::{
    cell::Cell,
    io::{Error, ErrorKind},
    time::Duration,
};

use futures_util::future::join_all;
use gateway_tests::{client::McpClient, harness::eventually};
use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::sidecar::Sidecar;

/// Calls until the sidecar takes none, counting the answers.
async fn call_until_refused(session: &McpClient, answered: &Cell<usize>) {
    loop {
        let call = session.request("tools/call", json!({ "name": "slow", "arguments": { "ms": 30 } }));
        let (status, body) = match session.try_post(&call).await {
            Ok(answer) => answer,
            Err(error) => return assert!(error.is_connect(), "a call was lost: {error:?}"),
        };
        match status {
            StatusCode::OK => assert!(body.contains("done"), "{body}"),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_FOUND => return,
            other => panic!("{other}: {body}"),
        }
        answered.set(answered.get() + 1);
    }
}

#[tokio::test]
async fn sigterm_under_load_answers_every_call_that_was_taken_and_refuses_the_others() {
    let sidecar = Sidecar::around_fixture(&["--shutdown-timeout", "10"]);
    let sessions = join_all((0..8).map(|_| sidecar.session())).await;
    let answered = Cell::new(0);
    let load = join_all(sessions.iter().map(|session| call_until_refused(session, &answered)));
    tokio::join!(load, stop_after(100, &answered, &sidecar));
    drop(sessions);
    sidecar.stopped_well();
}

async fn stop_after(answers: usize, answered: &Cell<usize>, sidecar: &Sidecar) {
    eventually(Duration::from_secs(30), "they are answered", async || (answered.get() > answers).then_some(())).await;
    sidecar.begin_stop();
}

/// What comes back on a connection that is made for this request.
async fn fetched(address: &str) -> Result<String, Error> {
    let mut connection = TcpStream::connect(address).await?;
    let asked = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let told = async {
        connection.write_all(asked.as_bytes()).await?;
        connection.read_to_string(&mut answer).await
    };
    told.await.map_err(|cause| Error::other(format!("after it was let in: {cause}")))?;
    Ok(answer)
}

async fn connect_until_refused(address: &str, answered: &Cell<usize>) {
    loop {
        match fetched(address).await {
            Ok(answer) => assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}"),
            Err(cause) => return assert_eq!(cause.kind(), ErrorKind::ConnectionRefused, "{cause}"),
        }
        answered.set(answered.get() + 1);
    }
}

#[tokio::test]
async fn sigterm_under_a_rush_of_connections_answers_on_each_that_was_made_and_refuses_the_others() {
    let sidecar = Sidecar::around_fixture(&[]);
    let address = sidecar.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let answered = Cell::new(0);
    let rush = join_all((0..64).map(|_| connect_until_refused(address, &answered)));
    tokio::join!(rush, stop_after(1000, &answered, &sidecar));
    sidecar.stopped_well();
}
