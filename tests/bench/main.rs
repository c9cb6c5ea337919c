//! `just bench`: the gateway, the Python originals it replaces and the limits, side by side in one run.
//!
//! Everything listens on loopback and ends with the run. How it is measured: docs/benchmarks.md.

mod bare;
mod bridges;
mod call_goals;
mod calls;
mod cold;
mod compare;
mod goals;
mod http;
mod large;
mod load;
mod login;
mod machine;
mod mint;
mod opening;
mod places;
mod plot;
mod process;
mod redis;
mod report;
mod revocation;
mod stats;
mod stdio;
mod through;
mod verify;

use std::error::Error;
use std::io::{Write, stdout};

use clap::{Parser, ValueEnum};

use compare::Effort;
use report::Report;

/// Measures the gateway against the Python originals and against what the machine could do at most; a whole run
/// replaces the results in docs/benchmarks.md and draws docs/benchmarks.svg
#[derive(Debug, Parser)]
#[command(name = "gateway-bench")]
struct Arguments {
    /// One short round: shows that everything runs, measures nothing worth reading
    #[arg(long)]
    quick: bool,
    /// One topic instead of all
    #[arg(long)]
    only: Option<Topic>,
    /// Be the bare actix handler on this port
    #[arg(long, hide = true)]
    bare: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Topic {
    /// One token in use, beside the original and the limit
    Verify,
    /// Tokens that are new, and a store that is full
    Cold,
    /// Whole requests through Traefik
    Through,
    /// Until a revocation is seen
    Revocation,
    /// `tools/call` through the sidecar
    Calls,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { quick, only, bare } = Arguments::parse();
    if let Some(port) = bare {
        return Ok(actix_rt::System::new().block_on(bare::serve(port))?);
    }
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    // One thread makes all load, so that it takes no more than one core away from the program under test.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let machine = machine::facts();
    let report = runtime.block_on(async {
        let wanted = |topic| only.is_none_or(|only| only == topic);
        let mut report = Report { effort, machine, ..Report::default() };
        if wanted(Topic::Verify) {
            report.verify = verify::run(effort).await?;
        }
        if wanted(Topic::Cold) {
            report.cold = cold::run(effort).await?;
        }
        if wanted(Topic::Through) {
            report.through = through::run(effort).await?;
        }
        if wanted(Topic::Revocation) {
            report.revocation = revocation::run(effort).await?;
        }
        if wanted(Topic::Calls) {
            report.calls = calls::run(effort).await?;
        }
        Ok::<_, Box<dyn Error>>(report)
    })?;
    stdout().write_all(report.markdown().as_bytes())?;
    if !quick && only.is_none() {
        report.write()?;
    }
    Ok(())
}
