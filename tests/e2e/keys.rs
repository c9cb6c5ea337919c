//! Signing keys change while people work: nobody notices but the JWKS.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gateway_tests::{
    client::{Client, Tokens},
    harness::{AuthServer, Gateway, Headers, Setup, StoreKind, eventually},
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    support::{SOON, log_in},
    work::{Work, load},
};

/// Two replicas with one folder; `one` is behind Traefik.
struct Replicas {
    gateway: Gateway,
    client: Client,
    tokens: Tokens,
    _server: Headers,
}

impl Replicas {
    async fn start() -> Self {
        let server = Headers::start();
        let gateway = Setup::new(StoreKind::Redis).replicas(2).upstream("one", server.url()).start();
        let (client, tokens) = log_in(&gateway, "octocat", "one").await;
        Self { gateway, client, tokens, _server: server }
    }

    /// `keys …` as an operator types it beside the first replica: what it printed.
    async fn keys(&self, arguments: &[&str]) -> String {
        let mut command = self.gateway.auth[0].command(&[&["keys"], arguments].concat());
        // Elsewhere, so that requests go on meanwhile.
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Refreshes at `replica`, and returns the new access token.
    async fn refresh(&mut self, replica: usize) -> String {
        let client = Client { issuer: self.gateway.auth[replica].url(), ..self.client.clone() };
        let token = self.tokens.refresh_token.clone().expect("offline_access was granted");
        self.tokens = Client::tokens(client.refresh(&token).await).await;
        self.tokens.access_token.clone()
    }

    /// Asks a replica as Traefik does.
    async fn verify(&self, replica: usize, token: &str) -> StatusCode {
        let host = self.gateway.mcp("one").replace("https://", "").replace("/mcp", "");
        let request = self.client.browser.http.get(format!("{}/verify", self.gateway.auth[replica].url()));
        let request = request.header("X-Forwarded-Method", "POST").header("X-Forwarded-Host", host);
        request.header("X-Forwarded-Uri", "/mcp").bearer_auth(token).send().await.unwrap().status()
    }

    async fn published(&self, replica: usize) -> Vec<String> {
        let url = format!("{}/jwks", self.gateway.auth[replica].url());
        let set: Value = self.client.browser.http.get(url).send().await.unwrap().json().await.unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends SIGHUP to both, and waits until both have said how it went.
    async fn hang_up(&self, said: &str) {
        for auth in &self.gateway.auth {
            let before = times(auth, said);
            auth.process.signal(Signal::SIGHUP);
            eventually(SOON, said, async || (times(auth, said) > before).then_some(())).await;
        }
    }
}

fn times(auth: &AuthServer, said: &str) -> usize {
    auth.process.log().matches(said).count()
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rotation_under_load_loses_no_request_and_logs_nobody_out() {
    let mut replicas = Replicas::start().await;
    let old = replicas.tokens.access_token.clone();
    let work = Work::default();
    let load = futures_util::future::join_all((0..4).map(|_| load(&replicas.gateway, &replicas.client, &old, &work)));
    let rotated = async {
        let listed: Value = serde_json::from_str(&replicas.keys(&["list", "--json"]).await).unwrap();
        assert_eq!(listed["keys"][0]["kid"], kid(&old).as_str());
        for alg in ["ES256", "EdDSA", "RS256"] {
            work.another(5).await;
            replicas.keys(&["rotate", "--alg", alg]).await;
            // No replica has been told, yet neither signs with the old key nor refuses what the other signed.
            let new = replicas.refresh(0).await;
            assert_eq!(header(&new)["alg"], alg);
            assert_eq!(replicas.verify(1, &new).await, StatusCode::OK);
            assert_eq!(kid(&replicas.refresh(1).await), kid(&new));
            work.another(5).await;
            replicas.hang_up("keys read").await;
            assert_eq!(replicas.verify(1, &old).await, StatusCode::OK);
            for replica in [0, 1] {
                let published = replicas.published(replica).await;
                assert!(published[0] == kid(&new) && published.contains(&kid(&old)), "{published:?}");
            }
        }
        work.another(5).await;
        work.end();
    };
    let (ended, ()) = tokio::join!(load, rotated);
    let ended = ended.concat();
    assert!(ended.len() > 50 && ended.iter().all(|status| *status == StatusCode::OK), "{ended:?}");
}

#[tokio::test]
async fn a_broken_new_key_is_an_error_in_the_log_and_changes_nothing() {
    let mut replicas = Replicas::start().await;
    let old = replicas.tokens.access_token.clone();
    let key = replicas.gateway.auth[0].folder().join("private_key.pem");
    std::fs::write(&key, "half a ke").unwrap();
    replicas.hang_up("keys could not be read; those in use stay").await;
    assert_eq!(replicas.verify(1, &old).await, StatusCode::OK);
    assert_eq!(kid(&replicas.refresh(0).await), kid(&old));
    let mut rotate = replicas.gateway.auth[0].command(&["keys", "rotate"]);
    let refused = rotate.output().unwrap();
    assert!(!refused.status.success(), "who knows what the broken key was for");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("private_key.pem"));
}

#[tokio::test]
async fn tokens_of_a_compromised_key_are_refused_and_a_refresh_gives_a_good_one() {
    let mut replicas = Replicas::start().await;
    let stolen = replicas.tokens.access_token.clone();
    for replica in [0, 1] {
        assert_eq!(replicas.verify(replica, &stolen).await, StatusCode::OK);
    }
    replicas.keys(&["rotate", "--compromised"]).await;
    replicas.hang_up("keys read").await;
    for replica in [0, 1] {
        assert_eq!(replicas.verify(replica, &stolen).await, StatusCode::UNAUTHORIZED);
    }
    let new = replicas.refresh(0).await;
    assert_eq!(replicas.verify(1, &new).await, StatusCode::OK);
    assert_eq!(replicas.published(1).await, [kid(&new)]);
}
