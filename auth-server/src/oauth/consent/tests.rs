use super::*;
use crate::oauth::fixtures::{NOW, gateway, request, scope, user};

fn here() -> Secret {
    Secret::new("this browser")
}

fn resources(urls: &[&str]) -> Vec<Resource> {
    urls.iter().map(|url| Resource::parse(url, &gateway()).unwrap()).collect()
}

fn memory_of(request: &AuthorizationRequest) -> Memory {
    Memory::of(user().id).with(request, &here(), NOW)
}

#[test]
fn the_same_or_less_is_not_asked_again() {
    let memory = memory_of(&request());
    assert!(memory.covers(&request(), &here(), NOW + LIFETIME - 1));
    let less = AuthorizationRequest {
        scope: scope("openid"),
        resource: resources(&["https://time.example.com/mcp"]),
        ..request()
    };
    assert!(memory.covers(&less, &here(), NOW));
}

#[test]
fn more_scope_or_another_service_is_asked_again() {
    let granted = AuthorizationRequest { resource: resources(&["https://time.example.com/mcp"]), ..request() };
    let memory = memory_of(&granted);
    assert!(memory.covers(&granted, &here(), NOW));
    let more = [
        AuthorizationRequest { scope: scope("openid profile email"), ..granted.clone() },
        AuthorizationRequest { resource: resources(&["https://fetch.example.com/mcp"]), ..granted.clone() },
        AuthorizationRequest { resource: Vec::new(), ..granted.clone() },
    ];
    for request in more {
        assert!(!memory.covers(&request, &here(), NOW), "{request:?}");
    }
}

#[test]
fn another_client_redirect_uri_or_browser_is_asked() {
    let memory = memory_of(&request());
    let other = |text: &str| RedirectUri::parse(text).unwrap();
    let client = AuthorizationRequest { client_id: ClientId::parse("client_2").unwrap(), ..request() };
    let elsewhere = AuthorizationRequest { redirect_uri: other("https://app.example/other"), ..request() };
    assert!(!memory.covers(&client, &here(), NOW) && !memory.covers(&elsewhere, &here(), NOW));
    assert!(!memory.covers(&request(), &Secret::new("another browser"), NOW));
}

#[test]
fn a_remembered_consent_ends_after_thirty_days_however_often_it_is_used() {
    assert!(!memory_of(&request()).covers(&request(), &here(), NOW + LIFETIME));
}

#[test]
fn a_program_on_this_computer_is_asked_about_every_time() {
    for uri in
        ["http://127.0.0.1:33418/cb", "http://localhost/cb", "cursor://anysphere/cb", "urn:ietf:wg:oauth:2.0:oob"]
    {
        let local = AuthorizationRequest { redirect_uri: RedirectUri::parse(uri).unwrap(), ..request() };
        let memory = memory_of(&local);
        assert!(memory.is_empty() && !memory.covers(&local, &here(), NOW), "{uri}");
    }
}

#[test]
fn what_is_remembered_is_bounded_and_a_repetition_takes_no_room() {
    let mut memory = Memory::of(user().id);
    for i in 0..3 * MOST {
        let client_id = ClientId::parse(&format!("client_{i}")).unwrap();
        let request = AuthorizationRequest { client_id, ..request() };
        memory = memory.with(&request, &here(), NOW).with(&request, &here(), NOW);
    }
    assert_eq!(memory.decisions.len(), MOST);
    assert_eq!(memory.decisions[0].client_id.as_str(), format!("client_{}", 2 * MOST));
}

#[test]
fn taking_access_back_forgets_the_consent_to_it() {
    assert!(memory_of(&request()).without(&request().client_id).is_empty());
}

#[test]
fn a_client_can_demand_that_the_person_is_asked() {
    let demanded = |query: &str| is_demanded(&Params::parse(query.as_bytes()).unwrap());
    assert!(demanded("prompt=consent") && demanded("prompt=login%20consent") && demanded("prompt=select_account"));
    assert!(!demanded("prompt=none") && !demanded("") && !demanded("prompt=consented"));
}
