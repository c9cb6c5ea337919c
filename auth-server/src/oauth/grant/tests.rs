use super::*;
use crate::oauth::{
    client::Client,
    fixtures::{CHALLENGE, NOW, VERIFIER, authenticated, client, client_named, gateway, public_client, request, user},
    resource::Resource,
    secret::Secret,
};

fn family() -> FamilyId {
    FamilyId::parse("family").unwrap()
}

fn terms(now: u64) -> Terms {
    Terms { family: family(), now, code_lifetime: 600 }
}

fn exchange() -> CodeExchange {
    let code_verifier = Some(Secret::new(VERIFIER));
    CodeExchange { code: Secret::new("code"), redirect_uri: None, code_verifier, resource: Vec::new() }
}

fn attempt(wanted: CodeExchange) -> Result<Exchange, TokenError> {
    request().grant(user(), NOW).exchange(&wanted, &authenticated(client()), terms(NOW + 1))
}

#[test]
fn a_code_becomes_an_access_and_a_refresh_grant() {
    let plan = attempt(exchange()).unwrap();
    assert_eq!(plan.access.scope().to_string(), "openid profile");
    assert_eq!(plan.refresh.unwrap().family, Some(family()));
}

#[test]
fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let plain = Client { grant_types: vec!["authorization_code".to_owned()], ..public_client() };
    let plan = request().grant(user(), NOW).exchange(&exchange(), &authenticated(plain), terms(NOW)).unwrap();
    assert_eq!(plan.refresh, None);
}

#[test]
fn a_replayed_code_revokes_its_token_family() {
    let spent = CodeGrant::Exchanged { family: family() };
    let error = spent.exchange(&exchange(), &authenticated(client()), terms(NOW)).unwrap_err();
    assert_eq!((error.revokes(), error.code()), (Some(&family()), "invalid_grant"));
}

#[test]
fn a_code_of_another_client_is_refused() {
    let other = client_named("client_2");
    let error = request().grant(user(), NOW).exchange(&exchange(), &authenticated(other), terms(NOW)).unwrap_err();
    assert_eq!((error.clone(), error.revokes()), (TokenError::ClientMismatch, None));
}

#[test]
fn a_code_with_another_redirect_uri_is_refused_and_without_one_is_fine() {
    let wrong = CodeExchange { redirect_uri: Some("https://app.example/cb/".to_owned()), ..exchange() };
    assert_eq!(attempt(wrong).unwrap_err(), TokenError::RedirectUriMismatch);
    let right = CodeExchange { redirect_uri: Some("https://app.example/cb".to_owned()), ..exchange() };
    assert!(attempt(right).is_ok());
}

#[test]
fn a_missing_wrong_or_plain_verifier_is_refused() {
    for verifier in [None, Some(CHALLENGE), Some("x"), Some("")] {
        let wanted = CodeExchange { code_verifier: verifier.map(Secret::new), ..exchange() };
        assert_eq!(attempt(wanted).unwrap_err(), TokenError::PkceFailed);
    }
}

#[test]
fn a_verifier_for_a_request_that_had_no_challenge_is_refused() {
    let mut without = request();
    without.code_challenge = String::new();
    let result = without.grant(user(), NOW).exchange(&exchange(), &authenticated(client()), terms(NOW));
    assert_eq!(result.unwrap_err(), TokenError::PkceFailed);
}

#[test]
fn a_code_expires() {
    let late = request().grant(user(), NOW).exchange(&exchange(), &authenticated(client()), terms(NOW + 601));
    assert_eq!(late.unwrap_err(), TokenError::CodeExpired);
}

#[test]
fn the_resource_may_be_narrowed_but_not_widened() {
    let all = |texts: &[&str]| Resource::parse_all(texts.iter().copied(), &gateway()).unwrap();
    let mut bound = request();
    bound.resource = all(&["https://a.example.com", "https://b.example.com"]);
    let attempt = |resource| {
        let wanted = CodeExchange { resource, ..exchange() };
        bound.clone().grant(user(), NOW).exchange(&wanted, &authenticated(client()), terms(NOW))
    };
    let plan = attempt(all(&["https://a.example.com"])).unwrap();
    assert_eq!(plan.access.resource, all(&["https://a.example.com"]));
    assert_eq!(plan.refresh.unwrap().resource, bound.resource);
    assert_eq!(attempt(all(&["https://c.example.com"])).unwrap_err(), TokenError::ResourceWidened);
}
