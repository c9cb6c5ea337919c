use reqwest::Version;
use serde_json::{Value, json};

use crate::support::{Events, Sidecar, call, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn progress_comes_on_its_own_post_under_the_clients_token() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let calls = ["\"a\"", "7.0"].map(|token| {
        let params = format!(r#"{{"name":"progress","arguments":{{"steps":5}},"_meta":{{"progressToken":{token}}}}}"#);
        let session = &session;
        async move {
            let mut events = session.call_stream("1", &params).await;
            for step in 0..5 {
                let progress = events.message().await.unwrap();
                assert_eq!(progress["params"]["progressToken"].to_string(), token);
                assert_eq!(progress["params"]["progress"], step);
            }
            assert_eq!(text_of(&events.message().await.unwrap()), "done");
            assert!(events.next().await.is_none());
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_1_0_is_sent_no_chunks() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let params = r#"{"name":"progress","arguments":{"steps":1},"_meta":{"progressToken":1}}"#;
    let post = session.sign(sidecar.post(call("1", params))).version(Version::HTTP_10);
    let response = post.header("Connection", "keep-alive").send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_10);
    assert!(!response.headers().contains_key("transfer-encoding"));
    let mut events = Events::of(response);
    assert_eq!(events.message().await.unwrap()["method"], "notifications/progress");
    assert_eq!(text_of(&events.message().await.unwrap()), "done");
    assert!(events.next().await.is_none(), "the end of the connection is its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_comes_on_the_post_it_belongs_to_and_its_answer_reaches_the_child() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut events = session.call_stream("1", r#"{"name":"sample"}"#).await;
    let question = events.message().await.unwrap();
    assert_eq!(question["method"], "sampling/createMessage");
    assert_ne!(question["id"], "q\u{e9}");
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "role": "assistant" } }).to_string();
    assert_eq!(session.post(&answer).await.status(), 202);
    let result = events.message().await.unwrap();
    let seen: Value = serde_json::from_str(text_of(&result)).unwrap();
    assert_eq!(seen, json!({ "jsonrpc": "2.0", "id": "q\u{e9}", "result": { "role": "assistant" } }));
    assert!(events.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_another_session_answers_nothing() {
    let sidecar = Sidecar::start().await;
    let (asked, other) = (sidecar.session().await, sidecar.session().await);
    let mut events = asked.call_stream("1", r#"{"name":"sample"}"#).await;
    let id = events.message().await.unwrap()["id"].clone();
    let answer = |who: &str| json!({ "jsonrpc": "2.0", "id": id, "result": { "who": who } }).to_string();
    assert_eq!(other.post(answer("other")).await.status(), 202);
    assert_eq!(asked.post(answer("asked")).await.status(), 202);
    assert!(text_of(&events.message().await.unwrap()).contains("asked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_on_its_own_comes_on_the_get_stream() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut events = session.listen().await;
    assert_eq!(text_of(&session.call("announce", json!({})).await), "announced");
    assert_eq!(events.message().await.unwrap()["method"], "notifications/tools/list_changed");
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#).await;
    assert_eq!(events.message().await.unwrap()["method"], "roots/list");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_anybody_listened_is_not_lost_and_not_told_twice() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/announce"}"#).await;
    let mut first = session.listen().await;
    assert_eq!(first.message().await.unwrap()["method"], "notifications/tools/list_changed");
    let mut second = session.listen().await;
    session.post(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#).await;
    assert_eq!(second.message().await.unwrap()["method"], "roots/list");
    assert!(first.message().await.is_none(), "a newer GET ends the older");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_comes_on_the_call_in_flight_and_alone_on_one_stream() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut standalone = session.listen().await;
    let mut events = session.call_stream("1", r#"{"name":"log","arguments":{"text":"first"}}"#).await;
    assert_eq!(events.message().await.unwrap()["params"]["data"], "first");
    assert_eq!(text_of(&events.message().await.unwrap()), "logged");
    session.call("announce", json!({})).await;
    assert_eq!(standalone.message().await.unwrap()["method"], "notifications/tools/list_changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_2025_11_25_begins_with_an_event_to_come_back_by_and_older_ones_do_not() {
    let sidecar = Sidecar::start().await;
    let params = r#"{"name":"log"}"#;
    let new = sidecar.session().await;
    let first = new.call_stream("1", params).await.next().await.unwrap();
    assert!(first.data.is_empty() && first.id.is_some());
    for version in ["2025-03-26", "2025-06-18"] {
        let old = sidecar.session_of(version, None).await;
        assert!(!old.call_stream("1", params).await.next().await.unwrap().data.is_empty(), "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_only_json_gets_json_and_the_rest_goes_to_its_get_stream() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let mut standalone = session.listen().await;
    let params = r#"{"name":"progress","_meta":{"progressToken":"t"},"arguments":{"steps":1}}"#;
    let only_json = sidecar.http.post(&sidecar.url).header("Content-Type", "application/json");
    let only_json = session.sign(only_json.header("Accept", "application/json").body(call("1", params)));
    let response = only_json.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(text_of(&response.json().await.unwrap()), "done");
    assert_eq!(standalone.message().await.unwrap()["params"]["progressToken"], "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_only_events_gets_events() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let only_events = sidecar.http.post(&sidecar.url).header("Content-Type", "application/json");
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let response = session.sign(only_events.header("Accept", "text/event-stream").body(ping)).send().await.unwrap();
    assert_eq!(Events::of(response).message().await.unwrap(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_delays_nobody() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let params = r#"{"name":"progress","_meta":{"progressToken":"t"},"arguments":{"steps":500,"padding":65536}}"#;
    let unread = session.call_stream("1", params).await;
    for _ in 0..5 {
        assert_eq!(text_of(&session.call("echo", json!({ "text": "prompt" })).await), "prompt");
    }
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_missed_more_than_may_be_unread_gets_all_that_was_kept() {
    let sidecar = Sidecar::with(&["--replay-bytes", "67108864"]).await;
    let session = sidecar.session().await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": { "uri": "x".repeat(64 << 10) } });
    let line = format!("{note}\n{{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":1}}");
    let params = json!({ "name": "raw", "arguments": { "line": line } }).to_string();
    for _ in 0..280 {
        let only_json = sidecar.http.post(&sidecar.url).header("Content-Type", "application/json");
        let only_json = only_json.header("Accept", "application/json").body(call("1", &params));
        assert_eq!(session.sign(only_json).send().await.unwrap().status(), 200);
    }
    let mut events = session.listen().await;
    for _ in 0..280 {
        assert_eq!(events.message().await.unwrap(), note);
    }
    session.call("announce", json!({})).await;
    assert_eq!(events.message().await.unwrap()["method"], "notifications/tools/list_changed");
}
