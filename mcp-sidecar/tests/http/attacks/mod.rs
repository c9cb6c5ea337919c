//! Attacks on the sidecar, each a test with its name; docs/security.md says what stops them. Those that other folders
//! already show are not repeated here.

mod bodies;
mod doors;
mod floods;
mod lines;
mod sessions;
mod slowness;
mod standing_alone;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Sidecar;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// A connection of its own, on which anything may be written.
struct Wire(TcpStream);

impl Wire {
    async fn open(sidecar: &Sidecar) -> Self {
        let address = sidecar.url.trim_start_matches("http://").trim_end_matches("/mcp");
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// A server that has already refused may have closed.
    async fn write(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// Everything up to the first line's end; empty when the connection was closed without an answer.
    async fn first_line(&mut self) -> String {
        let mut answer = Vec::new();
        let reading =
            async { while !answer.contains(&b'\n') && self.0.read_buf(&mut answer).await.is_ok_and(|n| n > 0) {} };
        tokio::time::timeout(Duration::from_secs(60), reading).await.expect("an answer or an end");
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    }

    /// Everything up to the end of the connection.
    async fn rest(&mut self) -> String {
        let mut answer = Vec::new();
        let reading = self.0.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(60), reading).await.expect("an end").unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// The answer's status; 0: closed without one.
    async fn status(&mut self) -> u16 {
        self.first_line().await.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }
}

/// What a request, written byte for byte, is answered.
async fn asked(sidecar: &Sidecar, request: &[u8]) -> u16 {
    let mut wire = Wire::open(sidecar).await;
    wire.write(request).await;
    wire.status().await
}

/// `initialize` with these header lines and no others but those of its body: 200 if it is let in.
fn initialize_with(headers: &str) -> Vec<u8> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    let length = body.len();
    format!("POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}
