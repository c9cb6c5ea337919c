//! `just soak`: thousands of sessions, nearly all of them abandoned, with children that misbehave in every way; at the
//! end the sidecar must hold what it held before: processes, file descriptors, threads, memory.

mod alone;
mod child;
mod picture;
mod sample;
mod verdict;
mod visit;
mod visitors;

use std::{
    error::Error,
    io::{Write, stdout},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use gateway_tests::harness::{artifacts, binary};

use child::Soaked;
use sample::{Sample, Sampler};
use verdict::Verdict;

/// Looks for anything that a sidecar keeps of sessions that nobody ended
#[derive(Debug, Parser)]
#[command(name = "gateway-soak")]
struct Arguments {
    /// How long the load lasts
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Clients at a time
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// What chance begins with; a run with the same seed does the same things in the same order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Memory that each of its threads may keep at the end; the default is for the allocator that images have
    #[arg(long, default_value_t = 64)]
    kib_per_thread: u64,
    /// The sidecar, if it is not the one that was built with this
    #[arg(long)]
    sidecar: Option<PathBuf>,
    /// Options for the sidecar, such as `-- --isolation user --warm 3`
    #[arg(last = true)]
    options: Vec<String>,
}

/// On a runtime of its own, whose end closes every connection that clients have left open.
fn to_the_end<T>(clients: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(clients)
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { seconds, clients, seed, kib_per_thread, sidecar, options } = Arguments::parse();
    let sidecar = sidecar.unwrap_or_else(|| binary("mcp-sidecar"));
    let mut soaked = Soaked::start(&sidecar, &options);
    let opens = to_the_end(visit::warm_up(&soaked));
    assert!(opens, "a sidecar with nothing wrong does not work");
    let has_open = || !to_the_end(visit::open(&soaked)).is_empty();
    let before = soaked.quiet(has_open);
    soaked.let_children_fail();
    let sampler = Sampler::start(soaked.pid());
    let tally = to_the_end(visitors::come(&soaked, Duration::from_secs(seconds), clients, seed));
    let during = sampler.stop();
    // Clients that nobody saw leave are found gone at the second keep-alive comment: 30 s.
    let is_back = |now: &Sample| now.is_back_at(&before) && now.is_small_as(&before, kib_per_thread);
    let after = soaked.quiet_again(Duration::from_secs(180), has_open, is_back);
    let left = [soaked.holds(), to_the_end(visit::open(&soaked))].concat();
    let opens_as_before = to_the_end(visit::warm_up(&soaked));
    let ended = soaked.end();
    let verdict = Verdict { before, during, after, kib_per_thread, left, tally, opens_as_before, ended };
    let folder = artifacts("soak");
    std::fs::write(folder.join("samples.csv"), sample::csv(&verdict.during))?;
    std::fs::write(folder.join("soak.svg"), picture::svg(&verdict.during))?;
    stdout().write_all(verdict.to_string().as_bytes())?;
    match verdict.faults() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(faults.join("; ").into()),
    }
}
