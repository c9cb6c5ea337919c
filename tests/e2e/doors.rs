//! Every way in without a token, tried from outside through real Traefik.

use gateway_tests::{
    client::raw_get,
    harness::{Gateway, Headers, Setup, StoreKind},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A web page that may call.
const PAGE: &str = "https://app.example";

fn gateway() -> (Gateway, Headers) {
    let server = Headers::start();
    let setup = Setup::new(StoreKind::Embedded).upstream("one", server.url()).var("MCP_CORS_ORIGINS", PAGE);
    (setup.start(), server)
}

#[tokio::test]
async fn encoded_dotted_and_doubled_slashes_open_no_door() {
    let (gateway, _server) = gateway();
    let host = format!("one.localhost:{}", gateway.traefik.https_port);
    for path in [
        "/mcp",
        "/mcp/",
        "//mcp",
        "/mcp//x",
        "/mcp/../mcp",
        "/./mcp",
        "/%6dcp",
        "/%2fmcp",
        "/mcp%2f",
        "/mcp%00",
        "/mcp;x",
        "/mcp%3fx",
        "/MCP",
        "/.well-known/oauth-protected-resource/../../mcp",
        "/.well-known/oauth-protected-resource/%2e%2e/%2e%2e/mcp",
        "/.well-known/oauth-protected-resource%2f..%2f..%2fmcp",
        "/.well-known/../mcp",
        "https://one.localhost/mcp",
    ] {
        let answer = raw_get(&gateway.certificate.authority(), &host, path);
        let status = answer.split_whitespace().nth(1).unwrap_or_default();
        // A browser-like normalisation may make it a discovery document, which is public; anything else is refused.
        assert!(["400", "401", "404"].contains(&status), "{path}: {answer}");
        assert!(!answer.contains("\"headers\""), "{path} reached the server: {answer}");
    }
}

#[tokio::test]
async fn the_catch_all_asks_for_a_token_too() {
    let (gateway, _server) = gateway();
    let http = gateway.browser().http;
    for path in ["/", "/health", "/metrics", "/anything/else", "/sse", "/authorize", "/verify"] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::HEAD] {
            let answer = http.request(method.clone(), gateway.at("one", path)).send().await.unwrap();
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND].contains(&answer.status());
            assert!(refused, "{method} {path}: {}", answer.status());
            assert!(!answer.text().await.unwrap().contains("\"headers\""), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn plain_http_is_sent_to_https_before_anything_else() {
    let (gateway, _server) = gateway();
    for host in ["one", "auth"] {
        let url = format!("http://{host}.localhost:{}/mcp", gateway.traefik.http_port);
        let answer = gateway.browser().http.get(url).bearer_auth("anything").send().await.unwrap();
        assert!(answer.status().is_redirection(), "{host}: {}", answer.status());
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(&format!("https://{host}.localhost")), "{location}");
    }
}

#[tokio::test]
async fn discovery_is_public_on_every_host_and_names_one_issuer() {
    let (gateway, _server) = gateway();
    let http = gateway.browser().http;
    let get = async |host: &str, path: &str| -> Value {
        let answer = http.get(gateway.at(host, path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{host}{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{host}{path}");
        answer.json().await.unwrap()
    };
    for host in ["one", "auth"] {
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            assert_eq!(get(host, path).await["issuer"], gateway.issuer().as_str(), "{host}{path}");
        }
    }
    let root = get("one", "/.well-known/oauth-protected-resource").await;
    assert_eq!(root["resource"], gateway.at("one", "").as_str());
    let inserted = get("one", "/.well-known/oauth-protected-resource/mcp").await;
    assert_eq!(inserted["resource"], gateway.mcp("one").as_str());
    let scopes = inserted["scopes_supported"].as_array().unwrap();
    assert!(!scopes.iter().any(|scope| scope == "offline_access"), "{scopes:?}");
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_token_and_a_401_can_be_read_by_a_web_page() {
    let (gateway, _server) = gateway();
    let http = gateway.browser().http;
    let preflight = http.request(Method::OPTIONS, gateway.mcp("one")).header("origin", PAGE);
    let preflight = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert!(preflight.status().is_success(), "{}", preflight.status());
    let refused = http.post(gateway.mcp("one")).header("origin", PAGE).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
}

#[tokio::test]
async fn an_operator_sees_from_outside_whether_the_auth_service_lives_and_is_ready() {
    let (gateway, _server) = gateway();
    for path in ["/health", "/health/live", "/health/ready"] {
        let answer = gateway.browser().http.get(gateway.at("auth", path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}
