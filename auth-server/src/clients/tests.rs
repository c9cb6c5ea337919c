//! Documents over real TLS: found once, kept, and old ones served while their host is in trouble.

use std::{
    net::{IpAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use openssl::ssl::SslStream;
use serde_json::json;

use super::*;
use crate::{
    fetch::tests::{
        scripted,
        server::{HttpsServer, respond},
    },
    oauth::fixtures::{NOW, gateway},
};

const NAME: &str = "client.example";
const MONTH: u64 = 31 * 24 * 3600;

/// A client's host, which answers with its document or with another status.
struct Host {
    server: Arc<HttpsServer>,
    status: Arc<AtomicU16>,
    clients: Clients,
}

fn loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

fn document(id: &str) -> String {
    json!({"client_id": id, "client_name": "App", "redirect_uris": ["https://client.example/cb"]}).to_string()
}

fn host(sources: ClientDocuments) -> Host {
    let status = Arc::new(AtomicU16::new(200));
    let (now, port) = (Arc::clone(&status), Arc::new(AtomicU16::new(0)));
    let own_port = Arc::clone(&port);
    let answer = move |stream: &mut SslStream<TcpStream>| {
        let id = format!("https://{NAME}:{}/client.json", own_port.load(Ordering::SeqCst));
        let status = format!("{} Status", now.load(Ordering::SeqCst));
        respond(stream, &status, "Content-Type: application/json\r\nCache-Control: max-age=600\r\n", &document(&id));
    };
    let server = Arc::new(HttpsServer::start(NAME, answer));
    port.store(server.addr().port(), Ordering::SeqCst);
    let fetcher = Fetcher::new(loopback, scripted(&[&[server.ip()]]), vec![server.root.clone()]).unwrap();
    Host { server, status, clients: Clients::new(gateway(), sources, fetcher).unwrap() }
}

impl Host {
    fn id(&self, path: &str) -> ClientId {
        ClientId::parse(self.server.url(NAME, path).as_str()).unwrap()
    }

    async fn ask(&self, after: u64) -> Result<Client, DocumentFault> {
        self.clients.described(&self.id("/client.json"), NOW + after).await
    }
}

fn status(code: u16) -> Result<Client, DocumentFault> {
    Err(DocumentFault::Unreachable(FetchError::Status(code)))
}

#[tokio::test]
async fn a_document_is_fetched_once_and_again_when_its_time_is_over() {
    let host = host(ClientDocuments::default());
    for after in [0, 0, 599] {
        assert_eq!(host.ask(after).await.unwrap().name.as_deref(), Some("App"));
    }
    assert_eq!(host.server.met(), 1);
    host.ask(600).await.unwrap();
    assert_eq!(host.server.met(), 2);
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_fetches() {
    let host = host(ClientDocuments::default());
    let all = futures_util::future::join_all((0..50).map(|_| host.ask(0))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(host.server.met(), 1);
}

#[tokio::test]
async fn a_403_of_the_clients_cdn_leaves_the_old_copy_in_use_and_is_not_asked_for_at_every_login() {
    let host = host(ClientDocuments::default());
    host.ask(0).await.unwrap();
    host.status.store(403, Ordering::SeqCst);
    for after in [700, 701, 759] {
        assert!(host.ask(after).await.is_ok());
    }
    assert_eq!(host.server.met(), 2);
    host.status.store(200, Ordering::SeqCst);
    host.ask(761).await.unwrap();
    assert_eq!(host.server.met(), 3);
    host.status.store(503, Ordering::SeqCst);
    assert_eq!(host.ask(MONTH).await, status(503), "no copy is served for ever");
}

#[tokio::test]
async fn a_403_without_an_old_copy_is_trouble_and_not_an_unknown_client() {
    let host = host(ClientDocuments::default());
    host.status.store(403, Ordering::SeqCst);
    for after in [0, 59] {
        assert_eq!(host.ask(after).await, status(403));
    }
    assert_eq!(host.server.met(), 1);
    host.status.store(200, Ordering::SeqCst);
    assert!(host.ask(60).await.is_ok());
}

#[tokio::test]
async fn a_document_that_was_withdrawn_is_forgotten() {
    let host = host(ClientDocuments::default());
    host.ask(0).await.unwrap();
    host.status.store(404, Ordering::SeqCst);
    assert_eq!(host.ask(700).await, Err(DocumentFault::Invalid(DocumentError::Absent)));
}

#[tokio::test]
async fn a_document_that_speaks_for_another_url_is_refused() {
    let host = host(ClientDocuments::default());
    let other = host.clients.described(&host.id("/other.json"), NOW).await;
    assert_eq!(other, Err(DocumentFault::Invalid(DocumentError::ClientIdDiffers)));
}

#[tokio::test]
async fn a_domain_that_is_not_on_the_list_is_not_asked() {
    let host = host(ClientDocuments { domains: vec!["claude.ai".to_owned()], dir: None });
    assert_eq!(host.ask(0).await, Err(DocumentFault::Invalid(DocumentError::Domain)));
    assert_eq!(host.server.met(), 0);
}

#[tokio::test]
async fn a_pinned_copy_needs_no_host_and_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let id = ClientId::parse("https://pinned.example/client.json").unwrap();
    std::fs::write(folder.path().join("a.json"), document(id.as_str())).unwrap();
    std::fs::write(folder.path().join("README"), "not a document").unwrap();
    let sources = ClientDocuments { domains: vec!["claude.ai".to_owned()], dir: Some(folder.path().to_owned()) };
    let host = host(sources.clone());
    assert_eq!(host.clients.described(&id, NOW).await.unwrap().id, id);
    assert_eq!(host.server.met(), 0);

    for (file, text) in [("b.json", document("client_1")), ("b.json", "{}".to_owned()), ("b.json", "[".to_owned())] {
        std::fs::write(folder.path().join(file), text).unwrap();
        let fetcher = Fetcher::new(loopback, scripted(&[&[]]), Vec::new()).unwrap();
        let fault = Clients::new(gateway(), sources.clone(), fetcher).unwrap_err().to_string();
        assert!(fault.contains("CLIENT_METADATA_DIR") && fault.contains(file), "{fault}");
    }
}

#[tokio::test]
async fn memory_is_bounded_and_what_never_was_a_client_makes_room_first() {
    let cache = Cache::new(2);
    let client = async || Ok(("kept", std::time::Duration::from_secs(600)));
    let nothing = async || Err(DocumentFault::Invalid(DocumentError::Absent));
    cache.get("https://a.example/1", NOW, |_| true, client).await.unwrap();
    for flood in 0..100 {
        cache.get(&format!("https://b.example/{flood}"), NOW + 1, |_| true, nothing).await.unwrap_err();
    }
    assert_eq!(
        cache.get("https://a.example/1", NOW + 2, |_| true, async || unreachable!("it was kept")).await,
        Ok("kept")
    );
    assert!(cache.len() <= 2);
}
