//! The one thread that writes. What waits together is made durable together, in one transaction: each batch in it is
//! still all or nothing, since a batch is checked before it is applied.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use log::error;
use redb::Database;
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    super::{StoreUnavailable, kv::Batch, watch::Feed},
    tables::{self, Tables},
};

/// Writes that may wait; beyond that the store is unavailable.
const QUEUE: usize = 1024;
/// Writes that one transaction takes along.
const AT_ONCE: usize = 128;
/// A disk that takes longer is as good as none; the write may yet come through, as one whose answer got lost.
const PATIENCE: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Dropped without an answer when the write failed; the cause is logged here.
type Answer<T> = oneshot::Sender<T>;

enum Write {
    Commit(Batch, Answer<bool>),
    Take(String, Answer<Option<Vec<u8>>>),
}

/// What is answered once the transaction is durable.
enum Outcome {
    Committed(bool, Answer<bool>),
    Taken(Option<Vec<u8>>, Answer<Option<Vec<u8>>>),
}

/// Dropping it waits for the thread: the file is free afterwards.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Write>>,
    lost: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        database: Arc<Database>,
        feed: Arc<Feed>,
        clock: fn() -> SystemTime,
    ) -> Result<Self, StoreUnavailable> {
        // Readers need the tables to be there.
        let lost = CancellationToken::new();
        let file = File { database, feed, clock, lost: lost.clone() };
        file.write_all(Vec::new())?;
        let (queue, writes) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || run(&file, &writes)).map_err(StoreUnavailable::because)?;
        Ok(Self { queue: Some(queue), lost, thread: Some(thread) })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<bool, StoreUnavailable> {
        let (answer, answered) = oneshot::channel();
        self.send(Write::Commit(batch, answer))?;
        outcome(answered).await
    }

    pub(super) async fn take(&self, key: String) -> Result<Option<Vec<u8>>, StoreUnavailable> {
        let (answer, answered) = oneshot::channel();
        self.send(Write::Take(key, answer))?;
        outcome(answered).await
    }

    /// Cancelled when the file cannot be used any more.
    pub(super) fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    fn send(&self, write: Write) -> Result<(), StoreUnavailable> {
        let queue = self.queue.as_ref().ok_or_else(|| StoreUnavailable::because("the store is closed"))?;
        queue.try_send(write).map_err(|refused| StoreUnavailable::because(refused.to_string()))
    }
}

async fn outcome<T>(answered: oneshot::Receiver<T>) -> Result<T, StoreUnavailable> {
    let answer = timeout(PATIENCE, answered).await.map_err(StoreUnavailable::because)?;
    answer.map_err(|_| StoreUnavailable::because("the write failed"))
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            error!("the store's writer panicked");
        }
    }
}

/// What the writer's thread works on.
struct File {
    database: Arc<Database>,
    /// Told of every change.
    feed: Arc<Feed>,
    clock: fn() -> SystemTime,
    lost: CancellationToken,
}

fn run(file: &File, writes: &Receiver<Write>) {
    loop {
        let swept = match writes.recv_timeout(SWEEP_EVERY) {
            Ok(first) => file.write_all(std::iter::once(first).chain(writes.try_iter()).take(AT_ONCE).collect()),
            Err(RecvTimeoutError::Timeout) => file.write_all(Vec::new()),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Err(cause) = swept {
            error!(cause:%; "the embedded store could not write");
            // redb gives a file up after an I/O error, a full disk too: it must be opened anew. So the process ends.
            if cause.is::<redb::Error>(|fault| !matches!(fault, redb::Error::ValueTooLarge(_))) {
                file.lost.cancel();
            }
        }
    }
}

impl File {
    /// Errors leave the file as it was.
    fn write_all(&self, writes: Vec<Write>) -> Result<(), StoreUnavailable> {
        let transaction = self.database.begin_write()?;
        let mut outcomes = Vec::with_capacity(writes.len());
        let mut tables = Tables::open(&transaction, tables::millis((self.clock)()))?;
        let mut changed = tables.sweep()?;
        for write in writes {
            outcomes.push(match write {
                Write::Commit(batch, answer) => {
                    let done = tables.commit(&batch)?;
                    changed.extend(batch.changes.into_iter().map(|(key, _)| key));
                    Outcome::Committed(done, answer)
                }
                Write::Take(key, answer) => {
                    let taken = tables.take(&key)?;
                    changed.push(key);
                    Outcome::Taken(taken, answer)
                }
            });
        }
        drop(tables);
        let durable = transaction.commit();
        // Before anybody is answered; and after a failure too, for who knows what it left.
        changed.iter().for_each(|key| self.feed.changed(key));
        durable?;
        outcomes.into_iter().for_each(Outcome::answer);
        Ok(())
    }
}

impl Outcome {
    fn answer(self) {
        // Whoever asked may have gone away; the write stands.
        let _gone = match self {
            Self::Committed(done, answer) => answer.send(done).is_err(),
            Self::Taken(value, answer) => answer.send(value).is_err(),
        };
    }
}
