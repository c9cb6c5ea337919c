//! The operator's side of the socket.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{net::UnixStream, sync::Mutex};

use super::{
    super::{
        StoreUnavailable,
        kv::Batch,
        scan::{Listing, Page, Record},
    },
    Answer, Question, receive, send,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// The store of a server that runs on this machine.
#[derive(Debug)]
pub(crate) struct RemoteKv {
    stream: Mutex<UnixStream>,
    path: PathBuf,
}

impl RemoteKv {
    /// `None`: no server listens; a socket that one left behind does not answer either.
    pub(crate) fn connect(data_dir: &Path) -> Result<Option<Self>, StoreUnavailable> {
        let path = super::path(data_dir);
        let stream = match std::os::unix::net::UnixStream::connect(&path) {
            Ok(stream) => stream,
            Err(fault) if matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(fault) => return Err(unusable(&path, &fault)),
        };
        let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
        let stream = Mutex::new(stream.map_err(|fault| unusable(&path, &fault))?);
        Ok(Some(Self { stream, path }))
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        match self.ask(Question::Get(key.to_owned())).await? {
            Answer::Value(value) => Ok(value),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn time_left(&self, key: &str) -> Result<Option<Duration>, StoreUnavailable> {
        match self.ask(Question::TimeLeft(key.to_owned())).await? {
            Answer::TimeLeft(left) => Ok(left),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn members(&self, set: &str) -> Result<Vec<String>, StoreUnavailable> {
        match self.ask(Question::Members(set.to_owned())).await? {
            Answer::Names(names) => Ok(names),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        match self.ask(Question::Take(key.to_owned())).await? {
            Answer::Value(value) => Ok(value),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<bool, StoreUnavailable> {
        match self.ask(Question::Commit(batch)).await? {
            Answer::Committed(done) => Ok(done),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn scan(&self, prefix: &str, from: &str) -> Result<Page<Record>, StoreUnavailable> {
        match self.ask(Question::Scan { prefix: prefix.to_owned(), from: from.to_owned() }).await? {
            Answer::Records(page) => Ok(page),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn list(&self, listing: &Listing, from: &str) -> Result<Page<String>, StoreUnavailable> {
        match self.ask(Question::List { listing: listing.clone(), from: from.to_owned() }).await? {
            Answer::Listed(page) => Ok(page),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreUnavailable> {
        match self.ask(Question::Ping).await? {
            Answer::Pong => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    async fn ask(&self, question: Question) -> Result<Answer, StoreUnavailable> {
        let mut stream = self.stream.lock().await;
        let asked = async {
            send(&mut stream, &question).await?;
            receive(&mut stream).await?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await.map_err(StoreUnavailable::because)?;
        answer.map_err(|fault| unusable(&self.path, &fault))
    }
}

fn unusable(path: &Path, fault: &io::Error) -> StoreUnavailable {
    StoreUnavailable::because(format!("the server does not answer on {}: {fault}", path.display()))
}

/// The server says so, or it is of another version.
fn unexpected(answer: Answer) -> StoreUnavailable {
    match answer {
        Answer::Unavailable(cause) => StoreUnavailable::because(cause),
        _ => StoreUnavailable::because("the server answers something else on its admin socket: is it another version?"),
    }
}
