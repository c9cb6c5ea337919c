//! The Python service is stopped and ours is started on its port, its Redis and its `.env`: every life goes on.

use serde_json::{Value, json};

use super::{
    old_client::{OldClient, Pkce, pair},
    stage::{Seen, Stage, read},
};

/// What the Python service leaves behind.
struct Left {
    client: OldClient,
    access: String,
    refresh: String,
    /// Of another client.
    other: OldClient,
    others_access: String,
}

async fn leave(stage: &Stage) -> Left {
    let client = OldClient::register(stage.browser(), &stage.issuer()).await;
    let code = client.code_of_python("octocat", Pkce::S256).await;
    let (access, refresh) = pair(client.redeem(&code, Pkce::S256).await);
    let other = OldClient::register(stage.browser(), &stage.issuer()).await;
    let code = other.code_of_python("hubot", Pkce::None).await;
    let (others_access, _) = pair(other.redeem(&code, Pkce::None).await);
    assert_eq!(stage.call(&access).await, Seen::octocat(), "the Python service itself");
    Left { client, access, refresh, other, others_access }
}

/// Verified, introspected, refreshed, revoked.
async fn tokens_live_on(stage: &Stage, left: &Left) {
    let Left { client, access, refresh, other, .. } = left;
    assert_eq!(stage.call(access).await, Seen::octocat());
    assert!(client.active(access).await);
    assert!(!other.active(access).await, "RFC 7662 §2.2: it is none of the other client's business");

    assert_eq!(other.refresh(refresh).await.1["error"], "invalid_grant", "bound to its client now");
    let (second, successor) = pair(client.refresh(refresh).await);
    assert_eq!(pair(client.refresh(refresh).await).1, successor, "a retry within 60 s");
    assert_eq!((stage.call(&second).await, stage.call(access).await), (Seen::octocat(), Seen::octocat()));

    assert_eq!(client.revoke(access).await, 200);
    assert_eq!((stage.call(access).await, stage.call(&second).await), (Seen::Refused(401), Seen::octocat()));
    assert!(!client.active(access).await);
    assert_eq!(client.revoke(&successor).await, 200, "a refresh token takes with it what it gave");
    assert_eq!(stage.call(&second).await, Seen::Refused(401));
}

/// RFC 7592 with the registration token that the Python service handed out.
async fn registrations_live_on(stage: &Stage, left: &Left) {
    let other = &left.other;
    let http = &other.browser.http;
    let (url, token) = (other.registration_url(), &other.registration_token);
    let (status, told) = read(http.get(&url).bearer_auth(token).send().await.unwrap()).await;
    assert_eq!((status, &told["client_id"]), (200, &json!(other.id)));
    assert_eq!((&told["client_name"], &told["scope"]), (&json!("Old <client>"), &json!("email openid profile")));
    assert_eq!(told["grant_types"], json!(["authorization_code", "refresh_token"]));

    let renamed = json!({ "client_name": "Renamed", "redirect_uris": ["https://client.example/cb"] });
    let (status, told) = read(http.put(&url).bearer_auth(token).json(&renamed).send().await.unwrap()).await;
    assert_eq!((status, &told["client_name"]), (200, &json!("Renamed")), "{told}");
    assert!(other.active(&left.others_access).await, "its secret still counts after the update");

    assert_eq!(read(http.get(&url).bearer_auth("reg-wrong").send().await.unwrap()).await.0, 403);
    assert_eq!(read(http.delete(&url).bearer_auth(token).send().await.unwrap()).await.0, 204);
    assert_eq!(stage.call(&left.others_access).await, Seen::Refused(401), "its tokens went with it");
    assert_eq!(other.refresh("any").await.1["error"], "invalid_client");
}

/// The person was at GitHub, or the client had its code in hand, when the service was swapped.
struct InFlight {
    code: String,
    code_without_pkce: String,
    callback: url::Url,
}

async fn take_off(client: &OldClient) -> InFlight {
    InFlight {
        code: client.code_of_python("octocat", Pkce::S256).await,
        code_without_pkce: client.code_of_python("octocat", Pkce::None).await,
        callback: client.callback_of_python("octocat", Pkce::S256).await,
    }
}

async fn logins_in_flight_land(stage: &Stage, client: &OldClient, flight: &InFlight) {
    let (access, _) = pair(client.redeem(&flight.code, Pkce::S256).await);
    assert_eq!(stage.call(&access).await, Seen::octocat());
    assert_eq!(client.redeem(&flight.code, Pkce::S256).await.1["error"], "invalid_grant", "once");
    assert_eq!(stage.call(&access).await, Seen::Refused(401), "RFC 9700 §4.5: a replay revokes what the code gave");

    // Without PKCE anyone who saw the redirect could redeem it (RFC 9700 §2.1.1): the person signs in again.
    let refused = client.redeem(&flight.code_without_pkce, Pkce::None).await;
    assert_eq!((refused.0, &refused.1["error"]), (400, &json!("invalid_grant")));
    // Nobody was asked for consent, and no browser was bound to it: the same.
    let page = client.browser.open(&flight.callback).await.page();
    assert_eq!(page.url.path(), "/error", "{}", page.html);
}

async fn a_known_client_logs_in_anew(stage: &Stage, client: &OldClient) {
    let code = client.code_of_ours("octocat").await;
    let (access, refresh) = pair(client.redeem(&code, Pkce::S256).await);
    assert_eq!(stage.call(&access).await, Seen::octocat());
    let (next, _) = pair(client.refresh(&refresh).await);
    assert_eq!(stage.call(&next).await, Seen::octocat());
}

/// Nothing that a dump of Redis would give away is left once it has been used.
fn no_spent_secret_is_left(stage: &Stage, left: &Left, flight: &InFlight) {
    let keys = stage.keys();
    assert!(keys.contains("oauth:client:"), "no record is seen: {keys}");
    for secret in [&left.refresh, &flight.code] {
        assert!(!keys.contains(secret), "{secret} is a key in {keys}");
    }
}

async fn every_life_goes_on(algorithm: &str) {
    let mut stage = Stage::of_python(algorithm);
    let left = leave(&stage).await;
    let flight = take_off(&left.client).await;
    stage.swap_to_ours();
    tokens_live_on(&stage, &left).await;
    registrations_live_on(&stage, &left).await;
    logins_in_flight_land(&stage, &left.client, &flight).await;
    a_known_client_logs_in_anew(&stage, &left.client).await;
    no_spent_secret_is_left(&stage, &left, &flight);
}

#[tokio::test]
async fn every_life_that_the_python_service_began_goes_on_with_ours() {
    every_life_goes_on("RS256").await;
}

#[tokio::test]
async fn every_life_goes_on_when_the_python_service_signed_with_hs256() {
    every_life_goes_on("HS256").await;
}

#[tokio::test]
async fn a_client_of_python_that_never_sent_its_secret_has_to_prove_itself_or_register_anew() {
    let mut stage = Stage::of_python("RS256");
    let Left { client, refresh, .. } = leave(&stage).await;
    let silent = OldClient { secret: String::new(), ..client.clone() };
    assert_eq!(silent.refresh(&refresh).await.0, 200, "the Python service checks a secret only when one comes");
    stage.swap_to_ours();
    let refused = silent.refresh(&refresh).await;
    assert_eq!((refused.0, &refused.1["error"]), (401, &json!("invalid_client")));
    assert_eq!(client.refresh(&refresh).await.0, 200, "the attempt has spent nothing");
}

#[tokio::test]
async fn going_back_keeps_clients_of_python_and_their_live_access_tokens() {
    let mut stage = Stage::of_python("RS256");
    let left = leave(&stage).await;
    stage.swap_to_ours();
    let code = left.client.code_of_ours("octocat").await;
    let (ours, our_refresh) = pair(left.client.redeem(&code, Pkce::S256).await);
    let new = OldClient::register(stage.browser(), &stage.issuer()).await;
    stage.swap_to_python();

    assert_eq!((stage.call(&left.access).await, stage.call(&ours).await), (Seen::octocat(), Seen::octocat()));
    assert_eq!(left.client.refresh(&left.refresh).await.0, 200, "a refresh token that ours has not rotated");
    assert_eq!(left.client.refresh(&our_refresh).await.1["error"], "invalid_grant", "ours are stored as hashes only");
    let code = left.client.code_of_python("octocat", Pkce::S256).await;
    assert_eq!(left.client.redeem(&code, Pkce::S256).await.0, 200);
    let (status, told): (u16, Value) = new.refresh("any").await;
    assert_eq!((status, &told["error"]), (401, &json!("invalid_client")), "it holds no secret of a client of ours");
}

#[tokio::test]
async fn going_back_to_hs256_ends_the_access_tokens_of_ours() {
    let mut stage = Stage::of_python("HS256");
    let left = leave(&stage).await;
    stage.swap_to_ours();
    let code = left.client.code_of_ours("octocat").await;
    let (ours, _) = pair(left.client.redeem(&code, Pkce::S256).await);
    stage.swap_to_python();
    assert_eq!((stage.call(&left.access).await, stage.call(&ours).await), (Seen::octocat(), Seen::Refused(401)));
}
