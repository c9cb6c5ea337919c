//! Lines to the child: whatever is queued goes out in as few system calls as the pipe allows.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Lines per system call: each takes two slices, and more would not fit a pipe anyway.
const BATCH: usize = 32;

/// Writes lines until the child is to stop, then closes the pipe: that is the child's end of input. `deaf` is told when
/// the child has closed its end.
pub(super) async fn write(
    pipe: pipe::Sender,
    mut lines: mpsc::Receiver<Bytes>,
    stopping: CancellationToken,
    deaf: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let taken = tokio::select! {
            taken = lines.recv_many(&mut batch, BATCH) => taken,
            () = stopping.cancelled() => {
                // What was queued before is still due.
                lines.close();
                lines.recv_many(&mut batch, BATCH).await
            }
        };
        if taken == 0 {
            return;
        }
        if write_all(&pipe, &batch).await.is_err() {
            return deaf.cancel();
        }
        batch.clear();
    }
}

async fn write_all(pipe: &pipe::Sender, lines: &[Bytes]) -> std::io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(lines.len() * 2);
    for line in lines {
        slices.extend([IoSlice::new(line.chunk()), IoSlice::new(b"\n")]);
    }
    let mut left = &mut slices[..];
    while !left.is_empty() {
        match pipe.try_write_vectored(left) {
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => pipe.writable().await?,
            Err(fault) if fault.kind() == std::io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
