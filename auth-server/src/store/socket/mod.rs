//! The embedded store has one owner, the running server. Through `admin.sock` beside its file, mode 0600, the operator's
//! commands ask that server for the same few primitives: what they change is seen by the next request.
//!
//! A frame is its length (32 bits, big endian) and JSON of at most [`MOST_BYTES`]. One question, one answer, in order.

mod client;
mod server;

use std::{io, path::Path, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

pub(crate) use self::client::RemoteKv;
pub use self::server::AdminSocket;
use super::{
    kv::Batch,
    scan::{Listing, Page, Record},
};

/// A page of records, each as large as a registration may be, fits.
const MOST_BYTES: usize = 64 << 20;

#[derive(Debug, Serialize, Deserialize)]
enum Question {
    Get(String),
    TimeLeft(String),
    Members(String),
    Take(String),
    Commit(Batch),
    Scan { prefix: String, from: String },
    List { listing: Listing, from: String },
    Ping,
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Value(#[serde(with = "super::base64::optional")] Option<Vec<u8>>),
    TimeLeft(Option<Duration>),
    Names(Vec<String>),
    Committed(bool),
    Records(Page<Record>),
    Listed(Page<String>),
    Pong,
    /// The server's store could not.
    Unavailable(String),
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

async fn send(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MOST_BYTES).ok_or_else(too_long)?;
    stream.write_u32(length).await?;
    stream.write_all(&body).await
}

/// `None`: the other side has hung up.
async fn receive<T: DeserializeOwned>(stream: &mut UnixStream) -> io::Result<Option<T>> {
    let length = match stream.read_u32().await {
        Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
        Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(fault) => return Err(fault),
    };
    if length > MOST_BYTES {
        return Err(too_long());
    }
    // Grows with what arrives: a length alone reserves nothing.
    let mut body = Vec::new();
    let read = stream.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut body).await?;
    if read < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&body)?))
}

fn too_long() -> io::Error {
    io::Error::other(format!("a message on the admin socket has more than {MOST_BYTES} bytes"))
}
