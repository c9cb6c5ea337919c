//! Each attack on the fetcher, over real TLS. What tests change is which addresses count as public, where names are
//! looked up, and how long an answer may take.

pub(crate) mod server;

use std::sync::atomic::{AtomicUsize, Ordering};

use server::{HttpsServer, respond, respond_json};

use super::*;

const NAME: &str = "client.example";
const LIMIT: usize = 5 * 1024;

/// As if these were on the public internet: the servers of these tests.
fn loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

/// What each question for a name's addresses is answered with, in turn; the last answer stays.
pub(crate) fn scripted(answers: &[&[IpAddr]]) -> Names {
    let answers = answers.iter().map(|answer| answer.to_vec()).collect::<Vec<_>>();
    let asked = AtomicUsize::new(0);
    Names::Scripted(Arc::new(move |_| {
        let turn = asked.fetch_add(1, Ordering::SeqCst);
        answers[turn.min(answers.len() - 1)].clone()
    }))
}

fn fetcher(server: &HttpsServer) -> Fetcher {
    let fetcher = Fetcher::new(loopback, scripted(&[&[server.ip()]]), vec![server.root.clone()]).unwrap();
    Fetcher { total_timeout: Duration::from_secs(60), ..fetcher }
}

async fn fetch(server: &HttpsServer) -> Result<Fetched, FetchError> {
    fetcher(server).json(&server.url(NAME, "/client.json"), LIMIT).await
}

/// What the product itself answers for a name that leads to `addresses`; nothing may have been connected to.
async fn fetch_from(addresses: &[&str]) -> FetchError {
    let trap = HttpsServer::start(NAME, |stream| respond_json(stream, "{}"));
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let fetcher = Fetcher::new(is_public, scripted(&[&addresses]), vec![trap.root.clone()]).unwrap();
    let refused = fetcher.json(&trap.url(NAME, "/client.json"), LIMIT).await.unwrap_err();
    assert_eq!(trap.met(), 0, "{addresses:?}");
    refused
}

#[tokio::test]
async fn a_document_is_fetched_with_its_name_and_a_checked_certificate() {
    let server = HttpsServer::start(NAME, |stream| {
        assert_eq!(stream.ssl().servername(openssl::ssl::NameType::HOST_NAME), Some(NAME), "SNI");
        respond(
            stream,
            "200 OK",
            "Content-Type: application/json; charset=utf-8\r\nCache-Control: max-age=7200\r\n",
            "{}",
        );
    });
    let fetched = fetch(&server).await.unwrap();
    assert_eq!((fetched.body.as_slice(), fetched.lifetime.as_secs()), (b"{}".as_slice(), 7200));

    let stranger = Fetcher::new(loopback, scripted(&[&[server.ip()]]), Vec::new()).unwrap();
    let refused = stranger.json(&server.url(NAME, "/client.json"), LIMIT).await.unwrap_err();
    assert_eq!(refused, FetchError::Unreachable, "an unknown root");
    let refused = fetcher(&server).json(&server.url("other.example", "/"), LIMIT).await.unwrap_err();
    assert_eq!(refused, FetchError::Unreachable, "a certificate for another name");
}

#[tokio::test]
async fn ssrf_to_loopback_is_refused() {
    assert_eq!(fetch_from(&["127.0.0.1"]).await, FetchError::ForbiddenAddress);
    assert_eq!(fetch_from(&["::1"]).await, FetchError::ForbiddenAddress);
}

#[tokio::test]
async fn ssrf_to_link_local_is_refused() {
    assert_eq!(fetch_from(&["169.254.7.7"]).await, FetchError::ForbiddenAddress);
    assert_eq!(fetch_from(&["fe80::1"]).await, FetchError::ForbiddenAddress);
}

#[tokio::test]
async fn ssrf_to_the_metadata_address_is_refused() {
    assert_eq!(fetch_from(&["169.254.169.254"]).await, FetchError::ForbiddenAddress);
    assert_eq!(fetch_from(&["64:ff9b::a9fe:a9fe"]).await, FetchError::ForbiddenAddress);
}

#[tokio::test]
async fn ssrf_to_private_addresses_is_refused() {
    for address in ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"] {
        assert_eq!(fetch_from(&[address]).await, FetchError::ForbiddenAddress, "{address}");
    }
}

#[tokio::test]
async fn ssrf_to_v4_mapped_v6_is_refused() {
    assert_eq!(fetch_from(&["::ffff:127.0.0.1"]).await, FetchError::ForbiddenAddress);
    assert_eq!(fetch_from(&["::ffff:169.254.169.254"]).await, FetchError::ForbiddenAddress);
}

#[tokio::test]
async fn ssrf_to_a_name_with_one_inner_address_among_public_ones_is_refused() {
    assert_eq!(fetch_from(&["140.82.121.3", "127.0.0.1"]).await, FetchError::ForbiddenAddress);
    assert_eq!(fetch_from(&["127.0.0.1", "140.82.121.3"]).await, FetchError::ForbiddenAddress);
}

#[tokio::test]
async fn ssrf_to_an_address_written_as_a_number_is_refused() {
    let trap = HttpsServer::start("127.0.0.1", |stream| respond_json(stream, "{}"));
    let port = trap.addr().port();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let url = Url::parse(&format!("https://{host}:{port}/client.json")).unwrap();
        assert_eq!(fetcher(&trap).json(&url, LIMIT).await.unwrap_err(), FetchError::NotHttps, "{host}");
    }
    let plain = Url::parse(&format!("http://{NAME}:{port}/client.json")).unwrap();
    assert_eq!(fetcher(&trap).json(&plain, LIMIT).await.unwrap_err(), FetchError::NotHttps);
    assert_eq!(trap.met(), 0);
}

#[tokio::test]
async fn ssrf_by_dns_that_changes_is_refused() {
    fn only_the_first(address: IpAddr) -> bool {
        address == IpAddr::from([127, 0, 0, 1])
    }
    let honest = HttpsServer::start(NAME, |stream| respond_json(stream, "\"honest\""));
    let inner = SocketAddr::from(([127, 0, 0, 2], honest.addr().port()));
    let inner = HttpsServer::start_at(inner, NAME, |stream| respond_json(stream, "\"inner\""));
    let names = scripted(&[&[honest.ip()], &[inner.ip()]]);
    let roots = vec![honest.root.clone(), inner.root.clone()];
    let fetcher = Fetcher::new(only_the_first, names, roots).unwrap();
    let url = honest.url(NAME, "/client.json");
    // The answer that was checked is the one that is connected to: there is no second question.
    assert_eq!(fetcher.json(&url, LIMIT).await.unwrap().body, b"\"honest\"");
    // The next fetch asks anew, on no old connection, and what it hears now is checked too.
    assert_eq!(fetcher.json(&url, LIMIT).await.unwrap_err(), FetchError::ForbiddenAddress);
    assert_eq!((honest.met(), inner.met()), (1, 0));
}

#[tokio::test]
async fn ssrf_by_redirects_is_refused() {
    let target = HttpsServer::start(NAME, |stream| respond_json(stream, "{}"));
    let location = target.url(NAME, "/secret");
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let headers = format!("Location: {location}\r\nContent-Type: application/json\r\n");
        let server = HttpsServer::start(NAME, move |stream| respond(stream, status, &headers, "{}"));
        let refused = fetch(&server).await.unwrap_err();
        assert_eq!(refused, FetchError::Status(status[..3].parse().unwrap()));
    }
    assert_eq!(target.met(), 0);
}

#[tokio::test]
async fn huge_documents_are_refused() {
    let told = HttpsServer::start(NAME, |stream| respond_json(stream, &" ".repeat(LIMIT + 1)));
    assert_eq!(fetch(&told).await.unwrap_err(), FetchError::TooLarge(LIMIT));
    let endless = HttpsServer::start(NAME, |stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
        let mut sent = std::io::Write::write_all(stream, head);
        while sent.is_ok() {
            sent = std::io::Write::write_all(stream, &[b' '; 4096]);
        }
    });
    assert_eq!(fetch(&endless).await.unwrap_err(), FetchError::TooLarge(LIMIT));
    let largest = HttpsServer::start(NAME, |stream| respond_json(stream, &" ".repeat(LIMIT)));
    assert_eq!(fetch(&largest).await.unwrap().body.len(), LIMIT);
}

#[tokio::test]
async fn slow_documents_are_given_up() {
    let slow = HttpsServer::start(NAME, |stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{";
        std::io::Write::write_all(stream, head).unwrap();
        // Until the other side goes away.
        let _gone = std::io::Read::read(stream, &mut [0]);
    });
    let fetcher = Fetcher { total_timeout: Duration::from_millis(200), ..fetcher(&slow) };
    assert_eq!(fetcher.json(&slow.url(NAME, "/"), LIMIT).await.unwrap_err(), FetchError::TooSlow);
    assert_eq!(fetcher.permits.available_permits(), MOST_AT_ONCE, "it makes room for others");
}

#[tokio::test]
async fn only_json_with_status_200_is_a_document() {
    for (status, headers, refused) in [
        ("200 OK", "Content-Type: text/html\r\n", FetchError::NotJson),
        ("200 OK", "Content-Type: application/jsonx\r\n", FetchError::NotJson),
        ("200 OK", "", FetchError::NotJson),
        ("206 Partial Content", "Content-Type: application/json\r\n", FetchError::Status(206)),
        ("403 Forbidden", "Content-Type: application/json\r\n", FetchError::Status(403)),
        ("500 Oops", "Content-Type: application/json\r\n", FetchError::Status(500)),
    ] {
        let server = HttpsServer::start(NAME, move |stream| respond(stream, status, headers, "{}"));
        assert_eq!(fetch(&server).await.unwrap_err(), refused, "{status} {headers}");
    }
    let own = "Content-Type: application/client-id+json\r\n";
    let server = HttpsServer::start(NAME, move |stream| respond(stream, "200 OK", own, "{}"));
    assert!(fetch(&server).await.is_ok());
}

#[tokio::test]
async fn fetches_at_a_time_are_bounded() {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = HttpsServer::start(NAME, move |stream| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // So that there would be more at a time if there could be.
        std::thread::sleep(Duration::from_millis(5));
        // Before the answer, upon which the next one may come.
        now.fetch_sub(1, Ordering::SeqCst);
        respond_json(stream, "{}");
    });
    let fetcher = Fetcher { permits: Semaphore::new(2), ..fetcher(&server) };
    let url = server.url(NAME, "/");
    let all = futures_util::future::join_all((0..40).map(|_| fetcher.json(&url, LIMIT))).await;
    assert!(all.iter().all(Result::is_ok) && server.met() == 40);
    assert!(most.load(Ordering::SeqCst) <= 2);
}
