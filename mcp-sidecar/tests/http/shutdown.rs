use serde_json::{Value, json};

use crate::support::{Sidecar, call, eventually, is_alive, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_calls_in_flight_finish_and_ends_streams_and_children() {
    let sidecar = Sidecar::start().await;
    let (busy, idle) = (sidecar.session().await, sidecar.session().await);
    let pids = [busy.pid().await, idle.pid().await];
    let mut events = idle.listen().await;
    let params = r#"{"name":"sleep","arguments":{"seconds":1}}"#;
    let stopping = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        sidecar.begin_stop();
        assert!(events.message().await.is_none());
    };
    let (answer, ()) = tokio::join!(busy.call_text("1", params), stopping);
    assert_eq!(text_of(&serde_json::from_str(&answer).unwrap()), "slept");
    sidecar.stopped().await;
    assert!(pids.iter().all(|&pid| !is_alive(pid)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_at_the_end_is_told_so() {
    let sidecar = Sidecar::with(&["--shutdown-timeout", "0.5"]).await;
    let session = sidecar.session().await;
    let pid = session.pid().await;
    let stopping = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        sidecar.begin_stop();
    };
    let (response, ()) = tokio::join!(session.post(call("1", r#"{"name":"hang"}"#)), stopping);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["error"]["data"]["reason"], json!("session_ended"));
    eventually("the child has ended", || !is_alive(pid)).await;
    sidecar.stopped().await;
}
