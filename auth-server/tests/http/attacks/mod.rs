//! Attacks on the authorization server, each a test with its name; docs/security.md says what stops them.

mod clients;
mod codes;
mod logins;
mod redirects;
mod refresh;
pub(crate) mod tokens;
mod wire;

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Service, journey::Registered};

/// `(400, invalid_grant)` and its like.
fn refusal((status, body): &(StatusCode, Value)) -> (u16, &str) {
    (status.as_u16(), body["error"].as_str().unwrap_or_else(|| panic!("no error in {body}")))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// A client that has logged in, and its tokens.
async fn logged_in(service: &Service, method: &str) -> (Registered, Value) {
    let client = service.register(method).await;
    let (status, tokens) = service.redeem(&client, &service.code(&client.id).await).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    (client, tokens)
}
