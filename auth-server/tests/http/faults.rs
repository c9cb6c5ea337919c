//! What is not the client's fault is never told as if it were, and a stop loses no request.

use std::{io::ErrorKind, time::Duration};

use reqwest::{Response, StatusCode};
use tokio::{net::TcpStream, time::timeout};

use crate::support::{
    Service,
    github::code_for,
    journey::{location, query},
};

const MINUTE: Duration = Duration::from_secs(60);
/// Port 1 on loopback: nothing listens there.
const REDIS_THAT_IS_AWAY: (&str, &str) = ("REDIS_URL", "redis://127.0.0.1:1/");

#[actix_web::test]
async fn a_store_that_is_away_is_503_and_never_401() {
    let whole = Service::start().await;
    let client = whole.register("none").await;
    let (_, tokens) = whole.redeem(&client, &whole.code(&client.id).await).await;
    let access = tokens["access_token"].as_str().unwrap();

    let key = whole.data_dir().join("private_key.pem");
    let broken = Service::start_with(&[REDIS_THAT_IS_AWAY, ("JWT_PRIVATE_KEY_FILE", key.to_str().unwrap())]).await;
    let verified = broken.verify(Some(access)).await;
    assert_eq!(verified.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(verified.headers().contains_key("retry-after") && !verified.headers().contains_key("www-authenticate"));
    assert!(!verified.text().await.unwrap().contains("127.0.0.1"), "the cause is for the log");
    assert_eq!(broken.redeem(&client, "any").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let page = broken.http.get(broken.authorize_url(&client.id, &[])).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(broken.get("/health/ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(broken.get("/health/live").await.status(), StatusCode::OK);
    // What needs no store goes on: without a token there is nothing to look up.
    assert_eq!(broken.verify(None).await.status(), StatusCode::UNAUTHORIZED);
    broken.stop().await;
    whole.stop().await;
}

fn ends_its_connection(response: &Response) -> bool {
    response.headers().get("connection").is_some_and(|value| value == "close")
}

async fn verified_once(service: &Service) -> Response {
    let verified = service.verify(None).await;
    assert_eq!(verified.status(), StatusCode::UNAUTHORIZED);
    verified
}

#[actix_web::test]
async fn a_request_in_flight_is_answered_although_the_server_is_stopping() {
    let service = Service::start().await;
    let client = service.register("none").await;
    let asked = service.ask(&client.id, &[]).await;
    let state = query(&location(&service.decide(&asked, "approve").await), "state").unwrap();
    let code = code_for("slow");
    let pairs = [("code", code.as_str()), ("state", state.as_str())];
    let address = service.url.strip_prefix("http://").unwrap();
    let stopping = async {
        timeout(MINUTE, service.github.slow.asked.cancelled()).await.expect("GitHub is asked");
        verified_once(&service).await;
        service.begin_stop();
        // As Traefik asks: on a connection that is kept, until it is told to make another one, which is refused.
        while !ends_its_connection(&verified_once(&service).await) {}
        let refused = TcpStream::connect(address).await.expect_err("nobody is let in");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        service.github.slow.answered.cancel();
    };
    let (answered, ()) = tokio::join!(service.callback(&asked.cookie, &pairs), stopping);
    assert_eq!(answered.status(), StatusCode::TEMPORARY_REDIRECT);
    assert!(ends_its_connection(&answered), "{answered:?}");
    assert!(query(&location(&answered), "code").is_some());
    service.stop().await;
}

#[actix_web::test]
async fn between_the_signal_and_the_end_it_is_not_ready_and_still_answers() {
    let mut service = Service::start_program(&[("SHUTDOWN_DELAY", "5")]).await;
    service.begin_stop();
    service.program().sees("the signal", |program| program.log().contains("stopping").then_some(())).await;
    while service.get("/health/ready").await.status() != StatusCode::SERVICE_UNAVAILABLE {}
    assert_eq!(service.get("/jwks").await.status(), StatusCode::OK);
    let status = service.program().ended().await;
    assert!(status.success(), "{status}");
}

#[actix_web::test]
async fn a_restart_loses_no_token() {
    let first = Service::start().await;
    let client = first.register("none").await;
    let (_, tokens) = first.redeem(&client, &first.code(&client.id).await).await;
    let second = first.restart().await;
    assert_eq!(second.verify(Some(tokens["access_token"].as_str().unwrap())).await.status(), StatusCode::OK);
    let (status, refreshed) = second.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{refreshed}");
    second.stop().await;
}
