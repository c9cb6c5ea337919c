//! What is wrong below OAuth: sizes, encodings, repetitions, slowness. Over a socket where a client library would not.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::Service;

const FORM: &str = "application/x-www-form-urlencoded";

/// A connection of its own, on which anything may be written.
struct Wire(TcpStream);

impl Wire {
    async fn open(service: &Service) -> Self {
        Self(TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap())
    }

    /// A server that has already refused may have closed.
    async fn write(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// The answer's status; 0: closed without one.
    async fn status(&mut self) -> u16 {
        let mut answer = Vec::new();
        let reading =
            async { while !answer.contains(&b'\n') && self.0.read_buf(&mut answer).await.is_ok_and(|n| n > 0) {} };
        tokio::time::timeout(Duration::from_secs(30), reading).await.expect("an answer or an end");
        String::from_utf8_lossy(&answer).split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }
}

async fn asked(service: &Service, request: &[u8]) -> u16 {
    let mut wire = Wire::open(service).await;
    wire.write(request).await;
    wire.status().await
}

fn head(method: &str, path: &str, more: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: auth.example.com\r\n{more}\r\n").into_bytes()
}

async fn lives(service: Service) {
    assert_eq!(service.get("/health/ready").await.status(), StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn huge_bodies_are_refused_before_they_are_sent_whole() {
    let service = Service::start().await;
    for path in ["/token", "/revoke", "/introspect", "/register"] {
        for length in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
            let mut wire = Wire::open(&service).await;
            wire.write(&head("POST", path, &format!("Content-Type: {FORM}\r\n{length}\r\n"))).await;
            let piece = [b"1000\r\n".as_slice(), &[b'a'; 0x1000], b"\r\n"].concat();
            let piece = if length.starts_with("Content") { &piece[6..0x1006] } else { &piece };
            // 256 kB of a gigabyte: what follows is never read.
            for _ in 0..64 {
                wire.write(piece).await;
            }
            assert_eq!(wire.status().await, 413, "{path} {length}");
        }
    }
    lives(service).await;
}

#[actix_web::test]
async fn deep_json_is_refused() {
    let service = Service::start().await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    for value in [deep("[", "]"), deep("{\"a\":", "}").replace(":}", ":1}")] {
        for field in ["redirect_uris", "jwks", "unknown"] {
            let body = format!("{{\"redirect_uris\": [\"http://127.0.0.1/cb\"], \"{field}\": {value}}}");
            let refused = service.http.post(service.at("/register")).body(body).send().await.unwrap();
            assert!([400, 413].contains(&refused.status().as_u16()), "{field}: {}", refused.status());
        }
    }
    lives(service).await;
}

#[actix_web::test]
async fn duplicate_parameters_are_refused_everywhere() {
    let service = Service::start().await;
    for path in ["/token", "/revoke", "/introspect"] {
        let request = service.http.post(service.at(path)).header("content-type", FORM);
        let refused = request.body("client_id=a&token=b&grant_type=x&client_id=a").send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_request", "{path}");
    }
    let page = service.get("/authorize?client_id=a&client_id=b").await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    let mut two = head(
        "GET",
        "/verify",
        "Authorization: Bearer a\r\nAuthorization: Bearer b\r\nX-Forwarded-Host: time.example.com\r\n",
    );
    assert_eq!(asked(&service, &two).await, 401);
    two = head("POST", "/token", "Content-Length: 1\r\nContent-Length: 2\r\n");
    assert_eq!(asked(&service, &two).await, 400);
    lives(service).await;
}

#[actix_web::test]
async fn non_utf_8_and_nul_bytes_are_refused() {
    let service = Service::start().await;
    for bad in ["%ff", "%c0%80", "%ed%a0%80", "%00"] {
        for path in ["/token", "/revoke", "/introspect"] {
            let request = service.http.post(service.at(path)).header("content-type", FORM);
            let refused = request.body(format!("client_id=a{bad}&token=b")).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{path} {bad}");
        }
        for path in ["/authorize?client_id=", "/callback?state=", "/register/", "/error?error=", "/success?code="] {
            let status = service.get(&format!("{path}{bad}")).await.status();
            assert!(!status.is_server_error(), "{path}{bad}: {status}");
        }
    }
    for raw in [b"client_id=\xff\xfe&token=x".as_slice(), b"client_id=a\0b&token=x"] {
        let request = service.http.post(service.at("/token")).header("content-type", FORM).body(raw.to_vec());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
        let request = service.http.post(service.at("/register")).body([b"{\"client_name\":\"", raw, b"\"}"].concat());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    for raw in [b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"] {
        assert!([0, 400, 404].contains(&asked(&service, raw).await));
    }
    let raw = [
        b"GET /verify HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: \xff\xfe\r\n".as_slice(),
        b"Authorization: Bearer \xff\r\n\r\n",
    ];
    assert!([400, 401].contains(&asked(&service, &raw.concat()).await));
    lives(service).await;
}

#[actix_web::test]
async fn headers_of_100_kb_or_hundreds_of_them_are_refused_or_harmless() {
    let service = Service::start().await;
    let long = |bytes: usize| {
        head(
            "GET",
            "/verify",
            &format!("Authorization: Bearer {}\r\nX-Forwarded-Host: time.example.com\r\n", "a".repeat(bytes)),
        )
    };
    assert_eq!(asked(&service, &long(100_000)).await, 401, "a token of that length is none");
    assert_eq!(asked(&service, &long(200_000)).await, 431);
    let many = head("GET", "/jwks", &"X-Many: 1\r\n".repeat(500));
    assert!([400, 431].contains(&asked(&service, &many).await));
    let query = format!("/authorize?client_id={}", "a".repeat(60_000));
    assert_eq!(asked(&service, &head("GET", &query, "")).await, 400);
    lives(service).await;
}

#[actix_web::test]
async fn slow_bodies_and_slow_heads_are_given_up_on() {
    let service = Service::start().await;
    let slow_head = async {
        let mut wire = Wire::open(&service).await;
        wire.write(b"GET /jwks HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
        wire.status().await
    };
    let slow_body = async |path: &str| {
        let mut wire = Wire::open(&service).await;
        wire.write(&head("POST", path, &format!("Content-Type: {FORM}\r\nContent-Length: 1000\r\n"))).await;
        wire.write(b"client_id=").await;
        wire.status().await
    };
    let (head, token, register) = tokio::join!(slow_head, slow_body("/token"), slow_body("/register"));
    assert_eq!((head, token, register), (408, 408, 408));
    lives(service).await;
}

#[actix_web::test]
async fn a_client_that_goes_away_in_the_middle_harms_nobody() {
    let service = Service::start().await;
    for cut in [b"POST /tok".as_slice(), b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nclient_id="] {
        let mut wire = Wire::open(&service).await;
        wire.write(cut).await;
        drop(wire);
    }
    lives(service).await;
}

#[actix_web::test]
async fn a_wrong_method_is_405_with_allow_and_options_asks_for_it() {
    let service = Service::start().await;
    let cases = [
        ("/token", Method::GET, "POST"),
        ("/jwks", Method::POST, "GET, HEAD"),
        ("/register", Method::GET, "POST"),
        ("/register/client_x", Method::POST, "GET, HEAD, PUT, DELETE"),
        ("/consent", Method::GET, "POST"),
        ("/authorize", Method::PUT, "GET, HEAD"),
        ("/health/ready", Method::POST, "GET, HEAD"),
    ];
    for (path, method, allowed) in cases {
        let refused = service.http.request(method, service.at(path)).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.headers()["allow"], format!("OPTIONS, {allowed}"), "{path}");
        let sent = refused.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body: Value = refused.json().await.unwrap();
        assert_eq!((&body["error"], &body["request_id"]), (&"method_not_allowed".into(), &sent.into()), "{path}");
    }
    let asked = service.http.request(Method::OPTIONS, service.at("/authorize")).send().await.unwrap();
    assert_eq!(
        (asked.status(), &asked.headers()["allow"]),
        (StatusCode::NO_CONTENT, &"OPTIONS, GET, HEAD".parse().unwrap())
    );
    service.stop().await;
}

#[actix_web::test]
async fn head_is_get_without_the_body() {
    let service = Service::start().await;
    for path in ["/", "/jwks", "/.well-known/oauth-authorization-server", "/health/live", "/success", "/error"] {
        let get = service.get(path).await;
        let head = service.http.head(service.at(path)).send().await.unwrap();
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.headers()["content-type"], get.headers()["content-type"], "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn an_unknown_path_is_404_in_json_with_a_request_id() {
    let service = Service::start().await;
    for path in ["/nothing/here", "/.well-known/nothing", "/tokens", "/metrics"] {
        let missing = service.get(path).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND, "{path}");
        let sent = missing.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body: Value = missing.json().await.unwrap();
        assert_eq!((&body["error"], &body["request_id"]), (&"not_found".into(), &sent.into()), "{path}");
    }
    service.stop().await;
}
