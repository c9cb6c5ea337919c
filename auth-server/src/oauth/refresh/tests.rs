use super::*;
use crate::oauth::fixtures::{self, NOW, gateway, scope};

fn authenticated(id: &str) -> AuthenticatedClient {
    fixtures::authenticated(fixtures::client_named(id))
}

fn grant() -> RefreshGrant {
    let resource = Resource::parse_all(["https://a.example.com"].into_iter(), &gateway()).unwrap();
    RefreshGrant { resource, ..fixtures::refresh_grant() }
}

fn request() -> Refresh {
    Refresh { token: Secret::new("old token"), scope: None, resource: Vec::new() }
}

fn fresh(now: u64) -> Fresh {
    Fresh { successor: [7; 32], family: FamilyId::parse("founded").unwrap(), now }
}

fn rotation() -> Rotation {
    match grant().redeem(&request(), &authenticated("client_1"), fresh(NOW)).unwrap() {
        RefreshDecision::Rotate { rotation, .. } => rotation,
        RefreshDecision::Retry { .. } => panic!("an active token rotates"),
    }
}

#[test]
fn every_use_rotates_the_token() {
    let rotation = rotation();
    assert_eq!(rotation.grant.state, RefreshState::Active);
    assert!(matches!(rotation.spent.state, RefreshState::Rotated { at: NOW, .. }));
    assert_eq!(rotation.family.as_str(), "family");
}

#[test]
fn a_retry_within_a_minute_gets_the_same_successor() {
    let Rotation { spent, successor: first, .. } = rotation();
    match spent.redeem(&request(), &authenticated("client_1"), fresh(NOW + RETRY_WINDOW)).unwrap() {
        RefreshDecision::Retry { successor, .. } => assert_eq!(successor, first),
        RefreshDecision::Rotate { .. } => panic!("a spent token does not rotate again"),
    }
}

#[test]
fn reuse_after_a_minute_revokes_the_family() {
    let result = rotation().spent.redeem(&request(), &authenticated("client_1"), fresh(NOW + RETRY_WINDOW + 1));
    assert_eq!(result.unwrap_err().revokes().unwrap().as_str(), "family");
}

#[test]
fn the_store_alone_cannot_open_the_successor() {
    let rotation = rotation();
    let stored = serde_json::to_string(&rotation.spent).unwrap();
    assert!(!stored.contains(rotation.successor.expose()));
    let RefreshState::Rotated { successor, .. } = &rotation.spent.state else { panic!("spent") };
    assert_ne!(open(successor, &Secret::new("another token")), Some(rotation.successor));
}

#[test]
fn a_refresh_token_of_another_client_is_refused_and_revokes_nothing() {
    let error = grant().redeem(&request(), &authenticated("client_2"), fresh(NOW)).unwrap_err();
    assert_eq!((error.revokes(), error.code()), (None, "invalid_grant"));
}

#[test]
fn scope_and_resource_may_be_narrowed_but_not_widened() {
    let narrow = Refresh { scope: Some(scope("openid")), ..request() };
    match grant().redeem(&narrow, &authenticated("client_1"), fresh(NOW)).unwrap() {
        RefreshDecision::Rotate { access, rotation } => {
            assert_eq!(access.scope().to_string(), "openid");
            assert_eq!(rotation.grant.scope, grant().scope);
        }
        RefreshDecision::Retry { .. } => panic!("an active token rotates"),
    }
    let wide = Refresh { scope: Some(scope("openid profile")), ..request() };
    let error = grant().redeem(&wide, &authenticated("client_1"), fresh(NOW)).unwrap_err();
    assert_eq!(error, TokenError::ScopeWidened);
    let resource = Resource::parse_all(["https://b.example.com"].into_iter(), &gateway()).unwrap();
    let foreign = Refresh { resource, ..request() };
    let error = grant().redeem(&foreign, &authenticated("client_1"), fresh(NOW)).unwrap_err();
    assert_eq!(error, TokenError::ResourceWidened);
}

#[test]
fn a_token_of_the_python_service_founds_a_family() {
    let old = RefreshGrant { family: None, resource: Vec::new(), ..grant() };
    match old.redeem(&request(), &authenticated("client_1"), fresh(NOW)).unwrap() {
        RefreshDecision::Rotate { rotation, .. } => {
            assert_eq!(rotation.grant.family.unwrap().as_str(), "founded");
            assert_eq!(rotation.spent.family.unwrap().as_str(), "founded");
        }
        RefreshDecision::Retry { .. } => panic!("an active token rotates"),
    }
}
