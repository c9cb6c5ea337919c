//! 2026-07-28: requests that stand alone, around `tests/fixture/modern.py`.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Events, Sidecar, is_alive, text_of};

pub(crate) const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/modern.py");
const META: &str =
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

pub(crate) async fn modern() -> Sidecar {
    Sidecar::around(&[], &["python3", FIXTURE]).await
}

/// `more` goes in front of `_meta`, `meta` into it; both end with a comma unless they are empty.
pub(crate) fn request(sidecar: &Sidecar, id: &str, method: &str, (more, meta): (&str, &str)) -> RequestBuilder {
    let params = format!(r#"{{{more}"_meta":{{{meta}{META}}}}}"#);
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
    sidecar.post(body).header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", method)
}

pub(crate) fn calling(sidecar: &Sidecar, id: &str, tool: &str, (arguments, meta): (Value, &str)) -> RequestBuilder {
    let more = format!(r#""name":"{tool}","arguments":{arguments},"#);
    request(sidecar, id, "tools/call", (&more, meta)).header("Mcp-Name", tool)
}

pub(crate) async fn call(sidecar: &Sidecar, tool: &str, arguments: Value) -> Value {
    let response = calling(sidecar, "1", tool, (arguments, "")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

pub(crate) async fn listen(sidecar: &Sidecar, id: &str) -> Events {
    let filter = r#""notifications":{"toolsListChanged":true},"#;
    let mut events = Events::of(request(sidecar, id, "subscriptions/listen", (filter, "")).send().await.unwrap());
    let first = events.next().await.unwrap();
    assert_eq!(first.id, None, "nobody can come back");
    assert_eq!(first.json()["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(subscription(&first.json()["params"]).to_string(), id);
    events
}

fn subscription(owner: &Value) -> &Value {
    &owner["_meta"]["io.modelcontextprotocol/subscriptionId"]
}

pub(crate) async fn error_of(response: Response) -> (u16, Value, i64) {
    let status = response.status().as_u16();
    let error: Value = response.json().await.unwrap();
    (status, error["id"].clone(), error["error"]["code"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_child_as_it_is_but_for_its_id_and_token_and_no_session_is_minted() {
    let sidecar = modern().await;
    let more = r#""name":"seen","arguments":{"n":1.50},"requestState":"x\u00e9","#;
    let post = request(&sidecar, "\"mine\"", "tools/call", (more, r#""progressToken":"secret","traceparent":"00-1","#));
    let response = post.header("Mcp-Name", "seen").header("Mcp-Session-Id", "any").header("Last-Event-ID", "0-1");
    let response = response.send().await.unwrap();
    assert!(!response.headers().contains_key("mcp-session-id"));
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["id"], "mine");
    let seen: Value = serde_json::from_str(text_of(&answer)).unwrap();
    assert!(seen["id"].is_u64());
    assert_eq!(seen["params"]["requestState"], "x\u{e9}");
    let meta = &seen["params"]["_meta"];
    assert_eq!((&meta["progressToken"], &meta["traceparent"]), (&seen["id"], &json!("00-1")));
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_child_needs_is_asked_in_its_result_and_given_with_the_retry() {
    let sidecar = modern().await;
    let asked = call(&sidecar, "input", json!({})).await;
    assert_eq!(
        (&asked["result"]["resultType"], &asked["result"]["requestState"]),
        (&json!("input_required"), &json!("s\u{e9}"))
    );
    let more = r#""name":"input","arguments":{},"inputResponses":{"q":{"roots":[]}},"requestState":"s\u00e9","#;
    let retry = request(&sidecar, "2", "tools/call", (more, "")).header("Mcp-Name", "input").send().await.unwrap();
    assert_eq!(text_of(&retry.json().await.unwrap()), "s\u{e9}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_status_that_the_specification_gives_them_and_the_id_of_their_request() {
    let sidecar = modern().await;
    let unknown = request(&sidecar, "\"a\"", "no/such", ("", "")).send().await.unwrap();
    assert_eq!(error_of(unknown).await, (404, json!("a"), -32601));
    let initialize = request(&sidecar, "\"a\"", "initialize", ("", "")).send().await.unwrap();
    assert_eq!(error_of(initialize).await, (404, json!("a"), -32601));
    let capability = calling(&sidecar, "7", "sampling", (json!({}), "")).send().await.unwrap();
    assert_eq!(error_of(capability).await, (400, json!(7), -32021));
    let tool = calling(&sidecar, "7", "nosuch", (json!({}), "")).send().await.unwrap();
    assert_eq!(error_of(tool).await, (200, json!(7), -32602));
    let bare = sidecar.post(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#).header("MCP-Protocol-Version", "2026-07-28");
    assert_eq!(error_of(bare.send().await.unwrap()).await, (400, json!(7), -32602));
    let other = request(&sidecar, "7", "tools/list", ("", "")).header("Mcp-Method", "tools/call").send().await.unwrap();
    assert_eq!(error_of(other).await, (400, json!(7), -32020));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_revision_has_no_more_is_refused() {
    let sidecar = modern().await;
    let signed = |post: RequestBuilder| post.header("MCP-Protocol-Version", "2026-07-28").send();
    for gone in
        [sidecar.http.get(&sidecar.url).header("Accept", "text/event-stream"), sidecar.http.delete(&sidecar.url)]
    {
        let response = signed(gone).await.unwrap();
        assert_eq!(
            (response.status(), response.headers()["allow"].to_str().unwrap()),
            (StatusCode::METHOD_NOT_ALLOWED, "POST")
        );
    }
    let response = signed(sidecar.post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)).await.unwrap();
    assert_eq!(response.status(), 400);
    let batch = format!(r#"[{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{{{META}}}}}}}]"#);
    assert_eq!(signed(sidecar.post(batch)).await.unwrap().status(), 400);
    let note = signed(sidecar.post(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#)).await.unwrap();
    assert_eq!(note.status(), 202);
    assert_eq!(note.text().await.unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_comes_before_the_answer_on_a_stream_and_a_log_message_only_to_who_asked_for_it() {
    let sidecar = modern().await;
    let post = calling(&sidecar, "1", "progress", (json!({}), r#""progressToken":"t","#));
    let mut events = Events::of(post.send().await.unwrap());
    assert_eq!(events.message().await.unwrap()["params"]["progressToken"], "t");
    assert_eq!(text_of(&events.message().await.unwrap()), "done");
    assert!(events.next().await.is_none());
    let post = calling(&sidecar, "1", "log", (json!({}), r#""io.modelcontextprotocol/logLevel":"info","#));
    let mut events = Events::of(post.send().await.unwrap());
    assert_eq!(events.message().await.unwrap()["params"]["data"], "logged");
    assert_eq!(text_of(&call(&sidecar, "log", json!({})).await), "done", "and here nothing but the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_about_one_users_call_reaches_no_call_and_no_subscription_of_another() {
    const LOGS: &str = r#""io.modelcontextprotocol/logLevel":"info","progressToken":1,"#;
    let sidecar = Sidecar::around(&["--isolation", "shared"], &["python3", FIXTURE]).await;
    let filter = r#""notifications":{"toolsListChanged":true},"#;
    let of = async |user: &str, post: RequestBuilder| post.header("X-User-Id", user).send().await.unwrap();
    let listen = of("alice", request(&sidecar, "1", "subscriptions/listen", (filter, LOGS))).await;
    let hang = of("alice", calling(&sidecar, "2", "hang", (json!({ "progress": true }), LOGS))).await;
    let [mut listening, mut hanging] = [listen, hang].map(Events::of);
    assert_eq!(listening.message().await.unwrap()["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(hanging.message().await.unwrap()["method"], "notifications/progress");
    for (tool, meta) in [("log", ""), ("log", LOGS), ("change", "")] {
        assert_eq!(of("bob", calling(&sidecar, "1", tool, (json!({}), meta))).await.status(), 200);
    }
    assert_eq!(listening.message().await.unwrap()["method"], "notifications/tools/list_changed");
    of("bob", calling(&sidecar, "1", "exit", (json!({}), ""))).await;
    assert_eq!(hanging.message().await.unwrap()["error"]["data"]["reason"], "child_exited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_the_child_is_refused_for_there_is_nobody_to_ask() {
    let sidecar = modern().await;
    let answer = call(&sidecar, "ask", json!({})).await;
    let refused: Value = serde_json::from_str(text_of(&answer)).unwrap();
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!("q"), &json!(-32601)));
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_with_one_id_of_several_clients_each_hear_of_every_change_and_end_with_a_result() {
    let sidecar = modern().await;
    let mut streams = [listen(&sidecar, "1").await, listen(&sidecar, "1").await, listen(&sidecar, "\"1\"").await];
    call(&sidecar, "change", json!({})).await;
    for (stream, id) in streams.iter_mut().zip([json!(1), json!(1), json!("1")]) {
        let change = stream.message().await.unwrap();
        assert_eq!(
            (&change["method"], subscription(&change["params"])),
            (&json!("notifications/tools/list_changed"), &id)
        );
    }
    sidecar.begin_stop();
    for (stream, id) in streams.iter_mut().zip([json!(1), json!(1), json!("1")]) {
        let end = stream.message().await.unwrap();
        assert_eq!(
            (&end["id"], subscription(&end["result"]), &end["result"]["resultType"]),
            (&id, &id, &json!("complete"))
        );
        assert!(stream.next().await.is_none());
    }
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_connection_cancels_its_request_before_and_after_the_first_event() {
    let sidecar = modern().await;
    let hang = |progress: bool| {
        calling(&sidecar, "1", "hang", (json!({ "progress": progress }), r#""progressToken":1,"#)).send()
    };
    let mut before = Box::pin(hang(false));
    tokio::select! {
        answer = &mut before => panic!("{answer:?}"),
        _ = call(&sidecar, "hanging", json!({ "count": 1 })) => drop(before),
    }
    let known = |count: usize| call(&sidecar, "cancelled", json!({ "count": count }));
    assert_eq!(text_of(&known(1).await), "[true]");
    let mut after = Events::of(hang(true).await.unwrap());
    assert_eq!(after.message().await.unwrap()["method"], "notifications/progress");
    drop(after);
    assert_eq!(text_of(&known(2).await), "[true, true]");
    drop(listen(&sidecar, "1").await);
    assert_eq!(text_of(&known(3).await), "[true, true, true]");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_has_one_child_and_nobody_another() {
    let sidecar = modern().await;
    let pid = async |user: Option<&str>| {
        let post = calling(&sidecar, "1", "pid", (json!({}), ""));
        let post = user.map_or(post.try_clone().unwrap(), |user| post.header("X-User-Id", user));
        text_of(&post.send().await.unwrap().json().await.unwrap()).to_owned()
    };
    let pids = [pid(Some("alice")).await, pid(Some("bob")).await, pid(None).await];
    assert!(pids[0] != pids[1] && pids[1] != pids[2] && pids[2] != pids[0]);
    assert_eq!(pids, [pid(Some("alice")).await, pid(Some("bob")).await, pid(None).await]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_dies_fails_the_calls_in_flight_and_the_next_call_has_another() {
    let sidecar = modern().await;
    let pid: u32 = text_of(&call(&sidecar, "pid", json!({})).await).parse().unwrap();
    let mut stream = listen(&sidecar, "\"s\"").await;
    let failed = call(&sidecar, "exit", json!({})).await;
    assert_eq!(
        (&failed["error"]["code"], &failed["error"]["data"]["reason"]),
        (&json!(-32603), &json!("child_exited"))
    );
    assert_eq!(stream.message().await.unwrap()["error"]["data"]["reason"], "child_exited");
    assert!(!is_alive(pid));
    assert_ne!(text_of(&call(&sidecar, "pid", json!({})).await), pid.to_string());
    assert_eq!(sidecar.count("mcp_child_restarts_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_child_ends_and_the_next_call_has_another() {
    let sidecar = Sidecar::around(&["--timeout", "0.2"], &["python3", FIXTURE]).await;
    let pid: u32 = text_of(&call(&sidecar, "pid", json!({})).await).parse().unwrap();
    crate::support::eventually("the idle child is gone", || !is_alive(pid)).await;
    assert_ne!(text_of(&call(&sidecar, "pid", json!({})).await), pid.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_legacy_only_says_so_with_what_it_speaks() {
    let sidecar = Sidecar::start().await;
    let response = request(&sidecar, "\"a\"", "server/discover", ("", "")).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let error: Value = response.json().await.unwrap();
    assert_eq!((&error["id"], &error["error"]["code"]), (&json!("a"), &json!(-32022)));
    assert_eq!(error["error"]["data"]["requested"], "2026-07-28");
    assert!(error["error"]["data"]["supported"].as_array().unwrap().contains(&json!("2025-11-25")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_nobody_speaks_is_told_what_the_server_speaks() {
    let dual = Sidecar::around(&[], &["python3", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/described.py")]);
    for (sidecar, spoken) in [
        (modern().await, json!(["2026-07-28"])),
        (dual.await, json!(["2026-07-28", "2025-11-25"])),
        (Sidecar::start().await, json!(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"_meta":{{{META}}}}}}}"#);
        let post = sidecar.post(body.replace("2026-07-28", "v999.0.0")).header("MCP-Protocol-Version", "v999.0.0");
        let response = post.header("Mcp-Method", "ping").send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(7), &json!(-32022)));
        assert_eq!(error["error"]["data"], json!({ "requested": "v999.0.0", "supported": spoken }));
    }
}
