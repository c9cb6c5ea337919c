//! Rounds: in each, every program takes every load once, so that whatever the machine does meanwhile hits all alike.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use crate::load::{Load, Sample};
use crate::process::{Program, Running};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    pub(crate) starts: usize,
    /// After that an answer of another bridge is lost.
    pub(crate) patience: Duration,
    /// Tokens that are asked about once.
    pub(crate) cold: usize,
    /// Tokens that fill a store.
    pub(crate) stored: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self::QUICK
    }
}

impl Effort {
    pub(crate) const FULL: Self = Self {
        rounds: 7,
        time: Duration::from_millis(1500),
        starts: 7,
        patience: Duration::from_secs(10),
        cold: 6_000,
        stored: 1_000_000,
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        time: Duration::from_millis(100),
        starts: 1,
        patience: Duration::from_secs(15),
        cold: 256,
        stored: 1_000,
    };
}

/// One program under its loads. Without `running` there is nothing in between, as over stdio directly.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) running: Option<Running>,
    pub(crate) loads: Vec<(&'static str, Load)>,
    pub(crate) footprint: Footprint,
    /// A call that it loses is told in the report; with ours it ends the run.
    pub(crate) may_lose: bool,
}

/// Empty where there is nothing to start.
#[derive(Default)]
pub(crate) struct Footprint {
    pub(crate) start_ms: Vec<f64>,
    pub(crate) idle_mib: Vec<f64>,
    pub(crate) loaded_mib: Option<f64>,
    /// With many idle sessions.
    pub(crate) sessions_mib: Vec<f64>,
    /// At the peak of one large result; empty when that was lost.
    pub(crate) peak_mib: Vec<f64>,
}

/// What came out for one program: its samples by load, in the order of the rounds.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) loads: BTreeMap<&'static str, Vec<Sample>>,
    /// Loads under which it lost an answer, or its life.
    pub(crate) lost: BTreeSet<&'static str>,
    pub(crate) footprint: Footprint,
}

/// Starts every program in turn, several times, and looks at its memory once it answers.
pub(crate) async fn footprints(programs: &[Program], effort: Effort) -> io::Result<Vec<Footprint>> {
    let mut footprints: Vec<Footprint> = programs.iter().map(|_| Footprint::default()).collect();
    for _ in 0..effort.starts {
        for (program, footprint) in programs.iter().zip(&mut footprints) {
            let running = program.start().await?;
            footprint.start_ms.push(running.started_in.as_secs_f64() * 1e3);
            footprint.idle_mib.push(mib(running.memory()?));
        }
    }
    Ok(footprints)
}

/// Puts all subjects under all their loads, round by round.
pub(crate) async fn rounds(mut subjects: Vec<Subject>, effort: Effort) -> io::Result<Vec<Measured>> {
    let mut taken: Vec<Taken> = subjects.iter().map(|_| Taken::default()).collect();
    for _ in 0..effort.rounds {
        for (subject, taken) in subjects.iter_mut().zip(&mut taken) {
            subject.round(taken, effort).await?;
        }
    }
    subjects.into_iter().zip(taken).map(|(subject, taken)| subject.finish(taken)).collect()
}

#[derive(Default)]
struct Taken {
    samples: BTreeMap<&'static str, Vec<Sample>>,
    lost: BTreeSet<&'static str>,
}

impl Subject {
    async fn round(&mut self, taken: &mut Taken, effort: Effort) -> io::Result<()> {
        for (label, load) in &mut self.loads {
            if taken.lost.contains(label) {
                continue;
            }
            match load.run(effort).await {
                Ok(sample) => taken.samples.entry(*label).or_default().push(sample),
                Err(_) if self.may_lose => drop(taken.lost.insert(label)),
                Err(fault) => return Err(io::Error::other(format!("{}, {label}: {fault}", self.name))),
            }
        }
        Ok(())
    }

    fn finish(self, taken: Taken) -> io::Result<Measured> {
        let mut footprint = self.footprint;
        let memory = self.running.as_ref().map(Running::memory).transpose();
        footprint.loaded_mib = if self.may_lose { memory.ok().flatten() } else { memory? }.map(mib);
        Ok(Measured { name: self.name, loads: taken.samples, lost: taken.lost, footprint })
    }
}

pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
