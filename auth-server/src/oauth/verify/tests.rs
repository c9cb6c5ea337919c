use super::*;
use crate::oauth::{
    fixtures::{NOW, claims, gateway, scope},
    forwarded::Forwarded,
    people::AllowList,
};

fn request<'a>(host: &'a str, uri: &'a str) -> ForwardedRequest<'a> {
    let headers = Forwarded { method: Some("POST"), host: Some(host), uri: Some(uri) };
    ForwardedRequest::parse(&headers, &gateway()).unwrap()
}

fn rules() -> Rules {
    Rules { gateway: gateway(), people: People::Anyone, require_resource: false }
}

fn policy(query: &str) -> Policy {
    Policy::parse(query).unwrap()
}

fn active(groups: &[&str]) -> Revocation {
    Revocation::Active(groups.iter().map(|group| (*group).to_owned()).collect())
}

fn verified(claims: Claims) -> VerifiedClaims {
    VerifiedClaims::check(claims, gateway().issuer(), NOW).unwrap()
}

fn with_audience(audience: &str) -> VerifiedClaims {
    verified(Claims { aud: vec![audience.to_owned()], ..claims() })
}

fn attempt<'a>(claims: &'a VerifiedClaims, rules: &Rules) -> Result<Permit<'a>, Denied> {
    let request = request("time.example.com", "/mcp?x=1");
    authorize(claims, &active(&[]), Check { request: &request, rules, policy: &Policy::default(), now: NOW })
}

/// A request for the time service by a member of `groups`, held against the policy that `query` says.
fn under(query: &str, groups: &[&str]) -> Result<(), Denied> {
    let request = request("time.example.com", "/mcp");
    let check = Check { request: &request, rules: &rules(), policy: &policy(query), now: NOW };
    authorize(&verified(claims()), &active(groups), check).map(drop)
}

#[test]
fn a_good_token_permits_and_says_who_it_is() {
    let claims = with_audience("https://time.example.com/mcp");
    let permit = attempt(&claims, &rules()).unwrap();
    assert_eq!((permit.user_id().as_str(), permit.user_name()), ("42", "octocat"));
    assert_eq!((permit.client_id().as_str(), permit.scope().to_string()), ("client_1", "openid profile".to_owned()));
}

#[test]
fn a_token_for_the_issuer_is_good_for_every_service_unless_a_resource_is_required() {
    assert!(attempt(&with_audience("https://auth.example.com"), &rules()).is_ok());
    let strict = Rules { require_resource: true, ..rules() };
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
        let denied = attempt(&with_audience(audience), &rules()).unwrap_err();
        assert_eq!(denied, Denied::InvalidToken(InvalidToken::Audience), "{audience}");
    }
    let nobody = verified(Claims { aud: Vec::new(), ..claims() });
    assert!(attempt(&nobody, &rules()).is_err());
}

#[test]
fn encoded_or_doubled_slashes_do_not_escape_a_resource_path() {
    for uri in
        ["//mcp", "/mcp/../admin", "/mcp/%2e%2e/admin", "/mcp%2f..%2fadmin", "/mcp/..%5cadmin", "/mcp\\..\\admin"]
    {
        let (claims, request) = (with_audience("https://time.example.com/mcp"), request("time.example.com", uri));
        let check = Check { request: &request, rules: &rules(), policy: &Policy::default(), now: NOW };
        let result = authorize(&claims, &active(&[]), check);
        assert_eq!(result.unwrap_err(), Denied::InvalidToken(InvalidToken::Audience), "{uri}");
    }
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let (claims, request) = (verified(claims()), request("time.example.com", "/mcp"));
    let check = Check { request: &request, rules: &rules(), policy: &Policy::default(), now: NOW };
    let result = authorize(&claims, &Revocation::Revoked, check);
    assert_eq!(result.unwrap_err(), Denied::InvalidToken(InvalidToken::Revoked));
}

#[test]
fn a_missing_scope_is_403_and_names_what_is_needed() {
    let denied = under("service=time&scope=mcp:time", &[]).unwrap_err();
    assert_eq!((denied.status(), denied.code()), (403, "insufficient_scope"));
    assert_eq!(denied, Denied::InsufficientScope { required: scope("mcp:time") });
}

#[test]
fn a_service_may_be_for_a_few_people_organisations_or_teams() {
    for (query, groups) in [
        ("users=mona,Octocat", &[][..]),
        ("users=mona&orgs=acme", &["ACME"]),
        ("teams=acme/devs", &["acme", "acme/devs"]),
        ("users=octocat&scope=openid", &[]),
    ] {
        assert!(under(query, groups).is_ok(), "{query}");
    }
    for query in ["users=mona", "orgs=initech", "teams=initech/devs", "users=mona&scope=mcp:time"] {
        let denied = under(query, &["acme", "acme/ops"]).unwrap_err();
        assert_eq!((&denied, denied.status(), denied.code()), (&Denied::PersonNotAllowed, 403, "access_denied"));
    }
}

#[test]
fn the_token_of_a_removed_user_is_refused_and_that_of_a_group_member_is_not() {
    let mut list = AllowList::default();
    list.add_login("mona").unwrap();
    list.add_team("acme/devs").unwrap();
    let (rules, request) = (Rules { people: People::Only(list), ..rules() }, request("time.example.com", "/mcp"));
    let check = Check { request: &request, rules: &rules, policy: &Policy::default(), now: NOW };
    let claims = verified(claims());
    assert_eq!(attempt(&claims, &rules), Err(InvalidToken::PersonRemoved.into()));
    assert!(authorize(&claims, &active(&["Acme/Devs"]), check).is_ok());
    assert!(authorize(&claims, &active(&["acme"]), check).is_err());
}

#[test]
fn a_machine_client_is_on_no_list_of_people() {
    let machine = verified(Claims { sub: Subject::parse("client_1").unwrap(), ..claims() });
    let nobody = Rules { people: People::Only(AllowList::default()), ..rules() };
    assert!(attempt(&machine, &nobody).is_ok());
    let request = request("time.example.com", "/mcp");
    let check = Check { request: &request, rules: &nobody, policy: &policy("orgs=acme"), now: NOW };
    assert_eq!(authorize(&machine, &active(&[]), check), Err(Denied::PersonNotAllowed));
}

#[test]
fn an_expired_token_is_refused_after_the_leeway_also_from_a_cache() {
    let check = |now| VerifiedClaims::check(claims(), gateway().issuer(), now);
    let exp = claims().exp;
    assert!(check(exp + LEEWAY - 1).is_ok());
    assert_eq!(check(exp + LEEWAY), Err(InvalidToken::Expired));
    let (claims, request) = (verified(claims()), request("time.example.com", "/mcp"));
    let check = Check { request: &request, rules: &rules(), policy: &Policy::default(), now: exp + LEEWAY };
    let late = authorize(&claims, &active(&[]), check);
    assert_eq!(late.unwrap_err(), Denied::InvalidToken(InvalidToken::Expired));
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    let check = |nbf| VerifiedClaims::check(Claims { nbf: Some(nbf), ..claims() }, gateway().issuer(), NOW);
    assert!(check(NOW + LEEWAY).is_ok());
    assert_eq!(check(NOW + LEEWAY + 1), Err(InvalidToken::NotYetValid));
    let future = Claims { iat: NOW + LEEWAY + 1, ..claims() };
    assert_eq!(VerifiedClaims::check(future, gateway().issuer(), NOW), Err(InvalidToken::NotYetValid));
}

#[test]
fn a_token_of_another_issuer_is_refused() {
    for issuer in ["https://auth.evil.example", "https://auth.example.com/", "https://AUTH.example.com"] {
        let foreign = Claims { iss: issuer.to_owned(), ..claims() };
        assert_eq!(VerifiedClaims::check(foreign, gateway().issuer(), NOW), Err(InvalidToken::Issuer));
    }
}
