//! `auth-server backup`: everything that is stored, into a file that fits either store.
//!
//! It runs beside live servers. Tokens and secrets are in it as they are at rest: hashed, but for what the Python
//! service wrote in the clear.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{Failure, backup_file::Writer, progress::Progress};
use crate::store::Store;

pub(super) async fn run(store: &Store, file: &Path, now: u64, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    if file == Path::new("-") {
        return write(store, out, now).await.map(drop);
    }
    let unfinished = file.with_added_extension("unfinished");
    let items = match write_new(store, &unfinished, now).await {
        Ok(items) => items,
        Err(failure) => {
            let _nothing_more_can_be_done = fs::remove_file(&unfinished);
            return Err(failure);
        }
    };
    fs::rename(&unfinished, file)?;
    Ok(writeln!(out, "{items} entries of {} written to {}", store.place(), file.display())?)
}

async fn write_new(store: &Store, file: &Path, now: u64) -> Result<usize, Failure> {
    let cannot = |cause: io::Error| Failure::Failed(format!("{} cannot be written: {cause}", file.display()));
    // One that was left behind by a command that was killed.
    let _none = fs::remove_file(file);
    let new: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(cannot)?;
    let (written, items) = write(store, BufWriter::new(new), now).await?;
    written.into_inner().map_err(|fault| cannot(fault.into_error()))?.sync_all().map_err(cannot)?;
    Ok(items)
}

async fn write<W: Write>(store: &Store, to: W, now: u64) -> Result<(W, usize), Failure> {
    let mut writer = Writer::begin(to, now, store.place())?;
    let (mut everything, mut progress) = (store.export(), Progress::new(None));
    while let Some(page) = everything.page().await? {
        for item in &page {
            writer.item(item)?;
        }
        progress.advance(page.len())?;
    }
    progress.end()?;
    Ok(writer.end()?)
}
