use super::*;
use crate::oauth::fixtures::{NOW, client, gateway, public_client};

fn parse(value: Value) -> Result<ClientMetadata, RegistrationError> {
    ClientMetadata::parse(value.to_string().as_bytes())
}

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({ "redirect_uris": ["https://app.example/cb"] });
    body[name] = value;
    body
}

fn register(body: Value) -> Registration {
    parse(body).unwrap().register(NewClient {
        id: ClientId::parse("client_1").unwrap(),
        secret: Secret::new("the secret"),
        registration_token: Secret::new("reg-token"),
        now: NOW,
        lifetime: Some(60),
    })
}

#[test]
fn a_confidential_client_is_told_its_secret_and_its_metadata() {
    let answer = register(with("client_name", json!("App"))).response(&gateway());
    assert_eq!(answer["client_secret"], "the secret");
    assert_eq!(answer["client_secret_expires_at"], NOW + 60);
    assert_eq!(answer["client_id_issued_at"], NOW);
    assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(answer["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(answer["response_types"], json!(["code"]));
    assert_eq!(answer["redirect_uris"], json!(["https://app.example/cb"]));
    assert_eq!(answer["client_name"], "App");
    assert_eq!(answer["registration_access_token"], "reg-token");
    assert_eq!(answer["registration_client_uri"], "https://auth.example.com/register/client_1");
}

#[test]
fn a_public_client_gets_no_secret() {
    let registration = register(with("token_endpoint_auth_method", json!("none")));
    let answer = registration.response(&gateway());
    assert_eq!(answer["token_endpoint_auth_method"], "none");
    assert!(answer.get("client_secret").is_none() && registration.client.is_public());
}

#[test]
fn secrets_are_stored_hashed_and_not_told_again() {
    let registration = register(with("scope", json!("openid")));
    assert!(registration.client.secret.as_ref().unwrap().matches(&Secret::new("the secret")));
    let later = authorize_management(Some(registration.client), Some("Bearer reg-token")).unwrap();
    let later = later.response(&gateway());
    assert!(later.get("client_secret").is_none());
    assert_eq!(later["registration_access_token"], "reg-token");
}

#[test]
fn metadata_is_echoed_and_cannot_overwrite_what_we_say() {
    let body = json!({
        "redirect_uris": ["https://app.example/cb"], "client_uri": "https://app.example", "contacts": ["a@b.example"],
        "software_id": "x", "client_id": "mine", "client_secret": "mine", "unknown": 1,
    });
    let answer = register(body).response(&gateway());
    assert_eq!((&answer["client_id"], &answer["client_secret"]), (&json!("client_1"), &json!("the secret")));
    assert_eq!((&answer["client_uri"], &answer["software_id"]), (&json!("https://app.example"), &json!("x")));
    assert!(answer.get("unknown").is_none());
}

#[test]
fn bad_redirect_uris_are_invalid_redirect_uri() {
    for uris in [["javascript:alert(1)"], ["http://evil.example/"], ["https://a.example/#f"], [""]] {
        let error = parse(json!({ "redirect_uris": uris })).unwrap_err();
        assert_eq!(error.code(), "invalid_redirect_uri", "{uris:?}");
    }
}

#[test]
fn other_faults_are_invalid_client_metadata() {
    let many: Vec<_> = (0..11).map(|i| format!("https://app.example/{i}")).collect();
    for body in [
        with("redirect_uris", json!(null)),
        with("redirect_uris", json!([])),
        with("redirect_uris", json!("https://a.example")),
        with("redirect_uris", json!([1])),
        with("redirect_uris", json!(many)),
        with("client_name", json!("x".repeat(257))),
        with("client_name", json!("line\nbreak")),
        with("client_name", json!(["x"])),
        with("logo_uri", json!("javascript:alert(1)")),
        with("scope", json!("a\"b")),
        with("token_endpoint_auth_method", json!("private_key_jwt")),
        with("grant_types", json!(["client_credentials"])),
        with("grant_types", json!("authorization_code")),
        with("response_types", json!(["token"])),
        json!([]),
    ] {
        let error = parse(body.clone()).unwrap_err();
        assert_eq!(error.code(), "invalid_client_metadata", "{body}");
    }
}

#[test]
fn huge_bodies_deep_json_and_bytes_that_are_not_utf8_are_refused() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(ClientMetadata::parse(deep.as_bytes()), Err(RegistrationError::NotAnObject));
    assert_eq!(ClientMetadata::parse(&vec![b' '; MAX_BODY + 1]), Err(RegistrationError::TooLarge));
    assert_eq!(ClientMetadata::parse(b"{\"client_name\":\"\xff\"}"), Err(RegistrationError::NotAnObject));
}

#[test]
fn an_update_replaces_metadata_and_keeps_id_and_secret() {
    let updated = parse(with("client_name", json!("New"))).unwrap().update(client()).unwrap();
    assert_eq!((updated.id, updated.secret, updated.name.as_deref()), (client().id, client().secret, Some("New")));
    assert!(parse(with("client_name", json!("New"))).unwrap().update(public_client()).is_err());
}

#[test]
fn only_the_registration_token_manages_a_client() {
    let manage = |client, header| authorize_management(client, header).map(|managed| managed.client.id);
    assert!(manage(Some(client()), Some("bearer reg-token")).is_ok());
    assert_eq!(manage(Some(client()), None), Err(ManagementError::TokenMissing));
    assert_eq!(manage(Some(client()), Some("Basic reg-token")), Err(ManagementError::TokenMissing));
    assert_eq!(manage(Some(client()), Some("Bearer wrong")), Err(ManagementError::TokenWrong));
    assert_eq!(manage(None, Some("Bearer reg-token")), Err(ManagementError::UnknownClient));
    let tokenless = Client { registration_token: None, ..client() };
    assert_eq!(manage(Some(tokenless), Some("Bearer ")), Err(ManagementError::TokenMissing));
}
