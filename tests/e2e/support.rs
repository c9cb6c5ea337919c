//! What several of these tests do first.

use std::time::Duration;

use gateway_tests::{
    client::{Client, Login, Tokens},
    harness::{Gateway, eventually},
};
use serde_json::Value;

/// Scope of a login that is to last: refresh tokens belong to `offline_access`.
pub(crate) const SCOPE: &str = "openid profile email offline_access";

/// For what comes by itself, on a machine that has much else to do.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// What auth-server has read from Redis it believes for half a second at worst when nobody tells of changes
/// (store/watch.rs).
pub(crate) const TOLD: Duration = Duration::from_secs(10);

/// Until `look` sees `expected`, and then for good: what auth-server has read from Redis it believes until it is told that
/// somebody else has changed it.
pub(crate) async fn soon<T: PartialEq + std::fmt::Debug>(expected: T, look: impl AsyncFn() -> T) {
    let is_so = async || (look().await == expected).then_some(());
    eventually(TOLD, &format!("{expected:?}"), is_so).await;
    assert_eq!(look().await, expected);
}

/// Someone logged in for `service`, with the client they used.
pub(crate) async fn log_in(gateway: &Gateway, user: &str, service: &str) -> (Client, Tokens) {
    let client = Client::register(gateway.browser(), &gateway.issuer(), "A plain client").await;
    let tokens = client.log_in(&Login { user, resource: &gateway.mcp(service), scope: SCOPE }).await;
    (client, tokens)
}

/// Claims of a JWT, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
