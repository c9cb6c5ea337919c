//! The disk is full under the embedded store: what was confirmed stays, and the process ends so that it is restarted.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Service;

/// A registration of about 18 kB, so that the file has to grow soon.
async fn register_a_large_one(service: &Service, name: usize) -> Option<(StatusCode, Value)> {
    let uris: Vec<_> = (0..10).map(|n| format!("https://app.example/{name}/{n}/{}", "a".repeat(1800))).collect();
    let body = json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"});
    // The connection may break when the process is already on its way out.
    let answer = service.http.post(service.at("/register")).json(&body).send().await.ok()?;
    Some((answer.status(), answer.json().await.ok()?))
}

#[actix_web::test]
async fn disk_full_is_503_then_the_process_ends_and_nothing_confirmed_is_lost() {
    let mut service = Service::start_program(&[]).await;
    let first = service.register("none").await;
    let file = service.data_dir().join("auth.redb");
    service.program().end_well().await;
    let size = fs::metadata(&file).unwrap().len();

    service.resume_with_files_up_to(size + (256 << 10)).await;
    let mut confirmed = vec![first.id];
    let refused = loop {
        match register_a_large_one(&service, confirmed.len()).await {
            Some((StatusCode::CREATED, answer)) => confirmed.push(answer["client_id"].as_str().unwrap().to_owned()),
            refused => break refused,
        }
        assert!(confirmed.len() < 2000, "the disk is never full");
    };
    let (status, body) = refused.expect("the first that fails is answered");
    assert_eq!((status, &body["error"]), (StatusCode::SERVICE_UNAVAILABLE, &Value::from("temporarily_unavailable")));
    assert_eq!(service.program().ended().await.code(), Some(1));
    let log = service.program().log();
    assert!(log.contains("the embedded store could not write") && log.contains("File too large"), "{log}");

    // The operator makes room; whoever supervises starts it again.
    service.resume_with_files_up_to(1 << 40).await;
    for id in &confirmed {
        let page = service.http.get(service.authorize_url(id, &[])).send().await.unwrap();
        let html = page.text().await.unwrap();
        assert!(!html.contains("not known here"), "{id} was confirmed and is lost");
    }
    assert_eq!(register_a_large_one(&service, 0).await.unwrap().0, StatusCode::CREATED);
    service.stop().await;
}
