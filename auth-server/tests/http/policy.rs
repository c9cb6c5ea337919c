//! What a single service asks: scopes of its own, and people of its own.

use reqwest::{Response, StatusCode, header};
use serde_json::Value;

use crate::support::{
    Service,
    journey::{Registered, query},
};

const SERVICES: (&str, &str) = ("MCP_SERVICES", "time,fetch");

/// A public client with tokens of this scope.
async fn tokens(service: &Service, scope: &str) -> (Registered, Value) {
    let client = service.register("none").await;
    let tokens = log_in_again(service, &client, scope).await;
    (client, tokens)
}

async fn log_in_again(service: &Service, client: &Registered, scope: &str) -> Value {
    let landed = service.log_in(&client.id, "octocat", &[("scope", scope)]).await;
    let code = query(&landed, "code").unwrap_or_else(|| panic!("no code in {landed}"));
    let (status, tokens) = service.redeem(client, &code).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    tokens
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

fn challenge(response: &Response) -> &str {
    response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap()
}

#[actix_web::test]
async fn scopes_of_services_are_granted_as_asked_for_and_offline_access_never_refused() {
    let service = Service::start_with(&[SERVICES]).await;
    let (_, answer) = tokens(&service, "mcp:time offline_access openid mcp:no-such-service admin").await;
    assert_eq!(text(&answer, "scope"), "mcp:time offline_access openid");
    assert!(answer["refresh_token"].is_string());
    let (_, answer) = tokens(&service, "offline_access").await;
    assert_eq!(text(&answer, "scope"), "offline_access");
    service.stop().await;
}

#[actix_web::test]
async fn a_refresh_narrows_the_scope_of_one_access_token_and_never_widens_it() {
    let service = Service::start_with(&[SERVICES]).await;
    let (client, answer) = tokens(&service, "openid mcp:time mcp:fetch").await;
    let refresh = async |token: &Value, scope| {
        let pairs =
            [("grant_type", "refresh_token"), ("refresh_token", text(token, "refresh_token")), ("scope", scope)];
        service.token(&client, &pairs).await
    };
    let (_, narrow) = refresh(&answer, "mcp:time").await;
    assert_eq!(text(&narrow, "scope"), "mcp:time");
    let needs_fetch = "/verify?service=fetch&scope=mcp:fetch";
    let denied = service.verify_at(needs_fetch, "/mcp", Some(text(&narrow, "access_token"))).await;
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);
    for wider in ["mcp:time email", "mcp:other", "openid mcp:time mcp:fetch offline_access"] {
        let (status, refused) = refresh(&narrow, wider).await;
        assert_eq!((status, text(&refused, "error")), (StatusCode::BAD_REQUEST, "invalid_scope"), "{wider}");
    }
    // The grant itself was not narrowed (RFC 6749 §6).
    let (_, whole) = refresh(&narrow, "openid mcp:time mcp:fetch").await;
    let let_in = service.verify_at(needs_fetch, "/mcp", Some(text(&whole, "access_token"))).await;
    assert_eq!(let_in.status(), StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn a_client_that_lacks_a_scope_is_told_which_and_gets_in_after_asking_for_it() {
    let service = Service::start_with(&[SERVICES]).await;
    let address = "/verify?service=time&scope=mcp:time";
    let stranger = service.verify_at(address, "/mcp", None).await;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert!(challenge(&stranger).contains("scope=\"email mcp:time openid profile\""), "{}", challenge(&stranger));

    let (client, answer) = tokens(&service, "openid").await;
    let denied = service.verify_at(address, "/mcp", Some(text(&answer, "access_token"))).await;
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);
    let asked =
        "resource_metadata=\"https://time.example.com/.well-known/oauth-protected-resource/mcp\", scope=\"mcp:time\"";
    assert!(challenge(&denied).starts_with("Bearer error=\"insufficient_scope\""), "{}", challenge(&denied));
    assert!(challenge(&denied).ends_with(asked), "{}", challenge(&denied));

    let stepped_up = log_in_again(&service, &client, "openid mcp:time").await;
    let let_in = service.verify_at(address, "/mcp", Some(text(&stepped_up, "access_token"))).await;
    assert_eq!(let_in.status(), StatusCode::OK);
    assert_eq!(let_in.headers()["x-scope"], "mcp:time openid");
    service.stop().await;
}

#[actix_web::test]
async fn metadata_names_the_scope_of_the_host_s_own_service_and_all_of_them_at_the_issuer() {
    let service = Service::start_with(&[SERVICES]).await;
    let scopes = async |path: &str, host: &str| -> Vec<String> {
        let request = service.http.get(service.at(path)).header("x-forwarded-host", host);
        let document: Value = request.send().await.unwrap().json().await.unwrap();
        serde_json::from_value(document["scopes_supported"].clone()).unwrap()
    };
    let resource = "/.well-known/oauth-protected-resource/mcp";
    assert_eq!(scopes(resource, "time.example.com").await, ["email", "mcp:time", "openid", "profile"]);
    assert_eq!(scopes(resource, "other.example.com").await, ["email", "openid", "profile"]);
    let all = ["email", "mcp:fetch", "mcp:time", "offline_access", "openid", "profile"];
    assert_eq!(scopes("/.well-known/oauth-authorization-server", "auth.example.com").await, all);
    service.stop().await;
}

#[actix_web::test]
async fn someone_who_is_not_on_a_service_s_list_is_refused_without_a_challenge_to_ask_for_more() {
    let service = Service::start_with(&[SERVICES]).await;
    let (_, answer) = tokens(&service, "openid").await;
    let token = text(&answer, "access_token");
    assert_eq!(service.verify_at("/verify?users=mona,OctoCat", "/mcp", Some(token)).await.status(), StatusCode::OK);
    for address in ["/verify?users=mona", "/verify?orgs=acme&teams=acme/devs", "/verify?users=mona&scope=mcp:time"] {
        let denied = service.verify_at(address, "/mcp", Some(token)).await;
        assert_eq!(denied.status(), StatusCode::FORBIDDEN, "{address}");
        assert!(!denied.headers().contains_key(header::WWW_AUTHENTICATE), "{address}");
        assert!(!denied.headers().contains_key("x-user-id"), "{address}");
        let body: Value = denied.json().await.unwrap();
        assert_eq!(text(&body, "error"), "access_denied", "{address}");
        assert!(!body.to_string().contains("mona"), "who would be let in is nobody's business: {body}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn the_query_of_a_client_s_own_request_is_no_policy() {
    let service = Service::start_with(&[SERVICES]).await;
    let (_, answer) = tokens(&service, "openid").await;
    let token = Some(text(&answer, "access_token"));
    for uri in ["/mcp?users=octocat&scope=openid", "/mcp?&users=octocat#users=octocat", "/mcp?service=other"] {
        let denied = service.verify_at("/verify?service=time&users=mona", uri, token).await;
        assert_eq!(denied.status(), StatusCode::FORBIDDEN, "{uri}");
        let denied = service.verify_at("/verify?service=time&scope=mcp:time", uri, token).await;
        assert_eq!(denied.status(), StatusCode::FORBIDDEN, "{uri}");
    }
    for uri in ["/mcp?users=mona", "/mcp?scope=mcp:time", "/mcp?nonsense=%"] {
        assert_eq!(service.verify_at("/verify", uri, token).await.status(), StatusCode::OK, "{uri}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn the_operator_is_told_which_policy_is_wrong_and_why() {
    let mut service = Service::start_program(&[]).await;
    let refused = service.verify_at("/verify?service=time&user=octocat", "/mcp", None).await;
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let told =
        |log: &str| log.lines().find(|line| line.contains("ERROR") && line.contains("forwardAuth")).map(str::to_owned);
    let line = service.program().sees("why", |program| told(&program.log())).await;
    assert!(line.contains("time.example.com") && line.contains("none of service, scope, users, orgs, teams"), "{line}");
    service.stop().await;
}

#[actix_web::test]
async fn an_address_that_cannot_be_understood_lets_nobody_pass() {
    let service = Service::start_with(&[SERVICES]).await;
    let (_, answer) = tokens(&service, "openid mcp:time").await;
    let token = text(&answer, "access_token");
    for query in [
        "user=octocat",
        "users=",
        "users=octocat&users=octocat",
        "scope=mcp:time&scope=openid",
        "users=octocat;mona",
        "teams=devs",
        "scope=%22",
        // No client could ever be granted it: an insufficient_scope here would be asked for again and again.
        "scope=mcp:not-a-service",
        "service=time.example.com",
        "resource=x",
    ] {
        let address = format!("/verify?{query}");
        for bearer in [Some(token), None] {
            let refused = service.verify_at(&address, "/mcp", bearer).await;
            assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR, "{query}");
            assert!(!refused.headers().contains_key("x-user-id"), "{query}");
            assert!(!refused.text().await.unwrap().contains("mona"), "{query}");
        }
    }
    service.stop().await;
}
