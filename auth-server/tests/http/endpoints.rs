//! What every endpoint owes: discovery, formats, caching, CORS, and faults told in OAuth's words.

use crate::support::{Service, journey::REDIRECT_URI};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;

async fn json(service: &Service, path: &str) -> Value {
    let response = service.get(path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
    response.json().await.unwrap()
}

#[actix_web::test]
async fn discovery_names_one_issuer_everywhere() {
    let service = Service::start().await;
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let metadata = json(&service, path).await;
        assert_eq!(metadata["issuer"], "https://auth.example.com");
        assert_eq!(metadata["token_endpoint"], "https://auth.example.com/token");
        assert_eq!(metadata["jwks_uri"], "https://auth.example.com/jwks");
    }
    let keys = json(&service, "/jwks").await;
    assert_eq!(keys["keys"][0]["use"], "sig");
    assert!(keys["keys"][0]["kid"].is_string() && keys["keys"][0].get("d").is_none());
    service.stop().await;
}

#[actix_web::test]
async fn every_mcp_host_describes_itself_and_no_other_host_does() {
    let service = Service::start().await;
    let ask = async |host: &str, path: &str| {
        let request = service.http.get(service.at(path)).header("X-Forwarded-Host", host);
        request.send().await.unwrap()
    };
    let path = "/.well-known/oauth-protected-resource";
    let suffixed: Value = ask("time.example.com", &format!("{path}/mcp")).await.json().await.unwrap();
    assert_eq!(suffixed["resource"], "https://time.example.com/mcp");
    assert_eq!(suffixed["authorization_servers"][0], "https://auth.example.com");
    let root: Value = ask("time.example.com", path).await.json().await.unwrap();
    assert_eq!(root["resource"], "https://time.example.com");
    assert_eq!(ask("evil.example", path).await.status(), StatusCode::NOT_FOUND);
    service.stop().await;
}

#[actix_web::test]
async fn a_browsers_preflight_is_answered_on_every_public_endpoint() {
    let service = Service::start().await;
    for path in ["/token", "/register", "/jwks", "/.well-known/oauth-authorization-server"] {
        let response = service.http.request(Method::OPTIONS, service.at(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
        assert!(response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("Authorization"));
    }
    service.stop().await;
}

#[actix_web::test]
async fn faulty_parameters_are_oauth_errors_with_status_400() {
    let service = Service::start().await;
    let post = async |path: &str, kind: &str, body: Vec<u8>| {
        let request = service.http.post(service.at(path)).header(header::CONTENT_TYPE, kind).body(body);
        let response = request.send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let cases: [(&str, &str, Vec<u8>, u16, &str); 6] = [
        ("/token", form, b"grant_type=a&grant_type=b".into(), 400, "invalid_request"),
        ("/token", form, b"grant_type=authorization_code&client_id=x&code=%ff".into(), 400, "invalid_request"),
        ("/token", form, vec![b'a'; 100_000], 413, "invalid_request"),
        ("/token", form, b"grant_type=authorization_code&code=x".into(), 401, "invalid_client"),
        ("/register", "application/json", b"not json".into(), 400, "invalid_client_metadata"),
        ("/register", "application/json", vec![b'['; 100_000], 413, "invalid_client_metadata"),
    ];
    for (path, kind, body, status, error) in cases {
        let (got, answer) = post(path, kind, body).await;
        assert_eq!((got.as_u16(), &answer["error"]), (status, &Value::from(error)), "{path} {answer}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn a_registration_is_read_changed_and_deleted_with_its_own_token_only() {
    let service = Service::start().await;
    let client = service.register("client_secret_post").await;
    assert_eq!(client.answer["token_endpoint_auth_method"], "client_secret_post");
    let uri = client.answer["registration_client_uri"].as_str().unwrap();
    let path = uri.strip_prefix("https://auth.example.com").unwrap();
    let token = client.answer["registration_access_token"].as_str().unwrap();
    let ask = async |method: Method, bearer: Option<&str>, body: Option<Value>| {
        let mut request = service.http.request(method, service.at(path));
        request = bearer.into_iter().fold(request, |request, token| request.bearer_auth(token));
        body.iter().fold(request, |request, body| request.json(body)).send().await.unwrap()
    };
    assert_eq!(ask(Method::GET, None, None).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Method::GET, Some("reg-wrong"), None).await.status(), StatusCode::FORBIDDEN);
    let read: Value = ask(Method::GET, Some(token), None).await.json().await.unwrap();
    assert_eq!(read["client_id"], client.id.as_str());
    assert_eq!(read["registration_access_token"], token, "RFC 7592 §3");
    assert!(read.get("client_secret").is_none());
    let renamed =
        serde_json::json!({"client_id": client.id, "redirect_uris": [REDIRECT_URI], "client_name": "Renamed"});
    let updated = ask(Method::PUT, Some(token), Some(renamed)).await;
    assert_eq!(updated.status(), StatusCode::OK);
    assert_eq!(updated.json::<Value>().await.unwrap()["client_name"], "Renamed");
    assert_eq!(ask(Method::DELETE, Some(token), None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(ask(Method::GET, Some(token), None).await.status(), StatusCode::NOT_FOUND);
    service.stop().await;
}

#[actix_web::test]
async fn live_and_ready_are_told_apart() {
    let service = Service::start().await;
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(service.get(path).await.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(service.get("/nothing/here").await.status(), StatusCode::NOT_FOUND);
    service.stop().await;
}
