//! Which server is asked in which revision, through what.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::stands::Stands;
use crate::suite::{self, Results};

/// What stands between the suite and the fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// The SDK's own HTTP transport.
    Nothing,
    Sidecar,
    /// Traefik, auth-server and the sidecar.
    Gateway,
}

/// Which fixture it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// On the SDK that knows nothing after 2025-11-25.
    Legacy,
    /// On the SDK of 2026-07-28, refusing `initialize`.
    Modern,
    /// The same, serving both.
    Dual,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) revision: &'static str,
    pub(crate) through: Through,
    pub(crate) child: Child,
}

const fn run(revision: &'static str, through: Through, child: Child) -> Run {
    Run { revision, through, child }
}

pub(crate) const RUNS: [Run; 15] = [
    run("2025-03-26", Through::Nothing, Child::Legacy),
    run("2025-03-26", Through::Sidecar, Child::Legacy),
    run("2025-03-26", Through::Gateway, Child::Legacy),
    run("2025-06-18", Through::Nothing, Child::Legacy),
    run("2025-06-18", Through::Sidecar, Child::Legacy),
    run("2025-06-18", Through::Gateway, Child::Legacy),
    run("2025-11-25", Through::Nothing, Child::Legacy),
    run("2025-11-25", Through::Sidecar, Child::Legacy),
    run("2025-11-25", Through::Gateway, Child::Legacy),
    run("2025-11-25", Through::Sidecar, Child::Dual),
    run("2026-07-28", Through::Nothing, Child::Modern),
    run("2026-07-28", Through::Sidecar, Child::Modern),
    run("2026-07-28", Through::Gateway, Child::Modern),
    run("2026-07-28", Through::Sidecar, Child::Dual),
    run("2026-07-28", Through::Sidecar, Child::Legacy),
];

/// What each of [`RUNS`] has shown, in their order; as many at a time as there are processors.
pub(crate) fn all(stands: &Stands) -> Vec<(Run, Results)> {
    let (next, done) = (AtomicUsize::new(0), RUNS.map(|run| (run, OnceLock::new())));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((run, results)) = done.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let results = results.set(suite::run(run, &stands.front(run)));
                    results.expect("nobody else has taken this run");
                }
            });
        }
    });
    done.map(|(run, results)| (run, results.into_inner().expect("no worker panicked"))).into()
}

impl Run {
    /// As in `expected-failures.yaml`.
    pub(crate) fn name(&self) -> String {
        format!("{} {} {}", self.revision, self.through.name(), self.child.name())
    }

    /// The frozen list of scenarios: of the revision, or of the newest that opens sessions as it does.
    pub(crate) fn requirements(&self) -> &'static str {
        if self.revision < "2026-07-28" { "2025-11-25" } else { "2026-07-28" }
    }
}

impl Through {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "native",
            Self::Sidecar => "sidecar",
            Self::Gateway => "gateway",
        }
    }
}

impl Child {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
            Self::Dual => "dual",
        }
    }

    /// Where it is written.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern | Self::Dual => "modern",
        }
    }
}
