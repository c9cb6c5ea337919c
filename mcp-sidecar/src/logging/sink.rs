//! Where lines go. Each sink has a thread that writes to it: whoever logs waits for no reader and no disk.

use std::cell::Cell;
use std::io::{self, Write};
use std::mem::take;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log::error;
use prometheus_client::metrics::counter::Counter;

/// Bytes of lines that wait for a sink. What comes when there are so many is dropped.
const WAITING: usize = 1 << 20;
/// Bytes that are written at once, if they are whole lines: others that write to the same pipe cut none of them in two
/// (pipe(7), «PIPE_BUF»).
const AT_ONCE: usize = 4096;
/// Between writes: on a busy server the thread is not woken for each line.
const PAUSE: Duration = Duration::from_millis(2);

thread_local! {
    /// How many of them those who log on this thread may fill.
    static ROOM: Cell<usize> = const { Cell::new(WAITING) };
}

/// Logs with half of the room: whoever can make as many lines as they like must not push out those of others.
pub(crate) fn with_half_the_room(log: impl FnOnce()) {
    let all = ROOM.replace(WAITING / 2);
    log();
    ROOM.set(all);
}

/// Lines that a sink did not get.
pub(crate) static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// One that is written to by a thread of its own. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Sink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: Vec<u8>,
    dropped: u64,
    is_writing: bool,
}

impl Sink {
    /// Errors: the system has no thread to give.
    pub(super) fn start(name: &'static str, to: impl Write + Send + 'static) -> io::Result<Self> {
        let sink = Self::default();
        let writer = sink.clone();
        thread::Builder::new().name(format!("log-{name}")).spawn(move || writer.write_on(name, to))?;
        Ok(sink)
    }

    pub(super) fn push(&self, line: &[u8]) {
        let mut queue = self.queue();
        if queue.lines.len() + line.len() > ROOM.get() {
            queue.dropped += 1;
            DROPPED.inc();
            return;
        }
        let is_first = queue.lines.is_empty();
        queue.lines.extend_from_slice(line);
        drop(queue);
        if is_first {
            self.0.filled.notify_one();
        }
    }

    /// Returns when all that was pushed has been written or given up, at `deadline` at the latest.
    pub(super) fn flush(&self, deadline: Instant) {
        let patience = deadline.saturating_duration_since(Instant::now());
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.lines.is_empty();
        drop(self.0.written.wait_timeout_while(self.queue(), patience, is_busy));
    }

    fn write_on(&self, name: &str, mut to: impl Write) {
        let (mut lost, mut told) = (0, 0);
        loop {
            let (lines, dropped) = self.next();
            lost += dropped;
            let mut rest = &lines[..];
            while !rest.is_empty() {
                let (some, others) = rest.split_at(whole_lines(rest));
                rest = others;
                if to.write_all(some).is_err() {
                    let count = some.iter().filter(|byte| **byte == b'\n').count() as u64;
                    lost += count;
                    DROPPED.inc_by(count);
                } else if lost > told {
                    told = lost;
                    // In all, since this line may be dropped as well.
                    error!(sink = name, lines = lost; "log lines were dropped");
                }
            }
            thread::sleep(PAUSE);
        }
    }

    /// Waits for lines, and says how many more there would have been.
    fn next(&self) -> (Vec<u8>, u64) {
        let mut queue = self.queue();
        queue.is_writing = false;
        if queue.lines.is_empty() {
            self.0.written.notify_all();
        }
        let queue = self.0.filled.wait_while(queue, |queue| queue.lines.is_empty());
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        queue.is_writing = true;
        (take(&mut queue.lines), take(&mut queue.dropped))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bytes to write at once.
fn whole_lines(lines: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let fitting = lines[..lines.len().min(AT_ONCE)].iter().rposition(is_end);
    fitting.or_else(|| lines.iter().position(is_end)).map_or(lines.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Hands on what is written to it, and before that waits for leave.
    struct Gate {
        leave: Receiver<io::Result<()>>,
        written: Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // Whoever is gone has nothing against it.
            self.leave.recv().unwrap_or(Ok(()))?;
            self.written.send(String::from_utf8(line.to_owned()).unwrap()).unwrap();
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (Sink, Sender<io::Result<()>>, Receiver<String>) {
        let ((open, leave), (to, written)) = (channel(), channel());
        (Sink::start("gate", Gate { leave, written: to }).unwrap(), open, written)
    }

    #[test]
    fn a_sink_that_takes_nothing_holds_up_neither_who_logs_nor_the_end() {
        let (sink, open, written) = gated();
        let line = format!("{}\n", "x".repeat(1023));
        let before = DROPPED.get();
        for _ in 0..3 * WAITING / line.len() {
            sink.push(line.as_bytes());
        }
        // What is being written no longer waits.
        assert!(DROPPED.get() - before >= u64::try_from(WAITING / line.len()).unwrap());
        sink.flush(Instant::now());
        assert!(written.try_recv().is_err());
        drop(open);
        sink.flush(Instant::now() + LONG);
        assert!(written.try_iter().count() <= 2 * WAITING / line.len());
    }

    #[test]
    fn who_logs_without_end_leaves_others_half_of_the_room() {
        let (sink, open, written) = gated();
        let (flood, other) = (format!("{}\n", "x".repeat(1023)), "other\n".repeat(100));
        with_half_the_room(|| (0..2 * WAITING / 1024).for_each(|_| sink.push(flood.as_bytes())));
        (0..WAITING / 2 / other.len()).for_each(|_| sink.push(other.as_bytes()));
        drop(open);
        sink.flush(Instant::now() + LONG);
        let written: String = written.try_iter().collect();
        // Half of it, and as much again if that was being written.
        assert!(written.matches(&flood).count() <= WAITING / 1024);
        assert_eq!(written.matches(&other).count(), WAITING / 2 / other.len());
    }

    #[test]
    fn last_words_are_written_before_the_end_and_no_line_in_two_parts() {
        let (sink, open, written) = gated();
        let lines: Vec<String> = (0..100).map(|n| format!("{}\n", "x".repeat(n * n))).collect();
        lines.iter().for_each(|line| sink.push(line.as_bytes()));
        drop(open);
        sink.flush(Instant::now() + LONG);
        let written: Vec<String> = written.try_iter().collect();
        assert_eq!(written.concat(), lines.concat());
        assert!(written.len() < lines.len());
        for write in written {
            assert!(write.ends_with('\n') && (write.len() <= AT_ONCE || write.lines().count() == 1), "{write}");
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_the_next_are_written() {
        let (sink, open, written) = gated();
        let before = DROPPED.get();
        let long = format!("{}\n", "x".repeat(AT_ONCE));
        sink.push(long.as_bytes());
        sink.push(b"a\n");
        open.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        drop(open);
        sink.flush(Instant::now() + LONG);
        assert_eq!(written.try_iter().collect::<Vec<_>>(), ["a\n"]);
        assert!(DROPPED.get() > before);
    }
}
