use super::*;
use crate::oauth::fixtures::{CHALLENGE, client, gateway, policy};

fn query(changes: &[(&str, Option<&str>)]) -> Params {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "client_1"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s&1"),
    ];
    for (name, value) in changes {
        pairs.retain(|(n, _)| n != name);
        pairs.extend(value.map(|v| (*name, v)));
    }
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Params::parse(text.as_bytes()).unwrap()
}

fn validate(changes: &[(&str, Option<&str>)]) -> Result<AuthorizationRequest, AuthorizeError> {
    AuthorizationRequest::validate(&query(changes), Some(&client()), &policy())
}

fn redirected(changes: &[(&str, Option<&str>)]) -> ErrorCode {
    match validate(changes).unwrap_err() {
        AuthorizeError::Redirect(Refusal { to, state, code, .. }) => {
            assert_eq!(to.as_str(), "https://app.example/cb");
            assert_eq!(state.as_deref(), Some("s&1"));
            code
        }
        AuthorizeError::ShowPage(page) => panic!("{page}"),
    }
}

/// Where the browser is sent with the fault; `None`: nowhere.
fn location(error: &AuthorizeError) -> Option<String> {
    match error {
        AuthorizeError::Redirect(refusal) => Some(refusal.location(&gateway())),
        AuthorizeError::ShowPage(_) => None,
    }
}

#[test]
fn a_complete_request_is_accepted() {
    let request =
        validate(&[("resource", Some("https://Time.example.com/mcp/")), ("scope", Some("openid unknown"))]).unwrap();
    assert_eq!(request.scope.to_string(), "openid");
    assert_eq!(request.resource[0].as_str(), "https://time.example.com/mcp");
    assert_eq!(request.state.as_deref(), Some("s&1"));
}

#[test]
fn state_is_optional_and_scope_has_a_default() {
    let request = validate(&[("state", None)]).unwrap();
    assert_eq!((request.state, request.scope.to_string()), (None, "email openid profile".to_owned()));
}

#[test]
fn an_unknown_client_sees_a_page_and_is_never_redirected() {
    let error = AuthorizationRequest::validate(&query(&[]), None, &policy()).unwrap_err();
    assert_eq!(error, AuthorizeError::ShowPage(PageError::UnknownClient));
    assert_eq!(location(&error), None);
}

#[test]
fn an_unregistered_redirect_uri_sees_a_page_and_is_never_redirected() {
    for other in [
        "https://evil.example/",
        "https://app.example/cb/x",
        "https://app.example/cb#f",
        "https://u@app.example/cb",
        "javascript:alert(1)",
    ] {
        let error = validate(&[("redirect_uri", Some(other)), ("code_challenge", None)]).unwrap_err();
        assert_eq!(error, AuthorizeError::ShowPage(PageError::RedirectUriNotRegistered), "{other}");
    }
}

#[test]
fn the_redirect_uri_may_be_left_out_only_when_one_is_registered() {
    assert!(validate(&[("redirect_uri", None)]).is_ok());
    let mut two = client();
    two.redirect_uris.push(RedirectUri::parse("https://app.example/two").unwrap());
    let error = AuthorizationRequest::validate(&query(&[("redirect_uri", None)]), Some(&two), &policy()).unwrap_err();
    assert_eq!(error, AuthorizeError::ShowPage(PageError::RedirectUriMissing));
}

#[test]
fn pkce_missing_plain_or_short_is_refused() {
    assert_eq!(redirected(&[("code_challenge", None)]), ErrorCode::InvalidRequest);
    assert_eq!(redirected(&[("code_challenge_method", Some("plain"))]), ErrorCode::InvalidRequest);
    assert_eq!(redirected(&[("code_challenge_method", None)]), ErrorCode::InvalidRequest);
    assert_eq!(redirected(&[("code_challenge", Some("short"))]), ErrorCode::InvalidRequest);
}

#[test]
fn a_foreign_resource_is_an_invalid_target() {
    assert_eq!(redirected(&[("resource", Some("https://evil.example/mcp"))]), ErrorCode::InvalidTarget);
}

#[test]
fn a_resource_is_required_only_when_the_policy_says_so() {
    let strict = AuthorizationPolicy { require_resource: true, ..policy() };
    assert!(AuthorizationRequest::validate(&query(&[]), Some(&client()), &strict).is_err());
}

#[test]
fn other_faults_are_told_to_the_client() {
    assert_eq!(redirected(&[("response_type", None)]), ErrorCode::InvalidRequest);
    assert_eq!(redirected(&[("response_type", Some("token"))]), ErrorCode::UnsupportedResponseType);
    assert_eq!(redirected(&[("scope", Some("nothing-known"))]), ErrorCode::InvalidScope);
    assert_eq!(redirected(&[("scope", Some("a\"b"))]), ErrorCode::InvalidScope);
    assert_eq!(redirected(&[("response_mode", Some("fragment"))]), ErrorCode::InvalidRequest);
}

#[test]
fn every_redirect_carries_state_and_iss() {
    let refused = location(&validate(&[("response_type", Some("token"))]).unwrap_err()).unwrap();
    assert!(refused.starts_with("https://app.example/cb?error=unsupported_response_type&"), "{refused}");
    assert!(refused.ends_with("&state=s%261&iss=https%3A%2F%2Fauth.example.com"), "{refused}");
    let granted = validate(&[]).unwrap().success_location(&Secret::new("c+d"), &gateway());
    assert_eq!(granted, "https://app.example/cb?code=c%2Bd&state=s%261&iss=https%3A%2F%2Fauth.example.com");
}

#[test]
fn an_out_of_band_client_is_answered_on_our_own_pages() {
    let mut request = validate(&[]).unwrap();
    request.redirect_uri = RedirectUri::parse("urn:ietf:wg:oauth:2.0:oob").unwrap();
    let granted = request.success_location(&Secret::new("c"), &gateway());
    assert!(granted.starts_with("https://auth.example.com/success?code=c&"), "{granted}");
    let refused = request.refuse(ErrorCode::AccessDenied, "denied").location(&gateway());
    assert!(refused.starts_with("https://auth.example.com/error?error=access_denied&"), "{refused}");
}

fn pending() -> PendingAuthorization {
    let browser = Secret::new("cookie").hash();
    PendingAuthorization { request: validate(&[]).unwrap(), browser, consent: Consent::Asked }
}

#[test]
fn a_login_started_in_another_browser_cannot_be_finished_here() {
    let other = Secret::new("other cookie");
    assert_eq!(pending().approve(&other).unwrap_err(), PageError::ForeignBrowser);
    let approved = pending().approve(&Secret::new("cookie")).unwrap();
    assert_eq!(approved.complete(&other).unwrap_err(), PageError::ForeignBrowser);
}

#[test]
fn consent_cannot_be_bypassed_by_a_direct_callback() {
    let cookie = Secret::new("cookie");
    assert_eq!(pending().complete(&cookie).unwrap_err(), PageError::ConsentMissing);
    assert!(pending().approve(&cookie).unwrap().complete(&cookie).is_ok());
}

#[test]
fn a_remembered_consent_is_the_consent_of_that_person_only() {
    let cookie = Secret::new("cookie");
    let person = crate::oauth::fixtures::user().id;
    let remembered = PendingAuthorization { consent: Consent::Remembered(person.clone()), ..pending() };
    let consented = remembered.complete(&cookie).unwrap();
    assert!(consented.is_by(&person) && !consented.is_fresh());
    assert!(!consented.is_by(&crate::oauth::id::Subject::parse("another").unwrap()));
    let given = pending().approve(&cookie).unwrap().complete(&cookie).unwrap();
    assert!(given.is_by(&person) && given.is_fresh());
}
