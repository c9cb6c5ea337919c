//! `/metrics`: what happened is counted, on a listener of its own, and nobody is named.

use std::collections::HashMap;

use crate::support::Service;
use reqwest::StatusCode;

const ON: (&str, &str) = ("METRICS_ADDR", "127.0.0.1:0");

/// Series and their values.
async fn numbers(service: &mut Service) -> (String, HashMap<String, f64>) {
    let addr = service.program().logged("numbers are served", "metrics_addr").await;
    let response = service.http.get(format!("http://{addr}/metrics")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = response.text().await.unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap());
    let series = series.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect();
    (text, series)
}

#[actix_web::test]
async fn what_happened_is_counted() {
    let mut service = Service::start_program(&[ON]).await;
    let (_, before) = numbers(&mut service).await;
    assert!(before["process_start_time_seconds"] > 1.7e9);
    assert!(before.contains_key(concat!("auth_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")), "{before:?}");
    assert_eq!(before["auth_verify_requests_total{outcome=\"permitted\"}"], 0.0, "a series begins at 0");

    let client = service.register("none").await;
    let code = service.code(&client.id).await;
    let (_, tokens) = service.redeem(&client, &code).await;
    service.redeem(&client, &code).await;
    service.log_in(&client.id, "stranger", &[]).await;
    service.log_in(&client.id, "broken", &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    service.verify(None).await;
    service.verify(Some("nonsense")).await;
    service.verify(Some(access)).await;
    service.http.post(service.at("/register")).body("{}").send().await.unwrap();

    let (text, after) = numbers(&mut service).await;
    for (series, count) in [
        ("auth_registrations_total{outcome=\"created\"}", 1.0),
        ("auth_registrations_total{outcome=\"refused\"}", 1.0),
        ("auth_authorizations_total{outcome=\"granted\"}", 1.0),
        ("auth_authorizations_total{outcome=\"denied\"}", 1.0),
        ("auth_authorizations_total{outcome=\"failed\"}", 1.0),
        ("auth_token_requests_total{grant_type=\"authorization_code\",outcome=\"granted\"}", 1.0),
        ("auth_token_requests_total{grant_type=\"authorization_code\",outcome=\"refused\"}", 1.0),
        ("auth_code_reuse_total", 1.0),
        ("auth_verify_cache_misses_total", 2.0),
        ("auth_refresh_reuse_total", 0.0),
        ("auth_store_errors_total", 0.0),
        ("auth_verify_requests_total{outcome=\"no_token\"}", 1.0),
        ("auth_verify_requests_total{outcome=\"invalid_token\"}", 2.0),
        ("auth_http_requests_seconds_count{method=\"POST\",route=\"/token\",status=\"200\"}", 1.0),
    ] {
        assert_eq!(after.get(series), Some(&count), "{series} in\n{text}");
    }
    assert!(after["auth_github_requests_seconds_count{outcome=\"answered\"}"] >= 5.0, "{text}");
    assert!(!text.contains(&client.id) && !text.contains("octocat") && !text.contains("/verify\""), "{text}");
    service.stop().await;
}

#[actix_web::test]
async fn the_numbers_are_never_on_the_public_port_and_nothing_public_is_beside_them() {
    let mut service = Service::start_program(&[ON]).await;
    assert_eq!(service.get("/metrics").await.status(), StatusCode::NOT_FOUND);
    let addr = service.program().logged("numbers are served", "metrics_addr").await;
    for path in ["/verify", "/token", "/health/live", "/"] {
        let answer = service.http.get(format!("http://{addr}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let numbers = format!("http://{addr}/metrics");
    assert_eq!(service.http.head(&numbers).send().await.unwrap().status(), StatusCode::OK);
    let posted = service.http.post(&numbers).send().await.unwrap();
    let told = (posted.status(), posted.headers()["allow"].to_str().unwrap());
    assert_eq!(told, (StatusCode::METHOD_NOT_ALLOWED, "OPTIONS, GET, HEAD"));
    service.stop().await;
}

#[actix_web::test]
async fn a_store_that_fails_shows_in_the_numbers() {
    let mut service = Service::start_program(&[ON, ("REDIS_URL", "redis://127.0.0.1:1/")]).await;
    assert_eq!(service.get("/health/ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(numbers(&mut service).await.1["auth_store_errors_total"], 1.0);
    service.stop().await;
}
