//! `jwks_uri` over real TLS.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use serde_json::json;

use super::*;
use crate::{
    config::ClientDocuments,
    fetch::{
        FetchError, Fetcher,
        tests::{
            scripted,
            server::{HttpsServer, respond_json},
        },
    },
    oauth::{
        client::AuthMethod,
        fixtures::{NOW, client, gateway},
    },
};

const NAME: &str = "client.example";

fn loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

fn clients(server: &HttpsServer) -> Clients {
    let fetcher = Fetcher::new(loopback, scripted(&[&[server.ip()]]), vec![server.root.clone()]).unwrap();
    Clients::new(gateway(), ClientDocuments::default(), fetcher).unwrap()
}

fn signer(name: &str, value: Value) -> Client {
    let mut client = Client { secret: None, auth_method: AuthMethod::PrivateKeyJwt, ..client() };
    client.metadata.insert(name.to_owned(), value);
    client
}

fn set(kid: &str) -> String {
    json!({"keys": [{"kty": "EC", "kid": kid}]}).to_string()
}

#[tokio::test]
async fn a_rotated_key_is_found_within_a_minute_and_an_unknown_one_is_not_asked_for_at_every_request() {
    let published = Arc::new(Mutex::new(set("old")));
    let current = Arc::clone(&published);
    let server = HttpsServer::start(NAME, move |stream| {
        let keys = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        respond_json(stream, &keys);
    });
    let clients = clients(&server);
    let client = signer("jwks_uri", server.url(NAME, "/jwks").as_str().into());
    let has = async |kid: &str, after: u64| clients.keys(&client, Some(kid), NOW + after).await.unwrap().has(Some(kid));
    assert!(has("old", 0).await && has("old", 100).await);
    assert_eq!(server.met(), 1);
    *published.lock().unwrap() = set("new");
    assert!(has("new", 100).await);
    assert_eq!(server.met(), 2);
    assert!(!has("made up", 101).await && !has("made up", 159).await);
    assert_eq!(server.met(), 2);
}

#[tokio::test]
async fn keys_in_the_document_are_not_fetched() {
    let server = HttpsServer::start(NAME, |stream| respond_json(stream, "{}"));
    let mut client = signer("jwks", serde_json::from_str(&set("1")).unwrap());
    client.metadata.insert("jwks_uri".to_owned(), server.url(NAME, "/jwks").as_str().into());
    assert!(clients(&server).keys(&client, None, NOW).await.unwrap().has(Some("1")));
    assert_eq!(server.met(), 0);
}

#[tokio::test]
async fn what_is_no_key_set_is_the_clients_fault() {
    let server = HttpsServer::start(NAME, |stream| respond_json(stream, "[]"));
    let keys = DocumentFault::Invalid(DocumentError::KeySet);
    for (name, value) in [("jwks_uri", server.url(NAME, "/").as_str().into()), ("jwks", json!({"keys": 1}))] {
        assert_eq!(clients(&server).keys(&signer(name, value), None, NOW).await, Err(keys.clone()), "{name}");
    }
    let none = clients(&server).keys(&signer("x", Value::Null), None, NOW).await;
    assert_eq!(none, Err(DocumentFault::Invalid(DocumentError::NoKeys)));
}

#[tokio::test]
async fn ssrf_through_jwks_uri_is_refused() {
    let trap = HttpsServer::start(NAME, |stream| respond_json(stream, &set("1")));
    let fetcher = Fetcher::new(crate::fetch::is_public, scripted(&[&[trap.ip()]]), vec![trap.root.clone()]).unwrap();
    let guarded = Clients::new(gateway(), ClientDocuments::default(), fetcher).unwrap();
    let inner = signer("jwks_uri", trap.url(NAME, "/jwks").as_str().into());
    let refused = guarded.keys(&inner, None, NOW).await;
    assert_eq!(refused, Err(DocumentFault::Unreachable(FetchError::ForbiddenAddress)));
    for uri in ["http://client.example/jwks", "https://127.0.0.1/jwks", "file:///etc/passwd"] {
        let refused = guarded.keys(&signer("jwks_uri", uri.into()), None, NOW).await;
        assert_eq!(refused, Err(DocumentFault::Invalid(DocumentError::KeySet)), "{uri}");
    }
    assert_eq!(trap.met(), 0);
}
