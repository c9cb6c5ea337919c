use serde_json::json;

use crate::support::{Sidecar, call, eventually, eventually_async, is_alive, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_belongs_to_the_user_who_opened_it() {
    let sidecar = Sidecar::start().await;
    let alice = sidecar.session_of("2025-11-25", Some("alice")).await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for thief in [Some("bob"), Some("Alice"), None] {
        let send = |request: reqwest::RequestBuilder| {
            let request =
                request.header("Mcp-Session-Id", &alice.id).header("Accept", "text/event-stream, application/json");
            thief.map_or(request.try_clone().unwrap(), |user| request.header("X-User-Id", user)).send()
        };
        assert_eq!(send(sidecar.post(ping)).await.unwrap().status(), 404, "{thief:?}");
        assert_eq!(send(sidecar.http.get(&sidecar.url)).await.unwrap().status(), 404);
        assert_eq!(send(sidecar.http.delete(&sidecar.url)).await.unwrap().status(), 404);
    }
    assert_eq!(alice.post(ping).await.status(), 200);
    let nobody = sidecar.session().await;
    let posing = sidecar.post(ping).header("Mcp-Session-Id", &nobody.id).header("X-User-Id", "alice");
    assert_eq!(posing.send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_ends_the_session_and_its_process() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let pid = session.pid().await;
    assert!(is_alive(pid));
    assert_eq!(session.delete().await, 204);
    assert_eq!(session.delete().await, 404);
    assert_eq!(session.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.status(), 404);
    assert_eq!(session.get(None).await.status(), 404);
    eventually("the child has ended", || !is_alive(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_session_ends_and_a_used_one_does_not() {
    let sidecar = Sidecar::with(&["--timeout", "4"]).await;
    let unused = async {
        let session = sidecar.session().await;
        let pid = session.pid().await;
        (session, pid)
    };
    let listening = async {
        let session = sidecar.session().await;
        let events = session.listen().await;
        (session, events)
    };
    let ((unused, pid), (listening, _events)) = tokio::join!(unused, listening);
    eventually("the idle child has ended", || !is_alive(pid)).await;
    assert_eq!(unused.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.status(), 404);
    assert_eq!(text_of(&listening.call("echo", json!({ "text": "here" })).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_idle_session_makes_room_and_a_busy_one_does_not() {
    let sidecar = Sidecar::with(&["--max-sessions", "2"]).await;
    let (idle, listening) = (sidecar.session().await, sidecar.session().await);
    let _events = listening.listen().await;
    let third = sidecar.session().await;
    assert_eq!(idle.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.status(), 404);
    let _more = third.listen().await;
    let refused = sidecar.initialize("2025-11-25", None).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(text_of(&listening.call("echo", json!({ "text": "here" })).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_cannot_take_the_room_of_others() {
    let sidecar = Sidecar::with(&["--max-sessions-per-user", "1"]).await;
    let alice = sidecar.session_of("2025-11-25", Some("alice")).await;
    let _events = alice.listen().await;
    assert_eq!(sidecar.initialize("2025-11-25", Some("alice")).await.status(), 503);
    assert_eq!(sidecar.initialize("2025-11-25", Some("bob")).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initialize_that_the_child_refuses_opens_no_session() {
    let sidecar = Sidecar::start().await;
    let odd = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":["odd"]}"#;
    let response = sidecar.post(odd).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("mcp-session-id"));
    let body = response.text().await.unwrap();
    assert_eq!(body, r#"{"jsonrpc":"2.0","id":0,"error":{"code": -32602, "message": "odd params"}}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_session_id_does_not_keep_a_client_from_starting_anew() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
    assert_eq!(session.post(initialize).await.status(), 400);
    session.delete().await;
    let anew = session.post(initialize).await;
    assert_eq!(anew.status(), 200);
    assert_ne!(anew.headers()["mcp-session-id"].to_str().unwrap(), session.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_stream_broke_off_is_gone_at_once() {
    let sidecar = Sidecar::with(&["--max-sessions", "1"]).await;
    let session = sidecar.session().await;
    let stream = session.listen().await;
    assert_eq!(sidecar.initialize("2025-11-25", None).await.status(), 503, "somebody listens");
    drop(stream);
    eventually_async("the idle session makes room", async || {
        sidecar.initialize("2025-11-25", None).await.status() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_left_before_it_knew_its_session_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let hanging = "import os,sys,time; open(sys.argv[1]+'.new','w').write(str(os.getpid())); os.rename(sys.argv[1]+'.new',sys.argv[1]); time.sleep(1000)";
    let sidecar = Sidecar::around(&[], &["python3", "-c", hanging, file.to_str().unwrap()]).await;
    let mut opening = Box::pin(sidecar.initialize("2025-11-25", None));
    tokio::select! {
        answer = &mut opening => panic!("{answer:?}"),
        () = eventually("the child runs", || file.exists()) => drop(opening),
    }
    let pid: u32 = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    eventually("the child is gone", || !is_alive(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_flight_is_no_idleness() {
    let sidecar = Sidecar::with(&["--timeout", "4"]).await;
    // Nobody listens meanwhile, and the child says nothing for longer than the session may be idle.
    let response = sidecar.initialize("2025-06-18", None).await;
    let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let sleep = sidecar.post(call("1", r#"{"name":"sleep","arguments":{"seconds":7}}"#));
    let slept = sleep.header("Mcp-Session-Id", id).send().await.unwrap();
    assert_eq!(slept.status(), 200);
    assert!(slept.text().await.unwrap().contains("slept"));
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_when_its_session_is_ended_finds_no_session() {
    let deaf = r#"read line; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}'; sleep 1000"#;
    let sidecar = Sidecar::around(&[], &["sh", "-c", deaf]).await;
    let session = sidecar.session().await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/x", "params": { "padding": "x".repeat(8192) } });
    // More than the pipe, the two queues before it, and what is written at once can hold; the rest waits for the session.
    for _ in 0..8 + 256 + 64 + 32 + 100 {
        assert_eq!(session.post(note.to_string()).await.status(), 202);
    }
    let full = r#"mcp_limits_reached_total{limit="child_queue"}"#;
    eventually_async("the queues are full", async || sidecar.count(full).await > 0).await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let waiting = futures_util::future::join_all((0..8).map(|_| session.post(ping)));
    // Whatever comes first, none of these calls was seen by the server.
    let ended = async {
        assert_eq!(session.post(note.to_string()).await.status(), 202);
        session.delete().await
    };
    let (answers, ended) = futures_util::future::join(waiting, ended).await;
    assert_eq!(ended, 204);
    assert_eq!(answers.iter().map(|answer| answer.status().as_u16()).collect::<Vec<_>>(), [404; 8]);
}
