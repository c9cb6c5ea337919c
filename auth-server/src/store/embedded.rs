//! The embedded store: one redb file, for one process, without any server.
//!
//! Reads happen in place and take microseconds. Writes go through one thread (`writer`), which puts all that wait into
//! one durable transaction. Expired entries are invisible at once, and the writer sweeps them.

mod scan;
mod tables;
mod writer;

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use redb::{Database, DatabaseError, ReadableDatabase};
use tokio_util::sync::CancellationToken;

use self::writer::Writer;
use super::{
    StoreUnavailable,
    kv::Batch,
    watch::{Feed, Watch},
};

const FILE: &str = "auth.redb";
/// redb's own default is 1 GiB.
const CACHE_BYTES: usize = 4 << 20;

#[derive(Debug)]
pub(crate) struct EmbeddedKv {
    database: Arc<Database>,
    writer: Writer,
    /// Fed by the writer.
    feed: Arc<Feed>,
    clock: fn() -> SystemTime,
}

/// Why the file cannot be used; shown at start.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{0} is in use by another process: with several replicas set REDIS_URL, else stop the other one")]
    InUse(String),
    #[error("cannot use {0}: {1}")]
    Io(String, io::Error),
    #[error("cannot open {0}: {1}")]
    Database(String, DatabaseError),
}

impl EmbeddedKv {
    pub(crate) fn open(data_dir: &Path, clock: fn() -> SystemTime) -> Result<Self, StoreUnavailable> {
        let database = Arc::new(open(data_dir).map_err(StoreUnavailable::because)?);
        let feed = Feed::in_process();
        let writer = Writer::start(database.clone(), feed.clone(), clock)?;
        Ok(Self { database, writer, feed, clock })
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        let entries = self.database.begin_read()?.open_table(tables::ENTRIES)?;
        Ok(tables::live(&entries, key, self.now())?.map(|entry| entry.value))
    }

    pub(crate) fn get_watched(&self, key: &str) -> Result<(Option<Vec<u8>>, Arc<Watch>), StoreUnavailable> {
        let watch = self.feed.watch(key);
        Ok((self.get(key)?, watch))
    }

    pub(crate) fn time_left(&self, key: &str) -> Result<Option<Duration>, StoreUnavailable> {
        let entries = self.database.begin_read()?.open_table(tables::ENTRIES)?;
        let entry = tables::live(&entries, key, self.now())?;
        Ok(entry.and_then(|entry| tables::left(entry.expires, self.now())))
    }

    pub(crate) fn members(&self, set: &str) -> Result<Vec<String>, StoreUnavailable> {
        let members = self.database.begin_read()?.open_table(tables::MEMBERS)?;
        Ok(tables::members_from(&members, set, "", usize::MAX)?)
    }

    pub(crate) fn lost(&self) -> CancellationToken {
        self.writer.lost().clone()
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<bool, StoreUnavailable> {
        self.writer.commit(batch).await
    }

    pub(crate) async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        self.writer.take(key.to_owned()).await
    }

    fn now(&self) -> u64 {
        tables::millis((self.clock)())
    }
}

fn open(data_dir: &Path) -> Result<Database, Unusable> {
    let path = data_dir.join(FILE);
    let name = || path.display().to_string();
    make_private(data_dir, &path).map_err(|cause| Unusable::Io(name(), cause))?;
    match Database::builder().set_cache_size(CACHE_BYTES).create(&path) {
        Ok(database) => Ok(database),
        Err(DatabaseError::DatabaseAlreadyOpen) => Err(Unusable::InUse(name())),
        Err(cause) => Err(Unusable::Database(name(), cause)),
    }
}

/// Records are hashed, yet names and e-mail addresses are nobody else's business. A directory that is there already
/// keeps its mode: it may be shared on purpose.
fn make_private(data_dir: &Path, file: &Path) -> io::Result<()> {
    if !data_dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    fs::set_permissions(file, Permissions::from_mode(0o600))
}

impl From<redb::TransactionError> for StoreUnavailable {
    fn from(fault: redb::TransactionError) -> Self {
        Self::because(redb::Error::from(fault))
    }
}

impl From<redb::TableError> for StoreUnavailable {
    fn from(fault: redb::TableError) -> Self {
        Self::because(redb::Error::from(fault))
    }
}

impl From<redb::StorageError> for StoreUnavailable {
    fn from(fault: redb::StorageError) -> Self {
        Self::because(redb::Error::from(fault))
    }
}

impl From<redb::CommitError> for StoreUnavailable {
    fn from(fault: redb::CommitError) -> Self {
        Self::because(redb::Error::from(fault))
    }
}
