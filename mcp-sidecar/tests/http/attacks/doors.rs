//! DNS rebinding: a page in a browser that reaches us under a name, or from an origin, of its own.

use super::{asked, initialize_with};
use crate::support::Sidecar;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_foreign_missing_or_malformed_is_refused() {
    let sidecar = Sidecar::start().await;
    assert_eq!(asked(&sidecar, &initialize_with("Host: localhost\r\n")).await, 200);
    for host in [
        "evil.example.com",
        "localhost.evil.example.com",
        "127.0.0.1.evil.example.com",
        "localhost@evil.example.com",
        "evil.example.com#localhost",
        "evil.example.com/localhost",
        "2130706433.evil",
        "[::1",
        "[localhost]",
        "localhost:99999",
        "localhost:80:80",
        "%6cocalhost",
        "l\u{f6}calhost",
        "localhost evil",
        "",
    ] {
        let status = asked(&sidecar, &initialize_with(&format!("Host: {host}\r\n"))).await;
        assert!(matches!(status, 400 | 403), "{host}: {status}");
    }
    assert_eq!(asked(&sidecar, &initialize_with("")).await, 400, "no Host");
    let twice = asked(&sidecar, &initialize_with("Host: localhost\r\nHost: evil.example.com\r\n")).await;
    let reversed = asked(&sidecar, &initialize_with("Host: evil.example.com\r\nHost: localhost\r\n")).await;
    assert_eq!((twice, reversed), (400, 400), "two Hosts");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_foreign_or_malformed_is_refused_and_none_is_not() {
    let sidecar = Sidecar::start().await;
    let from = |origin: &str| initialize_with(&format!("Host: localhost\r\nOrigin: {origin}\r\n"));
    for origin in [
        "http://evil.example.com",
        "https://localhost.evil.example.com",
        "http://localhost@evil.example.com",
        "http://evil.example.com?http://localhost",
        "http://localhost:80:80",
        "http://localhost/",
        "localhost",
        "//localhost",
        "null",
        "file://",
        "chrome-extension://localhost",
        "http://",
        "http://l\u{f6}calhost",
    ] {
        assert_eq!(asked(&sidecar, &from(origin)).await, 403, "{origin}");
    }
    assert_eq!(asked(&sidecar, &from("")).await, 403, "an empty one is not none");
    let no_text = [&b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: \xff\r\n\r\n"[..]].concat();
    assert_eq!(asked(&sidecar, &no_text).await, 403);
    let twice = "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example.com\r\n";
    assert_eq!(asked(&sidecar, &initialize_with(twice)).await, 403);
    let and_more = "Host: localhost\r\nOrigin: http://evil.example.com\r\nContent-Type: text/plain\r\n";
    assert_eq!(asked(&sidecar, &initialize_with(and_more)).await, 403, "whatever else is wrong");
    assert_eq!(asked(&sidecar, &from("http://localhost:6274")).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebound_name_opens_no_door_by_any_method_and_path() {
    let sidecar = Sidecar::start().await;
    for method in ["GET", "POST", "DELETE"] {
        for path in ["/mcp", "/mcp/"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: evil.example.com\r\nContent-Length: 0\r\n\r\n");
            assert_eq!(asked(&sidecar, head.as_bytes()).await, 403, "{method} {path}");
        }
    }
    let absolute = b"DELETE http://localhost/mcp HTTP/1.1\r\nHost: evil.example.com\r\n\r\n";
    assert_eq!(asked(&sidecar, absolute).await, 403, "the request's own line is believed by nobody");
}
