//! The log through real requests: an id for each, one line for each, and nothing that a request can do to it.

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::support::Service;

const SENT: &str = "3f2b8c1e-0000-4000-8000-1234567890ab";

fn id(response: &Response) -> String {
    response.headers()["x-request-id"].to_str().unwrap().to_owned()
}

/// The line of the access log under this id.
async fn line(service: &mut Service, id: &str) -> String {
    let of = |log: &str| log.lines().find(|line| line.contains(" access: ") && line.contains(id)).map(str::to_owned);
    service.program().sees(id, |program| of(&program.log())).await
}

#[actix_web::test]
async fn a_request_is_told_in_one_line_with_the_id_that_its_client_got() {
    let mut service = Service::start_program(&[]).await;
    let request = service.http.get(service.at("/success?code=hunter2")).header("x-request-id", SENT);
    let request = request.header("x-forwarded-for", "192.0.2.7").header("x-forwarded-host", "auth.example.com");
    let response = request.header("x-forwarded-proto", "https").send().await.unwrap();
    assert_eq!(id(&response), SENT);
    let told = line(&mut service, SENT).await;
    for part in ["method=GET", "path=/success", "status=200", "ms=", "forwarded_for=192.0.2.7", "host=auth.example.com"]
    {
        assert!(told.contains(&format!(" {part}")), "{part} in {told}");
    }
    assert!(told.contains(" proto=https") && !told.contains("hunter2"), "{told}");

    let made = [id(&service.get("/jwks").await), id(&service.get("/jwks").await)];
    assert_ne!(made[0], made[1]);
    assert!(line(&mut service, &made[0]).await.contains("path=/jwks"));
    let refused = service.verify(Some("nonsense")).await;
    let refused = id(&refused);
    service
        .program()
        .sees("why", |program| program.log().contains(&format!("request_id={refused}")).then_some(()))
        .await;
    service.stop().await;
}

#[actix_web::test]
async fn probes_and_verify_are_told_at_debug_level_only() {
    for (level, told) in [("info", false), ("debug", true)] {
        let mut service = Service::start_program(&[("LOG_LEVEL", level)]).await;
        service.verify(None).await;
        service.get("/health/live").await;
        service.get("/jwks").await;
        let has = |log: &str, path: &str| log.contains(&format!(" path={path} "));
        service.program().sees("the last", |program| has(&program.log(), "/jwks").then_some(())).await;
        let log = service.program().log();
        assert_eq!((has(&log, "/mcp"), has(&log, "/health/live")), (told, told), "{log}");
        service.stop().await;
    }
}

#[actix_web::test]
async fn our_faults_carry_the_id_to_the_client_as_json_and_on_a_page() {
    let mut service = Service::start_program(&[("REDIS_URL", "redis://127.0.0.1:1/")]).await;
    let response = service.get("/health/ready").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let sent = id(&response);
    assert_eq!(response.json::<Value>().await.unwrap()["request_id"], sent.as_str());
    let log = service.log().await;
    assert!(log.lines().any(|line| line.contains("ERROR") && line.contains(&sent)), "{log}");

    let response = service.http.get(service.authorize_url("anybody", &[])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let sent = id(&response);
    assert!(response.text().await.unwrap().contains(&sent));
    service.stop().await;
}

/// What an attacker would write into a log, wherever a request lets them.
async fn inject(service: &Service) {
    let evil = "x\r\n2026-01-01T00:00:00.000Z INFO audit: forged event=forged\u{2028}\u{202e}\u{1b}[2J\u{85}\0\"}";
    let client = serde_json::json!({"redirect_uris": ["http://127.0.0.1/cb"], "client_name": evil});
    service.http.post(service.at("/register")).json(&client).send().await.unwrap();
    for path in ["/authorize", "/callback", "/error", "/success", "/token"] {
        let mut url = url::Url::parse(&service.at(path)).unwrap();
        url.query_pairs_mut().extend_pairs([("client_id", evil), ("error", evil), ("state", evil), ("code", evil)]);
        service.http.get(url).send().await.unwrap();
    }
    let form = [("grant_type", evil), ("client_id", evil), ("client_secret", evil), ("code", evil)];
    service.http.post(service.at("/token")).form(&form).send().await.unwrap();
    service.get("/register/x%0d%0aforged%e2%80%ae").await;
    let high = reqwest::header::HeaderValue::from_bytes("a\u{202e}\u{85}forged".as_bytes()).unwrap();
    let request = service.http.get(service.at("/jwks")).header("x-request-id", "forged\" event=forged");
    request.header("x-forwarded-for", high.clone()).header("x-forwarded-host", high).send().await.unwrap();
    service.verify(Some("a.b\tc")).await;
}

#[actix_web::test]
async fn log_injection_by_newlines_forges_no_line_and_turns_none_round() {
    for format in ["text", "json"] {
        let mut service = Service::start_program(&[("LOG_LEVEL", "debug"), ("LOG_FORMAT", format)]).await;
        inject(&service).await;
        let log = service.log().await;
        assert!(log.lines().count() > 10, "{log}");
        for line in log.lines() {
            assert!(line.starts_with(if format == "json" { "{\"time\":\"20" } else { "20" }), "{line}");
            assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{2028}".contains(c)), "{line:?}");
            assert!(!line.contains(" event=forged ") && !line.ends_with(" event=forged"), "{line}");
            let parsed = (format == "json").then(|| serde_json::from_str::<Value>(line).unwrap());
            assert!(parsed.is_none_or(|event| event["target"].is_string() && event.get("forged").is_none()), "{line}");
        }
        service.stop().await;
    }
}

#[actix_web::test]
async fn json_lines_hold_numbers_as_numbers_and_audit_events_by_name() {
    let mut service = Service::start_program(&[("LOG_FORMAT", "json")]).await;
    let client = service.register("none").await;
    assert_eq!(service.program().logged("client_registered", "client_id").await, client.id);
    service.program().sees("the access line", |program| program.log().contains("\"/register\"").then_some(())).await;
    let log = service.program().log();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |target: &str| events.iter().find(|event| event["target"] == target).unwrap();
    assert_eq!(find("audit")["event"], "client_registered");
    let access = find("access");
    assert_eq!((&access["status"], &access["path"]), (&Value::from(201), &Value::from("/register")));
    assert_eq!(find("audit")["request_id"], access["request_id"]);
    service.stop().await;
}

#[actix_web::test]
async fn a_closed_standard_error_does_not_silence_the_file_nor_stop_the_server() {
    let (_, stderr) = std::io::pipe().unwrap();
    let mut service = Service::start_heard_by(stderr, &[("LOG_FILE", "auth.log")]).await;
    let client = service.register("none").await;
    assert_eq!(service.program().logged("client_registered", "client_id").await, client.id);
    service.stop().await;
}

#[actix_web::test]
async fn a_full_disk_under_the_log_does_not_silence_standard_error_nor_stop_the_server() {
    let mut service = Service::start_program(&[("LOG_FILE", "/dev/full")]).await;
    let client = service.register("none").await;
    assert_eq!(service.program().logged("client_registered", "client_id").await, client.id);
    service.stop().await;
}

#[actix_web::test]
async fn a_standard_error_that_nobody_reads_holds_up_no_request_and_not_the_end() {
    let (_unread, stderr) = std::io::pipe().unwrap();
    let mut service = Service::start_heard_by(stderr, &[("LOG_FILE", "auth.log")]).await;
    // Each is 2 kB in the log, all together more than a pipe holds.
    let host = reqwest::header::HeaderValue::from_bytes("\u{202e}".repeat(256).as_bytes()).unwrap();
    for _ in 0..50 {
        let request = service.http.get(service.at("/jwks")).header("x-forwarded-host", host.clone());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
    let client = service.register("none").await;
    assert_eq!(service.program().logged("client_registered", "client_id").await, client.id);
    service.program().end_well().await;
    assert!(service.program().log().contains("stopped"));
}
