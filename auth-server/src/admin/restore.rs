//! `auth-server restore`: the whole file is checked before the first change.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read, Seek, Write},
    path::Path,
};

use super::{
    Failure,
    backup_file::{Reader, Unusable, check},
    progress::Progress,
};
use crate::store::{Imported, Item, Store};

const AT_ONCE: usize = 1000;

#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) dry_run: bool,
    pub(super) clear: bool,
}

pub(super) async fn run(store: &Store, path: &Path, how: How, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let unusable = |cause: Unusable| Failure::Failed(format!("{} cannot be restored: {cause}", path.display()));
    let mut file = open(path).map_err(|cause| unusable(cause.into()))?;
    let items = check(&mut file).map_err(unusable)?;
    store.ping().await?;
    if how.clear {
        store.clear().await?;
    }
    file.rewind().map_err(|cause| unusable(cause.into()))?;
    let mut reader = Reader::begin(file).map_err(unusable)?;
    let (mut total, mut progress) = (Imported::default(), Progress::new(Some(items)));
    loop {
        let some = take(&mut reader).map_err(unusable)?;
        if some.is_empty() {
            break;
        }
        let imported = store.import(&some, how.dry_run).await?;
        total.written += imported.written;
        total.kept += imported.kept;
        total.expired += imported.expired;
        total.unknown += imported.unknown;
        progress.advance(some.len())?;
    }
    progress.end()?;
    report(store, total, how, out)
}

/// Read twice: to check it, and to write what it holds.
trait Again: BufRead + Seek {}

impl<T: BufRead + Seek> Again for T {}

fn open(path: &Path) -> io::Result<Box<dyn Again>> {
    if path != Path::new("-") {
        return Ok(Box::new(BufReader::new(File::open(path)?)));
    }
    let mut whole = Vec::new();
    io::stdin().lock().read_to_end(&mut whole)?;
    Ok(Box::new(Cursor::new(whole)))
}

fn take<R: BufRead>(reader: &mut Reader<R>) -> Result<Vec<Item>, Unusable> {
    let mut some = Vec::new();
    while some.len() < AT_ONCE {
        match reader.item()? {
            Some(item) => some.push(item),
            None => break,
        }
    }
    Ok(some)
}

fn report(store: &Store, total: Imported, how: How, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let (verb, Imported { written, kept, expired, unknown }) = (if how.dry_run { "would be " } else { "" }, total);
    writeln!(out, "{written} entries {verb}written to {}", store.place())?;
    for (count, what) in [
        (kept, "were there already and stay as they are"),
        (expired, "have expired meanwhile"),
        (unknown, "belong to lists that this version does not know"),
    ] {
        if count > 0 {
            writeln!(out, "{count} {what}")?;
        }
    }
    Ok(())
}
