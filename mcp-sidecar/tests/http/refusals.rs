use reqwest::header::HOST;
use serde_json::Value;

use crate::support::Sidecar;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_session_is_400_and_an_unknown_one_404() {
    let sidecar = Sidecar::start().await;
    assert_eq!(sidecar.post(PING).send().await.unwrap().status(), 400);
    for guessed in ["guess", "", &"0".repeat(48), &"a".repeat(5000), "../../x"] {
        let status = sidecar.post(PING).header("Mcp-Session-Id", guessed).send().await.unwrap().status();
        assert_eq!(status, 404, "{guessed}");
    }
    let get = sidecar.http.get(&sidecar.url).header("Accept", "text/event-stream");
    assert_eq!(get.send().await.unwrap().status(), 400);
    assert_eq!(sidecar.http.delete(&sidecar.url).send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bodies_get_json_rpc_errors_without_an_id() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let deep =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [(&[u8], i64); 8] = [
        (b"", -32700),
        (b"nonsense", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\0\"}", -32700),
        (deep.as_bytes(), -32700),
        (b"{}", -32600),
        (b"[]", -32600),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
    ];
    for (body, code) in bodies {
        let response = session.sign(sidecar.post(body.to_vec())).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["id"], error["error"]["code"].as_i64()), (&Value::Null, Some(code)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_hosts_and_origins_are_refused_and_loopback_ones_are_not() {
    let sidecar = Sidecar::start().await;
    for host in ["evil.example.com", "localhost.evil.com", "169.254.169.254", "127.0.0.1.nip.io"] {
        assert_eq!(sidecar.post(PING).header(HOST, host).send().await.unwrap().status(), 403, "{host}");
    }
    for origin in ["http://evil.example.com", "null", "http://localhost.evil.com", "file://"] {
        let response = sidecar.post(PING).header("Origin", origin).send().await.unwrap();
        assert_eq!(response.status(), 403, "{origin}");
        let get = sidecar.http.get(&sidecar.url).header("Accept", "text/event-stream").header("Origin", origin);
        assert_eq!(get.send().await.unwrap().status(), 403);
        assert_eq!(sidecar.http.delete(&sidecar.url).header("Origin", origin).send().await.unwrap().status(), 403);
    }
    for (host, origin) in
        [("localhost:3000", "http://localhost:6274"), ("time.localhost:8443", "https://time.localhost:8443")]
    {
        let response = sidecar.post(PING).header(HOST, host).header("Origin", origin).send().await.unwrap();
        assert_eq!(response.status(), 400, "only the session is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_host_and_origin_are_let_in() {
    let sidecar =
        Sidecar::with(&["--allowed-host", "time.example.com", "--allowed-origin", "https://app.example.com"]).await;
    let send = |host: &'static str, origin: &'static str| {
        sidecar.post(PING).header(HOST, host).header("Origin", origin).send()
    };
    assert_eq!(send("time.example.com", "https://app.example.com").await.unwrap().status(), 400);
    assert_eq!(send("other.example.com", "https://app.example.com").await.unwrap().status(), 403);
    assert_eq!(send("time.example.com", "https://app.evil.com").await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_413_announced_or_not() {
    let sidecar = Sidecar::with(&["--max-body", "1000"]).await;
    let large = "x".repeat(100_000);
    assert_eq!(sidecar.post(large).send().await.unwrap().status(), 413);
    for (pieces, bytes) in [(1, 1001), (1, 30_000), (3, 100_000)] {
        let piece = "x".repeat(bytes);
        let chunks = futures_util::stream::iter((0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
        let chunked = sidecar.post(reqwest::Body::wrap_stream(chunks)).send().await.unwrap();
        assert_eq!(chunked.status(), 413, "{pieces} of {bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn media_types_decide_as_http_says() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    let post = |accept: &'static str, media: &'static str| {
        let post = sidecar.http.post(&sidecar.url).header("Accept", accept).header("Content-Type", media).body(PING);
        session.sign(post).send()
    };
    assert_eq!(post("text/html", "application/json").await.unwrap().status(), 406);
    assert_eq!(post("*/*", "text/plain").await.unwrap().status(), 415);
    assert_eq!(post("*/*", "application/json; charset=utf-8").await.unwrap().status(), 200);
    let bare = sidecar.http.post(&sidecar.url).header("Content-Type", "application/json").body(PING);
    assert_eq!(session.sign(bare).send().await.unwrap().status(), 200);
    let get = session.sign(sidecar.http.get(&sidecar.url)).header("Accept", "application/json");
    assert_eq!(get.send().await.unwrap().status(), 406);
    let put = sidecar.http.put(&sidecar.url).send().await.unwrap();
    assert_eq!((put.status().as_u16(), put.headers()["allow"].to_str().unwrap()), (405, "GET, POST, DELETE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protocol_version_that_nobody_speaks_is_400() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session().await;
    for (version, status) in [("1999-01-01", 400), ("", 400), ("2025-06-18", 200), ("2025-03-26", 200)] {
        let response = session.sign(sidecar.post(PING)).header("MCP-Protocol-Version", version).send().await.unwrap();
        assert_eq!(response.status(), status, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_only_the_server_and_its_client_know_is_theirs_to_speak() {
    let sidecar = Sidecar::start().await;
    let session = sidecar.session_of("2024-10-07", None).await;
    let post = session.sign(sidecar.post(PING)).header("MCP-Protocol-Version", "2024-10-07");
    assert_eq!(post.send().await.unwrap().status(), 200);
    let get = session.sign(sidecar.http.get(&sidecar.url)).header("Accept", "text/event-stream");
    assert_eq!(get.header("MCP-Protocol-Version", "2024-10-07").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_user_must_be_named_once() {
    let sidecar = Sidecar::with(&["--require-user"]).await;
    assert_eq!(sidecar.initialize("2025-11-25", None).await.status(), 403);
    assert_eq!(sidecar.initialize("2025-11-25", Some("alice")).await.status(), 200);
    let twice = sidecar.post(PING).header("X-User-Id", "alice").header("X-User-Id", "bob");
    assert_eq!(twice.send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_spellings_of_the_path_work_and_health_needs_no_session() {
    let sidecar = Sidecar::start().await;
    let slash = format!("{}/", sidecar.url);
    let post = sidecar.http.post(&slash).header("Content-Type", "application/json").body(PING);
    assert_eq!(post.send().await.unwrap().status(), 400);
    let health = sidecar.http.get(sidecar.url.replace("/mcp", "/health")).send().await.unwrap();
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, r#"{"status":"ok"}"#));
}
