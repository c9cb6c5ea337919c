//! A server may begin to answer while its request is still on the way. Over HTTP/1.1 Traefik cuts such an answer, if it
//! has not taken in the request first: middleware `whole-request`.

use std::{convert::Infallible, time::Duration};

use futures_util::{StreamExt, stream};
use gateway_tests::{
    client::http_client,
    harness::{Setup, StoreKind},
};
use reqwest::{Body, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::support::log_in;

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
const EVENTS: [&str; 4] = ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n", "data: 4\n\n"];
const PIECES: [&[u8]; 4] = [b"{\"json", b"rpc\":", b"\"2.0\"", b"}"];
const PAUSE: Duration = Duration::from_millis(50);

/// Answers each request as soon as its head is here.
async fn serve(listener: TcpListener) -> Infallible {
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        read_head(&mut client).await;
        // Traefik may close the connection meanwhile: the client sees what comes of it.
        let _cut = answer(&mut client).await;
    }
}

async fn read_head(client: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        assert_ne!(client.read_buf(&mut head).await.unwrap(), 0, "Traefik sends whole heads");
    }
}

async fn answer(client: &mut TcpStream) -> std::io::Result<()> {
    client.write_all(HEAD).await?;
    for event in EVENTS {
        client.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await?;
        sleep(2 * PAUSE).await;
    }
    client.write_all(b"0\r\n\r\n").await?;
    // Until Traefik closes: what is unread at a close takes away what was written.
    tokio::io::copy(client, &mut tokio::io::sink()).await.map(drop)
}

#[tokio::test]
async fn an_answer_that_begins_before_its_request_has_ended_comes_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Setup::new(StoreKind::Embedded).upstream("one", url).start();
    let (_, tokens) = log_in(&gateway, "octocat", "one").await;
    let http = http_client(&gateway.certificate.authority()).build().unwrap();
    let length: usize = PIECES.iter().map(|piece| piece.len()).sum();
    let asked = async {
        for _ in 0..3 {
            let pieces = stream::iter(PIECES).then(async |piece| {
                sleep(PAUSE).await;
                Ok::<_, Infallible>(piece)
            });
            let request = http.post(gateway.mcp("one")).bearer_auth(&tokens.access_token);
            let request = request.header(header::CONTENT_LENGTH, length).body(Body::wrap_stream(pieces));
            assert_eq!(request.send().await.unwrap().text().await.unwrap(), EVENTS.concat());
        }
    };
    tokio::select! {
        never = serve(listener) => match never {},
        () = asked => {}
    }
}
