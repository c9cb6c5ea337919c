//! Who may use the gateway: by login, by organisation, by team; and what becomes of those who no longer may.

use reqwest::{StatusCode, header};
use serde_json::Value;

use crate::support::{
    Service,
    journey::{Registered, location, query},
};

async fn log_in(service: &Service, login: &str) -> (Registered, Value) {
    let client = service.register("client_secret_post").await;
    let landed = service.log_in(&client.id, login, &[]).await;
    let code = query(&landed, "code").unwrap_or_else(|| panic!("no code in {landed}"));
    let (status, tokens) = service.redeem(&client, &code).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    (client, tokens)
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

async fn active(service: &Service, client: &Registered, token: &str) -> bool {
    let secret = client.secret.as_deref().unwrap();
    let form = [("token", token), ("client_id", &client.id), ("client_secret", secret)];
    let answer = service.http.post(service.at("/introspect")).form(&form).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["active"].as_bool().unwrap()
}

#[actix_web::test]
async fn the_token_of_a_removed_user_stops_everywhere_and_works_again_when_they_come_back() {
    let service = Service::start().await;
    let (client, tokens) = log_in(&service, "octocat").await;
    let code = service.code(&client.id).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert!(active(&service, &client, access).await);

    let service = service.restart_with(&[("ALLOWED_GITHUB_USERS", "mona")]).await;
    let refused = service.verify(Some(access)).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(!active(&service, &client, access).await);
    for (status, answer) in [service.refresh(&client, refresh).await, service.redeem(&client, &code).await] {
        assert_eq!((status, text(&answer, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    }
    let landed = service.log_in(&client.id, "octocat", &[]).await;
    assert_eq!(query(&landed, "error").as_deref(), Some("access_denied"));

    let service = service.restart_with(&[("ALLOWED_GITHUB_USERS", "mona,OctoCat")]).await;
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::OK);
    assert_eq!(service.refresh(&client, refresh).await.0, StatusCode::OK);
    service.stop().await;
}

#[actix_web::test]
async fn members_of_an_organisation_or_team_are_let_in_and_their_membership_outlives_refresh_and_restart() {
    for list in [("ALLOWED_GITHUB_ORGS", "ACME"), ("ALLOWED_GITHUB_TEAMS", "initech/Devs")] {
        let only = [("ALLOWED_GITHUB_USERS", "mona"), list];
        let service = Service::start_with(&only).await;
        let (client, tokens) = log_in(&service, "joiner").await;
        assert_eq!(service.verify(Some(text(&tokens, "access_token"))).await.status(), StatusCode::OK);

        let service = service.restart_with(&only).await;
        let (status, tokens) = service.refresh(&client, text(&tokens, "refresh_token")).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        let access = text(&tokens, "access_token");
        assert_eq!(service.verify(Some(access)).await.status(), StatusCode::OK, "{list:?}");
        let landed = service.log_in(&client.id, "octocat", &[]).await;
        assert_eq!(query(&landed, "error").as_deref(), Some("access_denied"), "{list:?}");

        let service = service.restart_with(&[("ALLOWED_GITHUB_USERS", "mona"), ("ALLOWED_GITHUB_ORGS", "other")]).await;
        assert_eq!(service.verify(Some(access)).await.status(), StatusCode::UNAUTHORIZED);
        service.stop().await;
    }
}

#[actix_web::test]
async fn a_service_may_be_for_an_organisation_though_the_gateway_is_for_everybody() {
    let open = [("ALLOWED_GITHUB_USERS", "*"), ("GITHUB_READ_ORGS", "true")];
    let service = Service::start_with(&open).await;
    let (_, member) = log_in(&service, "joiner").await;
    let (_, other) = log_in(&service, "octocat").await;
    for address in ["/verify?orgs=acme", "/verify?teams=initech/devs", "/verify?users=nobody&orgs=org-1,org-2"] {
        let verify = async |tokens| service.verify_at(address, "/mcp", Some(text(tokens, "access_token"))).await;
        assert_eq!(verify(&member).await.status(), StatusCode::OK, "{address}");
        assert_eq!(verify(&other).await.status(), StatusCode::FORBIDDEN, "{address}");
    }
    let denied = service.verify_at("/verify?teams=acme/devs", "/mcp", Some(text(&member, "access_token"))).await;
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);
    // Organisations are no claim of the token: neither the client nor the MCP server learns them.
    assert!(!service.verify(Some(text(&member, "access_token"))).await.headers().iter().any(|(_, v)| v == "acme"));
    service.stop().await;
}

#[actix_web::test]
async fn github_is_asked_for_organisations_only_when_they_matter() {
    for (vars, scope) in [
        (&[][..], "user:email"),
        (&[("GITHUB_READ_ORGS", "true")], "user:email read:org"),
        (&[("ALLOWED_GITHUB_TEAMS", "acme/devs")], "user:email read:org"),
    ] {
        let service = Service::start_with(vars).await;
        let client = service.register("none").await;
        let to_github = service.decide(&service.ask(&client.id, &[]).await, "approve").await;
        assert_eq!(query(&location(&to_github), "scope").as_deref(), Some(scope));
        service.stop().await;
    }
}

#[actix_web::test]
async fn a_github_that_does_not_tell_the_teams_is_a_failed_login_and_not_a_person_without_teams() {
    let service = Service::start_with(&[("ALLOWED_GITHUB_USERS", "*"), ("GITHUB_READ_ORGS", "true")]).await;
    let client = service.register("none").await;
    let landed = service.log_in(&client.id, "outcast", &[]).await;
    assert_eq!(query(&landed, "error").as_deref(), Some("server_error"));
    service.stop().await;
}
