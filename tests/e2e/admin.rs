//! The operator's commands while the gateway runs.

use std::os::unix::fs::PermissionsExt;

use gateway_tests::{
    client::{Client, Tokens},
    harness::{AuthServer, Gateway, Headers, Setup, StoreKind},
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{claims, log_in, soon};

struct Place {
    gateway: Gateway,
    client: Client,
    tokens: Tokens,
    _server: Headers,
}

impl Place {
    async fn with(store: StoreKind) -> Self {
        let server = Headers::start();
        let gateway = Setup::new(store).upstream("one", server.url()).start();
        let (client, tokens) = log_in(&gateway, "octocat", "one").await;
        let place = Self { gateway, client, tokens, _server: server };
        assert_eq!(place.status().await, StatusCode::OK);
        place
    }

    /// What the access token is worth through Traefik right now.
    async fn status(&self) -> StatusCode {
        let request = self.client.browser.http.get(self.gateway.mcp("one")).bearer_auth(&self.tokens.access_token);
        request.send().await.unwrap().status()
    }

    /// After a command: at once where it has asked the server itself.
    async fn is_refused(&self) {
        match self.gateway.redis {
            Some(_) => soon(StatusCode::UNAUTHORIZED, async || self.status().await).await,
            None => assert_eq!(self.status().await, StatusCode::UNAUTHORIZED),
        }
    }

    async fn refresh(&self) -> StatusCode {
        self.client.refresh(self.tokens.refresh_token.as_deref().unwrap()).await.status()
    }

    /// Goes on with what the refresh token gives.
    async fn refreshed(&mut self) {
        let answer = self.client.refresh(self.tokens.refresh_token.as_deref().unwrap()).await;
        self.tokens = Client::tokens(answer).await;
        assert_eq!(self.status().await, StatusCode::OK);
    }

    fn auth(&mut self) -> &mut AuthServer {
        &mut self.gateway.auth[0]
    }

    fn says(&self, arguments: &[&str]) -> String {
        let output = self.gateway.auth[0].command(arguments).output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        out
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[arguments, &["--json"]].concat())).unwrap()
    }
}

#[tokio::test]
async fn a_token_revoked_by_a_command_is_refused_by_the_next_request_of_a_running_embedded_gateway() {
    let place = Place::with(StoreKind::Embedded).await;
    let listed = place.json(&["tokens", "list"]);
    let jti = claims(&place.tokens.access_token)["jti"].as_str().unwrap().to_owned();
    assert_eq!(listed[0]["jti"], jti);
    place.says(&["tokens", "revoke", &jti]);
    assert_eq!(place.status().await, StatusCode::UNAUTHORIZED);
    assert_eq!(place.refresh().await, StatusCode::OK, "only the access token was revoked");
}

#[tokio::test]
async fn a_person_logged_out_by_a_command_is_out_on_either_store() {
    for store in [StoreKind::Embedded, StoreKind::Redis] {
        let place = Place::with(store).await;
        assert_eq!(place.json(&["users", "list"])[0]["connections"][0]["client_name"], "A plain client");
        place.says(&["users", "logout", "octocat"]);
        assert_eq!(place.refresh().await, StatusCode::BAD_REQUEST);
        place.is_refused().await;
    }
}

#[tokio::test]
async fn every_command_works_beside_a_running_embedded_gateway() {
    let place = Place::with(StoreKind::Embedded).await;
    let stats = place.json(&["stats"]);
    assert_eq!((&stats["clients"], &stats["users"]), (&1.into(), &1.into()), "{stats}");
    assert!(place.says(&["clients", "show", &place.client.id]).contains("octocat"));
    place.says(&["purge"]);
    assert_eq!(place.status().await, StatusCode::OK);
    let uri = "https://app.example/cb";
    let made = place.json(&["clients", "create", "--name", "Made", "--redirect-uri", uri]);
    place.says(&["clients", "delete", made["client_id"].as_str().unwrap()]);
    place.says(&["clients", "delete", &place.client.id]);
    assert_eq!(place.status().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_admin_socket_is_private_goes_with_its_server_and_is_no_obstacle_when_left_behind() {
    let mut place = Place::with(StoreKind::Embedded).await;
    let socket = place.gateway.auth[0].folder().join("admin.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    place.auth().process.signal(Signal::SIGKILL);
    place.auth().process.ended();
    assert!(socket.exists(), "nobody was left to remove it");
    assert_eq!(place.json(&["stats"])["clients"], 1, "the file itself is opened");
    place.auth().resume();
    assert_eq!(place.json(&["stats"])["clients"], 1);
    assert_eq!(place.status().await, StatusCode::OK);

    place.auth().process.terminate();
    assert!(!socket.exists());
    assert_eq!(place.json(&["stats"])["clients"], 1);
}

/// From Redis to the embedded store and back.
#[tokio::test]
async fn a_client_stays_logged_in_when_a_backup_moves_it_to_the_other_store() {
    let mut place = Place::with(StoreKind::Redis).await;
    let redis = place.gateway.redis.as_ref().unwrap().url();
    let file = place.gateway.auth[0].folder().join("moved.backup").to_string_lossy().into_owned();

    place.says(&["backup", &file]);
    let backup = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for secret in [&place.tokens.access_token, place.tokens.refresh_token.as_ref().unwrap()] {
        assert!(!backup.contains(secret.as_str()));
    }
    place.auth().process.terminate();
    place.auth().set("REDIS_URL", None);
    place.says(&["restore", &file]);
    place.auth().resume();
    assert_eq!(place.status().await, StatusCode::OK, "same key, same record");
    place.refreshed().await;

    // Now the server runs, and is asked through its socket.
    place.says(&["backup", &file]);
    place.auth().process.terminate();
    place.gateway.redis.as_ref().unwrap().cli(&["FLUSHALL"]);
    place.auth().set("REDIS_URL", Some(&redis));
    place.auth().resume();
    assert_eq!(place.status().await, StatusCode::UNAUTHORIZED);
    place.says(&["restore", &file]);
    assert_eq!(place.status().await, StatusCode::OK);
    place.refreshed().await;
    let left: i64 = place
        .gateway
        .redis
        .as_ref()
        .unwrap()
        .cli(&["TTL", &format!("oauth:client:{}", place.client.id)])
        .parse()
        .unwrap();
    assert!(left > 0 && left <= 7_776_000, "{left}");
    assert!(place.client.delete().await.status().is_success(), "RFC 7592");
    assert_eq!(place.status().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nonsense_on_the_admin_socket_harms_nobody() {
    use std::io::{Read, Write};
    let place = Place::with(StoreKind::Embedded).await;
    let socket = place.gateway.auth[0].folder().join("admin.sock");
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], b"\0\0\0\x05nulls", b"\0\0\0\x09"] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _reset_is_fine_too = stream.read_to_end(&mut answer);
        assert!(answer.is_empty());
    }
    assert_eq!(place.json(&["stats"])["clients"], 1);
    assert_eq!(place.status().await, StatusCode::OK);
}
