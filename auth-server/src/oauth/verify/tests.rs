use super::*;
use crate::oauth::{
    fixtures::{NOW, claims, gateway, scope},
    forwarded::Forwarded,
};

fn request(host: &str, uri: &str) -> ForwardedRequest {
    let headers = Forwarded { method: Some("POST"), host: Some(host), uri: Some(uri) };
    ForwardedRequest::parse(&headers, &gateway()).unwrap()
}

fn policy() -> Policy {
    Policy { gateway: gateway(), required_scope: Scope::default(), require_resource: false }
}

fn verified(claims: Claims) -> VerifiedClaims {
    VerifiedClaims::check(claims, None, gateway().issuer(), NOW).unwrap()
}

fn with_audience(audience: &str) -> VerifiedClaims {
    verified(Claims { aud: vec![audience.to_owned()], ..claims() })
}

fn attempt<'a>(claims: &'a VerifiedClaims, policy: &Policy) -> Result<Permit<'a>, Denied> {
    authorize(claims, Revocation::Active, &request("time.example.com", "/mcp?x=1"), policy, NOW)
}

#[test]
fn a_good_token_permits_and_says_who_it_is() {
    let claims = with_audience("https://time.example.com/mcp");
    let permit = attempt(&claims, &policy()).unwrap();
    assert_eq!((permit.user_id().as_str(), permit.user_name()), ("42", "octocat"));
    assert_eq!((permit.client_id().as_str(), permit.scope().to_string()), ("client_1", "openid profile".to_owned()));
}

#[test]
fn a_token_for_the_issuer_is_good_for_every_service_unless_a_resource_is_required() {
    assert!(attempt(&with_audience("https://auth.example.com"), &policy()).is_ok());
    let strict = Policy { require_resource: true, ..policy() };
    let denied = attempt(&with_audience("https://auth.example.com"), &strict).unwrap_err();
    assert_eq!(denied, Denied::InvalidToken(InvalidToken::Audience));
}

#[test]
fn a_token_of_another_service_is_refused() {
    for audience in [
        "https://fetch.example.com/mcp",
        "https://time.example.com/other",
        "https://evil.example",
        "https://auth.example.com/",
    ] {
        let denied = attempt(&with_audience(audience), &policy()).unwrap_err();
        assert_eq!(denied, Denied::InvalidToken(InvalidToken::Audience), "{audience}");
    }
    let nobody = verified(Claims { aud: Vec::new(), ..claims() });
    assert!(attempt(&nobody, &policy()).is_err());
}

#[test]
fn encoded_or_doubled_slashes_do_not_escape_a_resource_path() {
    for uri in
        ["//mcp", "/mcp/../admin", "/mcp/%2e%2e/admin", "/mcp%2f..%2fadmin", "/mcp/..%5cadmin", "/mcp\\..\\admin"]
    {
        let (claims, request) = (with_audience("https://time.example.com/mcp"), request("time.example.com", uri));
        let result = authorize(&claims, Revocation::Active, &request, &policy(), NOW);
        assert_eq!(result.unwrap_err(), Denied::InvalidToken(InvalidToken::Audience), "{uri}");
    }
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let (claims, request) = (verified(claims()), request("time.example.com", "/mcp"));
    let result = authorize(&claims, Revocation::Revoked, &request, &policy(), NOW);
    assert_eq!(result.unwrap_err(), Denied::InvalidToken(InvalidToken::Revoked));
}

#[test]
fn a_missing_scope_is_403_and_names_what_is_needed() {
    let needy = Policy { required_scope: scope("mcp:time"), ..policy() };
    let denied = attempt(&verified(claims()), &needy).unwrap_err();
    assert_eq!((denied.status(), denied.code()), (403, "insufficient_scope"));
    assert_eq!(denied, Denied::InsufficientScope { required: scope("mcp:time") });
}

#[test]
fn an_expired_token_is_refused_after_the_leeway_also_from_a_cache() {
    let check = |now| VerifiedClaims::check(claims(), None, gateway().issuer(), now);
    let exp = claims().exp;
    assert!(check(exp + LEEWAY - 1).is_ok());
    assert_eq!(check(exp + LEEWAY), Err(InvalidToken::Expired));
    let (claims, request) = (verified(claims()), request("time.example.com", "/mcp"));
    let late = authorize(&claims, Revocation::Active, &request, &policy(), exp + LEEWAY);
    assert_eq!(late.unwrap_err(), Denied::InvalidToken(InvalidToken::Expired));
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    let check = |nbf| VerifiedClaims::check(claims(), Some(nbf), gateway().issuer(), NOW);
    assert!(check(NOW + LEEWAY).is_ok());
    assert_eq!(check(NOW + LEEWAY + 1), Err(InvalidToken::NotYetValid));
    let future = Claims { iat: NOW + LEEWAY + 1, ..claims() };
    assert_eq!(VerifiedClaims::check(future, None, gateway().issuer(), NOW), Err(InvalidToken::NotYetValid));
}

#[test]
fn a_token_of_another_issuer_is_refused() {
    for issuer in ["https://auth.evil.example", "https://auth.example.com/", "https://AUTH.example.com"] {
        let foreign = Claims { iss: issuer.to_owned(), ..claims() };
        assert_eq!(VerifiedClaims::check(foreign, None, gateway().issuer(), NOW), Err(InvalidToken::Issuer));
    }
}
