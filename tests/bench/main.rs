//! `just bench`: the gateway, the Python originals it replaces and the limits, side by side in one run.
//!
//! Everything listens on loopback and ends with the run. How it is measured: docs/benchmarks.md.

mod bare;
mod calls;
mod compare;
mod http;
mod load;
mod login;
mod machine;
mod places;
mod plot;
mod process;
mod redis;
mod report;
mod stats;
mod stdio;
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
    /// One topic instead of both
    #[arg(long)]
    only: Option<Topic>,
    /// Be the bare actix handler on this port
    #[arg(long, hide = true)]
    bare: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Topic {
    Verify,
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
        let verify = if only == Some(Topic::Calls) { Vec::new() } else { verify::run(effort).await? };
        let calls = if only == Some(Topic::Verify) { Vec::new() } else { calls::run(effort).await? };
        Ok::<_, Box<dyn Error>>(Report { effort, machine, verify, calls })
    })?;
    stdout().write_all(report.markdown().as_bytes())?;
    if !quick && only.is_none() {
        report.write()?;
    }
    Ok(())
}
