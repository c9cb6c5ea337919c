//! What must hold at the end, and how it is told.
//!
//! Processes and descriptors are back exactly; threads are bounded, and memory but for a little that each of them keeps.
//! Memory that grows with the number of sessions is a leak: so the middle of a long run is compared with its end too,
//! under the same load.

use std::fmt::{Display, Formatter, Result};

use crate::{sample::Sample, visitors::Tally};

/// More than that between the second fifth of the run and the last one is growth,
const GROWTH_KIB: u64 = 8 * 1024;
/// unless the run is shorter than this: until then the number of open sessions itself grows.
const STEADY_AFTER: usize = 120;
/// At any time: what the 200 sessions of `child.rs` may have started. Ended processes that nobody collects would be more.
const MOST_PROCESSES: usize = 800;
/// Sessions that are ended by their clients, at most.
const GOODBYES_PERCENT: usize = 3;
/// Of a few sessions, as a busy machine opens them, chance may take more.
const GOODBYES_ANYHOW: usize = 10;

pub(crate) struct Verdict {
    pub(crate) before: Sample,
    pub(crate) during: Vec<Sample>,
    pub(crate) after: Sample,
    /// What a thread may keep of the load: its stack, and what its allocator holds.
    pub(crate) kib_per_thread: u64,
    /// Processes that were there then, and what the sidecar says of itself.
    pub(crate) left: Vec<String>,
    pub(crate) tally: Tally,
    pub(crate) opens_as_before: bool,
    pub(crate) ended: std::result::Result<(), String>,
}

impl Verdict {
    /// Everything that is not as it must be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let (before, after, tally) = (&self.before, &self.after, &self.tally);
        let mut faults = Vec::new();
        let mut unless = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        unless(after.is_back_at(before), format!("not back at the start: {before:?}, then {after:?}: {:?}", self.left));
        let is_steady = self.during.len() >= STEADY_AFTER;
        unless(
            !is_steady || self.growth_kib() <= GROWTH_KIB,
            format!("memory grew by {} KiB during the run", self.growth_kib()),
        );
        unless(
            after.is_small_as(before, self.kib_per_thread),
            format!("{} KiB more than before the load", after.kept_kib(before)),
        );
        let most = self.during.iter().map(|sample| sample.processes).max().unwrap_or(0);
        unless(most <= MOST_PROCESSES, format!("{most} processes at once"));
        unless(tally.opened > 2 * self.during.len(), format!("only {} sessions were opened", tally.opened));
        unless(
            tally.said_goodbye <= GOODBYES_ANYHOW.max(tally.opened * GOODBYES_PERCENT / 100),
            "too many were ended by clients".to_owned(),
        );
        unless(self.opens_as_before, "a session after the load does not work".to_owned());
        unless(self.ended.is_ok(), format!("{:?}", self.ended));
        faults
    }

    fn fifth(&self, which: usize) -> u64 {
        let length = self.during.len() / 5;
        let part = self.during.iter().skip(which * length).take(length);
        let mut memory: Vec<_> = part.map(|sample| sample.memory_kib).collect();
        memory.sort_unstable();
        memory.get(memory.len() / 2).copied().unwrap_or(0)
    }

    fn growth_kib(&self) -> u64 {
        self.fifth(4).saturating_sub(self.fifth(1))
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Tally { visits, opened, not_opened, said_goodbye } = &self.tally;
        writeln!(f, "{opened} sessions opened, {not_opened} not, {said_goodbye} ended by their clients")?;
        let visits: Vec<_> = visits.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(f, "visits: {}", visits.join(", "))?;
        writeln!(f, "{:<10} {:>10} {:>12} {:>8} {:>12}", "", "processes", "descriptors", "threads", "memory KiB")?;
        let most = |of: fn(&Sample) -> u64| self.during.iter().map(of).max().unwrap_or(0);
        let peak = Sample {
            second: 0,
            processes: most(|sample| sample.processes as u64) as usize,
            descriptors: most(|sample| sample.descriptors as u64) as usize,
            threads: most(|sample| sample.threads as u64) as usize,
            memory_kib: most(|sample| sample.memory_kib),
        };
        for (name, sample) in [("before", &self.before), ("at most", &peak), ("after", &self.after)] {
            let Sample { processes, descriptors, threads, memory_kib, .. } = sample;
            writeln!(f, "{name:<10} {processes:>10} {descriptors:>12} {threads:>8} {memory_kib:>12}")?;
        }
        let fifths: Vec<_> = (0..5).map(|which| self.fifth(which).to_string()).collect();
        writeln!(f, "memory, median of each fifth of the run, KiB: {}", fifths.join(", "))
    }
}
