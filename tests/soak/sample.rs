//! What the sidecar holds at one moment, and a thread that looks every second.

use std::{
    fmt::Write,
    fs,
    io::ErrorKind,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use gateway_tests::harness::descendants;
use nix::unistd::Pid;

/// Memory that is kept however many threads there are: code that ran for the first time, pages that are not quite free.
const KEPT_KIB: u64 = 2 * 1024;
const EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Since the load began.
    pub(crate) second: u64,
    /// Processes below it, whatever they are to it, and zombies too.
    pub(crate) processes: usize,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) memory_kib: u64,
}

impl Sample {
    pub(crate) fn of(pid: Pid) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Self {
            second: 0,
            processes: descendants(pid).len(),
            descriptors: descriptors(pid),
            threads: number("Threads:").unwrap_or(0),
            memory_kib: number("VmRSS:").unwrap_or(0) as u64,
        }
    }

    /// What stands still when nothing happens.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        (self.processes, self.descriptors, self.threads)
    }

    pub(crate) fn is_back_at(&self, before: &Self) -> bool {
        self.processes == before.processes && self.descriptors == before.descriptors && self.threads <= most_threads()
    }

    pub(crate) fn kept_kib(&self, before: &Self) -> u64 {
        self.memory_kib.saturating_sub(before.memory_kib)
    }

    pub(crate) fn is_small_as(&self, before: &Self, kib_per_thread: u64) -> bool {
        self.kept_kib(before) <= KEPT_KIB + kib_per_thread * self.threads as u64
    }
}

/// None of a process that is gone.
fn descriptors(pid: Pid) -> usize {
    match fs::read_dir(format!("/proc/{pid}/fd")) {
        Err(refused) if refused.kind() == ErrorKind::PermissionDenied => {
            panic!("only root may count the sidecar's descriptors (PR_SET_DUMPABLE): run the soak as root")
        }
        open => open.map_or(0, Iterator::count),
    }
}

/// Whatever happens: workers, and sixteen for blocking work, which are kept once they were needed (main.rs).
fn most_threads() -> usize {
    20 + 2 * thread::available_parallelism().map_or(1, usize::from)
}

pub(crate) struct Sampler {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Sampler {
    pub(crate) fn start(pid: Pid) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let (began, mut samples) = (Instant::now(), Vec::new());
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                samples.push(Sample { second: began.elapsed().as_secs(), ..Sample::of(pid) });
            }
            samples
        });
        Self { stop, thread }
    }

    pub(crate) fn stop(self) -> Vec<Sample> {
        drop(self.stop);
        self.thread.join().expect("looking at /proc does not panic")
    }
}

pub(crate) fn csv(samples: &[Sample]) -> String {
    let mut csv = "second,processes,descriptors,threads,memory_kib\n".to_owned();
    for Sample { second, processes, descriptors, threads, memory_kib } in samples {
        writeln!(csv, "{second},{processes},{descriptors},{threads},{memory_kib}").expect("a string takes everything");
    }
    csv
}
