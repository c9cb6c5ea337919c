//! The server's side of the socket.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use log::warn;
use tokio::{
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::{
    super::{Store, StoreUnavailable, kv::Kv},
    Answer, Question, receive, send,
};

/// Commands that are served at a time; others wait.
const AT_ONCE: usize = 8;
/// A command that asks nothing for so long has been forgotten on some terminal.
const IDLE: Duration = Duration::from_secs(600);

/// Listens; removed when dropped.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// For the owner of the embedded store in `data_dir`, and for nobody else: whatever is there was left behind.
    pub fn listen(data_dir: &Path) -> io::Result<Self> {
        let (path, new) = (super::path(data_dir), data_dir.join("admin.sock.new"));
        remove(&new)?;
        let listener = UnixListener::bind(&new)?;
        // Only then under its name: nobody connects before the mode is set.
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        fs::rename(&new, &path)?;
        Ok(Self { listener, path })
    }

    /// Answers for as long as it is polled.
    pub async fn serve(self, store: &Store) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < AT_ONCE => match accepted {
                    Ok((stream, _)) => connections.push(converse(stream, &store.kv)),
                    Err(cause) => {
                        warn!(cause:%; "admin command not accepted");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
                Some(ended) = connections.next() => if let Err(cause) = ended {
                    warn!(cause:%; "admin command ended");
                },
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        if let Err(cause) = remove(&self.path) {
            warn!(cause:%; "the admin socket stays behind");
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

async fn converse(mut stream: UnixStream, kv: &Kv) -> io::Result<()> {
    while let Some(question) = timeout(IDLE, receive(&mut stream)).await?? {
        let answer = answer(question, kv).await.unwrap_or_else(|fault| Answer::Unavailable(fault.to_string()));
        timeout(IDLE, send(&mut stream, &answer)).await??;
    }
    Ok(())
}

async fn answer(question: Question, kv: &Kv) -> Result<Answer, StoreUnavailable> {
    Ok(match question {
        Question::Get(key) => Answer::Value(kv.get(&key).await?),
        Question::TimeLeft(key) => Answer::TimeLeft(kv.time_left(&key).await?),
        Question::Members(set) => Answer::Names(kv.members(&set).await?),
        Question::Take(key) => Answer::Value(kv.take(&key).await?),
        Question::Commit(batch) => Answer::Committed(kv.commit(batch).await?),
        Question::Scan { prefix, from } => Answer::Records(kv.scan(&prefix, &from).await?),
        Question::List { listing, from } => Answer::Listed(kv.list(&listing, &from).await?),
        Question::Ping => {
            kv.ping().await?;
            Answer::Pong
        }
    })
}
