//! Machines that act for themselves (`client_credentials`): made by the operator's own command, and by nobody else.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Service,
    journey::{REDIRECT_URI, RESOURCE, Registered},
    signer::{JWT_BEARER, Key},
};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// `auth-server clients create`, before the service opens the file.
fn create(data: &Path, more: &[&str]) -> Registered {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-server"));
    command.env_clear().env("DATA_DIR", data).current_dir(data).stdin(Stdio::null());
    command.args(["clients", "create", "--json", "--name", "Nightly build", "--grant-type", "client_credentials"]);
    let done = command.args(more).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Registered { id: text("client_id").unwrap(), secret: text("client_secret"), answer }
}

fn subject(access_token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = access_token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[actix_web::test]
async fn a_machine_gets_a_token_for_itself_and_reaches_its_service() {
    let data: TempDir = tempfile::tempdir().unwrap();
    let machine = create(data.path(), &["--scope", "mcp:time profile"]);
    let service = Service::start_in(data, &[]).await;
    let metadata: Value = service.get("/.well-known/oauth-authorization-server").await.json().await.unwrap();
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!("client_credentials")));

    let (status, tokens) = service.token(&machine, &[GRANT, ("resource", RESOURCE)]).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("mcp:time profile")));
    assert!(tokens.get("refresh_token").is_none(), "RFC 6749 §4.4.3");
    let access = tokens["access_token"].as_str().unwrap();
    let claims = subject(access);
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(machine.id), &json!(machine.id)), "RFC 9068 §2.2");
    assert_eq!(claims["aud"], json!([RESOURCE]));

    let permitted = service.verify(Some(access)).await;
    assert_eq!(permitted.status(), StatusCode::OK);
    for name in ["x-user-id", "x-user-name", "x-client-id"] {
        assert_eq!(permitted.headers()[name], machine.id.as_str(), "{name}");
    }
    let basic = service.http.post(service.at("/token")).basic_auth(&machine.id, machine.secret.as_deref());
    assert_eq!(basic.form(&[GRANT]).send().await.unwrap().status(), StatusCode::OK);

    let form = [("token", access), ("client_id", &machine.id), ("client_secret", machine.secret.as_deref().unwrap())];
    service.http.post(service.at("/revoke")).form(&form).send().await.unwrap();
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn a_machine_may_sign_instead_of_keeping_a_secret() {
    let (data, key) = (tempfile::tempdir().unwrap(), Key::new());
    let file = data.path().join("keys.json");
    std::fs::write(&file, key.jwks().to_string()).unwrap();
    let machine = create(data.path(), &["--auth-method", "private_key_jwt", "--jwks", file.to_str().unwrap()]);
    assert!(machine.secret.is_none());
    let service = Service::start_in(data, &[]).await;
    let ask = async |assertion: &str| {
        let form = [GRANT, ("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        service.http.post(service.at("/token")).form(&form).send().await.unwrap()
    };
    let assertion = key.assertion(&machine.id, "1");
    let granted = ask(&assertion).await;
    assert_eq!(granted.status(), StatusCode::OK);
    let tokens: Value = granted.json().await.unwrap();
    assert_eq!(service.verify(tokens["access_token"].as_str()).await.status(), StatusCode::OK);
    assert_eq!(ask(&assertion).await.status(), StatusCode::UNAUTHORIZED, "a replay");
    assert_eq!(ask(&Key::new().assertion(&machine.id, "2")).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;
}

#[actix_web::test]
async fn a_machine_gets_no_more_than_it_was_given_and_nothing_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let machine = create(data.path(), &["--scope", "mcp:time"]);
    let service = Service::start_in(data, &[]).await;
    for (pairs, error) in [
        ([GRANT, ("scope", "mcp:fetch")], "invalid_scope"),
        ([GRANT, ("resource", "https://evil.example/mcp")], "invalid_target"),
        ([GRANT, ("client_secret", "wrong")], "invalid_request"),
        ([("grant_type", "authorization_code"), ("code", "x")], "unauthorized_client"),
        ([("grant_type", "refresh_token"), ("refresh_token", "x")], "unauthorized_client"),
    ] {
        let (status, refused) = service.token(&machine, &pairs).await;
        assert_eq!((status, &refused["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{pairs:?}");
    }
    let (_, narrowed) = service.token(&machine, &[GRANT, ("scope", "mcp:time mcp:fetch openid")]).await;
    assert_eq!(narrowed["scope"], "mcp:time", "what an SDK asks for because the metadata lists it");
    let alone = Registered { secret: None, ..machine };
    assert_eq!(service.token(&alone, &[GRANT]).await.1["error"], "invalid_client");
    service.stop().await;
}

#[actix_web::test]
async fn nobody_can_register_a_machine_over_the_network() {
    let service = Service::start().await;
    let register = async |grants: Value| {
        let body = json!({"redirect_uris": [REDIRECT_URI], "grant_types": grants});
        let response = service.http.post(service.at("/register")).json(&body).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(register(json!(["client_credentials"])).await.0, StatusCode::BAD_REQUEST);
    let (_, answer) = register(json!(["authorization_code", "client_credentials"])).await;
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let client = Registered { id: text("client_id").unwrap(), secret: text("client_secret"), answer: Value::Null };
    assert_eq!(service.token(&client, &[GRANT]).await.1["error"], "unauthorized_client");

    let path = text("registration_client_uri").unwrap().replace("https://auth.example.com", "");
    let body = json!({
        "client_id": client.id, "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let token = text("registration_access_token").unwrap();
    let changed = service.http.put(service.at(&path)).bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(changed.json::<Value>().await.unwrap()["grant_types"], json!(["authorization_code"]));
    assert_eq!(service.token(&client, &[GRANT]).await.1["error"], "unauthorized_client");
    service.stop().await;
}
