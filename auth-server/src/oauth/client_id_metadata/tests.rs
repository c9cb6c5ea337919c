use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::oauth::fixtures::gateway;

const ID: &str = "https://app.example/client.json";

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn whole() -> Value {
    json!({"client_id": ID, "client_name": "App", "redirect_uris": ["http://127.0.0.1/cb", "https://app.example/cb"]})
}

/// A document with one member changed; `null` takes it away.
fn with(name: &str, value: Value) -> Result<Client, DocumentError> {
    let mut document = whole();
    document[name] = value;
    document.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    parse(&id(ID), document.to_string().as_bytes())
}

#[test]
fn a_client_id_is_a_normal_https_url_with_a_name_and_a_path() {
    for good in
        [ID, "https://app.example:8443/a/b?v=1", "https://xn--bcher-kva.example/c", "https://app.example/a.json/"]
    {
        assert!(ClientIdUrl::parse(&id(good), &gateway()).is_ok(), "{good}");
    }
    for bad in [
        "client_1",
        "http://app.example/c",
        "HTTPS://app.example/c",
        "https:app.example/c",
        "https://app.example",
        "https://app.example/",
        "https://app.example/?a=/b",
        "https://app.example/c#",
        "https://app.example/c#f",
        "https://user@app.example/c",
        "https://:p@app.example/c",
        "https://@app.example/c",
        "https://app.example/a/../c",
        "https://app.example/./c",
        "https://app.example/%2e%2e/c",
        "https://app.example\\@evil.example/c",
        "https://App.example/c",
        "https://app.example:443/c",
        "https://app.example./c",
        "https://127.0.0.1/c",
        "https://2130706433/c",
        "https://0x7f.1/c",
        "https://[::1]/c",
        "https:///c",
    ] {
        assert_eq!(ClientIdUrl::parse(&id(bad), &gateway()), Err(DocumentError::Url), "{bad}");
    }
}

#[test]
fn this_gateway_describes_no_client_itself() {
    let ours = id("https://auth.example.com/authorize?client_id=https://auth.example.com/");
    assert_eq!(ClientIdUrl::parse(&ours, &gateway()), Err(DocumentError::Ourselves));
}

#[test]
fn the_domain_of_a_client_is_the_host_of_its_url() {
    assert_eq!(domain(&id("https://app.example:8443/claude.ai")).as_deref(), Some("app.example"));
    assert_eq!(domain(&id("client_1")), None);
    assert_eq!(domain(&id("http://app.example/c")), None);
}

#[test]
fn a_document_with_name_and_redirect_uris_is_a_public_client_with_both_grants() {
    let client = with("x", Value::Null).unwrap();
    assert_eq!((client.id.as_str(), client.name.as_deref()), (ID, Some("App")));
    assert!(client.is_public() && client.may_use("authorization_code") && client.may_use("refresh_token"));
    assert_eq!(client.redirect_uris.len(), 2);
}

#[test]
fn a_grant_that_is_not_supported_is_ignored() {
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let client = with("grant_types", json!(["authorization_code", device, "client_credentials"])).unwrap();
    assert_eq!(client.grant_types, ["authorization_code"]);
    assert_eq!(with("grant_types", json!([device])), Err(DocumentError::GrantTypes));
    assert_eq!(with("grant_types", json!(["client_credentials", "refresh_token"])), Err(DocumentError::GrantTypes));
}

#[test]
fn a_wrong_client_id_is_refused() {
    for other in
        [json!("https://app.example/client.json/"), json!("https://APP.example/client.json"), json!(1), json!(null)]
    {
        assert_eq!(with("client_id", other), Err(DocumentError::ClientIdDiffers));
    }
}

#[test]
fn name_and_redirect_uris_are_required() {
    for name in [json!(null), json!(""), json!(7), json!("a\nb"), json!("x".repeat(257))] {
        assert_eq!(with("client_name", name), Err(DocumentError::Member("client_name")));
    }
    for uris in [json!(null), json!("https://app.example/cb"), json!([1])] {
        assert_eq!(with("redirect_uris", uris), Err(DocumentError::Member("redirect_uris")));
    }
    for uris in [json!([]), json!(["javascript:alert(1)", "http://app.example/cb", "https://a@app.example/"])] {
        assert_eq!(with("redirect_uris", uris), Err(DocumentError::RedirectUris));
    }
    let mixed = with("redirect_uris", json!(["javascript:alert(1)", "https://app.example/cb"])).unwrap();
    assert_eq!(mixed.redirect_uris.len(), 1);
}

#[test]
fn a_client_proves_itself_by_nothing_or_by_its_key_and_never_by_a_secret() {
    for method in ["client_secret_basic", "client_secret_post", "client_secret_jwt", "tls_client_auth"] {
        assert_eq!(with("token_endpoint_auth_method", json!(method)), Err(DocumentError::AuthMethod));
    }
    assert_eq!(with("token_endpoint_auth_method", json!("private_key_jwt")), Err(DocumentError::NoKeys));
    let mut document = whole();
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["jwks_uri"] = json!("https://app.example/jwks");
    let client = parse(&id(ID), document.to_string().as_bytes()).unwrap();
    assert!(!client.is_public() && client.secret.is_none());
    assert_eq!(client.metadata["jwks_uri"], "https://app.example/jwks");
    document["jwks_uri"] = json!("http://app.example/jwks");
    assert_eq!(parse(&id(ID), document.to_string().as_bytes()), Err(DocumentError::NoKeys));
}

#[test]
fn what_is_no_json_object_is_no_document() {
    for body in ["", "[]", "\"x\"", "{", "<html>"] {
        assert_eq!(parse(&id(ID), body.as_bytes()), Err(DocumentError::NotAnObject), "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(parse(&id(ID), deep.as_bytes()), Err(DocumentError::NotAnObject));
}

fn kept(cache_control: Option<&str>, age: u64, expires_in: Option<u64>) -> u64 {
    lifetime(&Freshness { cache_control, age, expires_in }).as_secs()
}

#[test]
fn headers_decide_between_five_minutes_and_a_day() {
    for (cache_control, age, expires_in, seconds) in [
        (None, 0, None, USUAL),
        (None, 0, Some(7200), 7200),
        (None, 0, Some(0), SHORTEST),
        (Some("max-age=7200"), 0, Some(0), 7200),
        (Some("public, Max-Age=\"7200\""), 1200, None, 6000),
        (Some("max-age=600, s-maxage=1200"), 0, None, 1200),
        (Some("max-age=0"), 0, None, SHORTEST),
        (Some("max-age=31536000, immutable"), 0, None, LONGEST),
        (Some("no-store, max-age=7200"), 0, None, SHORTEST),
        (Some("private"), 0, Some(7200), 7200),
        (Some("max-age=soon"), 0, None, USUAL),
        (Some("max-age=7200"), 9000, None, SHORTEST),
    ] {
        assert_eq!(kept(cache_control, age, expires_in), seconds, "{cache_control:?} {age} {expires_in:?}");
    }
}

proptest! {
    #[test]
    fn whatever_the_headers_say_a_copy_lives_five_minutes_to_a_day(
        cache_control in proptest::option::of("(max-age|s-maxage|no-store|,|=|\"|[0-9]{0,20}| ){0,8}"),
        age: u64,
        expires_in: Option<u64>,
    ) {
        prop_assert!((SHORTEST..=LONGEST).contains(&kept(cache_control.as_deref(), age, expires_in)));
    }

    #[test]
    fn what_passes_as_a_client_id_is_what_would_be_fetched(path in "[a-z./%#?@\\\\]{0,12}", host in "[a-zA-Z0-9.@:-]{1,12}") {
        let text = format!("https://{host}/{path}");
        if let Ok(url) = ClientIdUrl::parse(&id(&text), &gateway()) {
            prop_assert_eq!(url.url().as_str(), &text);
            prop_assert!(url.url().fragment().is_none() && url.url().username().is_empty());
            prop_assert!(!url.url().path().split('/').any(|segment| matches!(segment, "." | "..")));
        }
    }

    #[test]
    fn no_document_grants_more_than_the_two_grants(grants in proptest::collection::vec("[a-z_]{0,20}", 0..6)) {
        if let Ok(client) = with("grant_types", json!(grants)) {
            prop_assert!(client.grant_types.iter().all(|grant| GRANT_TYPES.contains(&grant.as_str())));
        }
    }
}
