//! Clients that come back to a stream with `Last-Event-ID`.

use serde_json::json;

use crate::support::{Event, Events, Sidecar, text_of};

/// In these there is something to come back to.
const REVISIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

async fn all(mut events: Events) -> Vec<Event> {
    let mut read = Vec::new();
    while let Some(event) = events.next().await {
        read.push(event);
    }
    read
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_deref().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanished_cancels_nothing_and_can_fetch_the_rest() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut events = session.call_stream("\"r\"", r#"{"name":"sample"}"#).await;
    let primed = events.next().await.unwrap().id.unwrap();
    let question = events.next().await.unwrap();
    drop(events);
    let answer = json!({ "jsonrpc": "2.0", "id": question.json()["id"], "result": {} }).to_string();
    let mut resumed = Events::of(session.get(question.id.as_deref()).await);
    assert_eq!(session.post(&answer).await.status(), 202);
    assert_eq!(resumed.message().await.unwrap()["id"], "r");
    assert!(resumed.next().await.is_none(), "the answer ends the stream");
    let mut again = Events::of(session.get(Some(&primed)).await);
    assert_eq!(again.message().await.unwrap()["method"], "sampling/createMessage");
    assert_eq!(again.message().await.unwrap()["id"], "r");
    assert!(again.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_come_back_until_the_answer_is_there_and_for_it_and_then_there_is_no_stream() {
    let sidecar = Sidecar::start().await;
    for version in REVISIONS {
        let session = sidecar.session_of(version, None).await;
        let mut events = session.call_stream("1", r#"{"name":"sample"}"#).await;
        let mut question = events.next().await.unwrap();
        while question.data.is_empty() {
            question = events.next().await.unwrap();
        }
        for _ in 0..3 {
            let polled = session.get(question.id.as_deref()).await;
            assert_eq!(polled.status(), 200, "{version}: the answer is still to come");
            drop(polled);
        }
        let answer = json!({ "jsonrpc": "2.0", "id": question.json()["id"], "result": {} }).to_string();
        assert_eq!(session.post(&answer).await.status(), 202);
        let mut last = String::new();
        for _ in 0..3 {
            let rest = all(Events::of(session.get(question.id.as_deref()).await)).await;
            let answers: Vec<_> = rest.iter().filter(|event| !event.data.is_empty()).collect();
            assert_eq!((answers.len(), &answers[0].json()["id"]), (1, &json!(1)), "{version}");
            last = answers[0].id.clone().unwrap();
        }
        let over = session.get(Some(&last)).await;
        assert_eq!(
            (over.status(), &over.headers()["allow"]),
            (405.try_into().unwrap(), &"GET, POST, DELETE".parse().unwrap())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_kept_or_never_was_is_not_resumed_from() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    for id in ["nonsense", "99-1", "1", "-", "0-0", "0-1", "1-1"] {
        assert_eq!(session.get(Some(id)).await.status(), 405, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_ended_session_is_none_of_the_next_and_takes_nothing_from_its_reader() {
    let sidecar = Sidecar::start().await;
    let ended = sidecar.session().await;
    let mut stale = vec![ended.listen().await.next().await.unwrap().id.unwrap()];
    let call = all(ended.call_stream("1", r#"{"name":"log"}"#).await).await;
    stale.extend(ids(&call).into_iter().map(str::to_owned));
    assert_eq!(ended.delete().await, 204);

    let session = sidecar.session().await;
    let mut reader = session.listen().await;
    for id in stale {
        assert_eq!(session.get(Some(&id)).await.status(), 405, "{id}");
    }
    assert_eq!(text_of(&session.call("announce", json!({})).await), "announced");
    assert_eq!(reader.message().await.unwrap()["method"], "notifications/tools/list_changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_for_an_answer_that_is_no_longer_kept_is_told_so_in_its_place() {
    let sidecar = Sidecar::with(&["--replay-bytes", "4096"]).await;
    let session = sidecar.session().await;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
    let answered = async |id: &str, bytes: usize| {
        let line = format!("{note}\n{{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"{}\"}}", "x".repeat(bytes));
        let params = json!({ "name": "raw", "arguments": { "line": line } }).to_string();
        let events = all(session.call_stream(id, &params).await).await;
        events[1].id.clone().unwrap()
    };
    let too_large = answered("\"too large\"", 5000).await;
    let pushed_out = answered("\"pushed out\"", 3000).await;
    let kept = answered("\"kept\"", 3000).await;
    for (id, place, is_kept) in
        [("too large", too_large, false), ("pushed out", pushed_out, false), ("kept", kept, true)]
    {
        let rest = all(Events::of(session.get(Some(&place)).await)).await;
        assert_eq!(rest.len(), 1, "{id}");
        let answer = rest[0].json();
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["data"]["reason"], if is_kept { json!(null) } else { json!("answer_not_kept") });
        assert_eq!(session.get(rest[0].id.as_deref()).await.status(), 405, "{id}");
    }
}
