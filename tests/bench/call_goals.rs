//! What was promised of the sidecar. Times move with the machine, so they are promised as parts of the original's in the
//! same run; memory and size do not.

use std::fs;

use crate::bridges::{ORIGINAL, SIDECAR};
use crate::calls::{DIRECT, LARGE, LOADS, OPENING};
use crate::compare::Measured;
use crate::goals::{MIB, goal, per_round};
use crate::load::Sample;
use crate::places::sidecar;
use crate::report::Report;

pub(crate) fn rows(report: &Report) -> Vec<String> {
    let programs = &report.calls;
    let Some(ours) = programs.iter().find(|program| program.name == SIDECAR) else { return Vec::new() };
    [times(programs), start(programs, ours), sizes(ours)].concat()
}

fn times(programs: &[Measured]) -> Vec<String> {
    let [(one, _), (eight, _)] = LOADS;
    let of = |base, load, figure: fn(&Sample) -> f64| per_round(programs, load, [SIDECAR, base], figure);
    let percent = |ratios: Vec<f64>| ratios.into_iter().map(|ratio| ratio * 100.0);
    let cpu = |sample: &Sample| sample.cpu_us.unwrap_or(f64::NAN);
    let row =
        |what: &str, promised: &str, measured: Vec<f64>| goal(&format!("mcp-sidecar: {what}"), promised, measured);
    vec![
        row("p50 of a call, of the original's", "≤ 35 %", percent(of(ORIGINAL, one, |s| s.p50_us)).collect()),
        row("p99 of a call, of the original's", "≤ 52 %", percent(of(ORIGINAL, one, |s| s.p99_us)).collect()),
        row("calls/s of 8 sessions, of the original's", "≥ 7.9 ×", of(ORIGINAL, eight, |s| s.per_second)),
        row("CPU of a call, 8 sessions, of the original's", "≤ 11.4 %", percent(of(ORIGINAL, eight, cpu)).collect()),
        row("new session, of the original's", "≤ 29 %", percent(of(ORIGINAL, OPENING, |s| s.p50_us)).collect()),
        row("new session, of a start without a bridge", "≤ 2 ×", of(DIRECT, OPENING, |s| s.p50_us)),
        row("5 MiB result, of that without a bridge", "≤ 2.9 ×", of(DIRECT, LARGE, |s| s.p50_us)),
    ]
}

fn start(programs: &[Measured], ours: &Measured) -> Vec<String> {
    let original = programs.iter().find(|program| program.name == ORIGINAL);
    let theirs = original.map(|program| &program.footprint.start_ms[..]).unwrap_or_default();
    let parts = ours.footprint.start_ms.iter().zip(theirs).map(|(ours, theirs)| ours / theirs * 100.0);
    vec![goal("mcp-sidecar: start to first initialize, of the original's", "≤ 4.2 %", parts)]
}

fn sizes(ours: &Measured) -> Vec<String> {
    let footprint = &ours.footprint;
    let size = fs::metadata(sidecar()).map(|file| file.len() as f64 / MIB);
    vec![
        goal("mcp-sidecar: memory idle, MiB", "≤ 6", footprint.idle_mib.iter().copied()),
        goal("mcp-sidecar: memory with 50 sessions, MiB", "≤ 8", footprint.sessions_mib.iter().copied()),
        goal("mcp-sidecar: memory after load, MiB", "≤ 12", footprint.loaded_mib),
        goal("mcp-sidecar: memory at the peak of a 5 MiB result, MiB", "≤ 15", footprint.peak_mib.iter().copied()),
        goal("mcp-sidecar: size of the static binary, MiB", "≤ 6", size.ok()),
    ]
}
