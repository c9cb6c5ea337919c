//! As little of an HTTP/1.1 client as a load needs: kept-alive connections and request bytes that are built once.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    patience: Duration,
}

pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    head: &'a str,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 14), patience: PATIENCE })
    }

    pub(crate) fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends the request as it is and reads exactly its response.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Response<'_>> {
        let head = timeout(self.patience, self.converse(request)).await??;
        let (head, body) = self.buffer.split_at(head);
        let head = text(head)?;
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(|| malformed("status line"))?;
        Ok(Response { status, head, body })
    }

    /// Fills the buffer with one response; returns the length of its head.
    async fn converse(&mut self, request: &[u8]) -> io::Result<usize> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more().await?;
        };
        let framing = Framing::of(text(&self.buffer[..head])?)?;
        while !framing.is_complete(&self.buffer[head..]) {
            self.read_more().await?;
        }
        Ok(head)
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed in the middle of a response")),
            _ => Ok(()),
        }
    }
}

impl Response<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

/// RFC 9112 §6.3, as far as servers under test go.
enum Framing {
    Length(usize),
    Chunked,
}

impl Framing {
    fn of(head: &str) -> io::Result<Self> {
        if header(head, "transfer-encoding").is_some() {
            return Ok(Self::Chunked);
        }
        let length = header(head, "content-length").map_or(Ok(0), str::parse);
        length.map(Self::Length).map_err(|_| malformed("content-length"))
    }

    fn is_complete(&self, body: &[u8]) -> bool {
        match self {
            Self::Length(length) => body.len() >= *length,
            Self::Chunked => body.ends_with(b"0\r\n\r\n"),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n").skip(1);
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The bytes of one request.
pub(crate) fn request(target: &str, host: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut bytes = format!("{target} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        bytes += &format!("Content-Length: {}\r\n", body.len());
    }
    (bytes + "\r\n" + body).into_bytes()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn text(bytes: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| malformed("head"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}
