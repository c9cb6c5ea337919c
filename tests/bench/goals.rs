//! What was promised, beside what was measured.

use std::fs;

use crate::cold::{self, LOADS as COLD};
use crate::compare::Measured;
use crate::load::Sample;
use crate::places::built;
use crate::report::{Report, cell, row};
use crate::verify::{self, BARE, EMBEDDED, ON_REDIS, ORIGINAL};
use crate::{call_goals, revocation, through};

pub(crate) const MIB: f64 = (1 << 20) as f64;

/// Empty where nothing was measured that was promised.
pub(crate) fn table(report: &Report) -> String {
    let rows = [verify(report), cold(report), rest(report), call_goals::rows(report)].concat();
    if rows.is_empty() {
        return String::new();
    }
    let head = row(&["", "goal", "measured"].map(str::to_owned));
    format!("\n### Goals\n\n{head}| --- | ---: | ---: |\n{}", rows.concat())
}

/// One figure of `[program, base]` in every round, as a ratio.
pub(crate) fn per_round(
    programs: &[Measured],
    load: &str,
    [program, base]: [&str; 2],
    of: fn(&Sample) -> f64,
) -> Vec<f64> {
    let samples = |name| programs.iter().find(|found| found.name == name).and_then(|found| found.loads.get(load));
    let (Some(samples), Some(base)) = (samples(program), samples(base)) else { return Vec::new() };
    samples.iter().zip(base).map(|(sample, base)| of(sample) / of(base)).collect()
}

fn verify(report: &Report) -> Vec<String> {
    let programs = &report.verify;
    let (rate, many) = (|sample: &Sample| sample.per_second, verify::LOADS[1]);
    let mut rows = Vec::new();
    for ours in programs.iter().filter(|program| [EMBEDDED, ON_REDIS].contains(&program.name)) {
        let of =
            |base, times: f64| per_round(programs, many, [ours.name, base], rate).into_iter().map(move |r| r * times);
        let p99 = ours.loads.get(verify::LOADS[2]).into_iter().flatten().map(|sample| sample.p99_us / 1e3);
        rows.push(goal(&format!("{}: requests/s, of the limit's", ours.name), "≥ 85 %", of(BARE, 100.0)));
        rows.push(goal(&format!("{}: requests/s, of the original's", ours.name), "≥ 30 ×", of(ORIGINAL, 1.0)));
        rows.push(goal(&format!("{}: p99 of 64 connections at a pace, ms", ours.name), "≤ 2", p99));
        rows.push(goal(&format!("{}: start, ms", ours.name), "≤ 50", ours.footprint.start_ms.iter().copied()));
        rows.push(goal(&format!("{}: memory after load, MiB", ours.name), "≤ 20", ours.footprint.loaded_mib));
    }
    rows
}

fn cold(report: &Report) -> Vec<String> {
    let programs = &report.cold;
    let mut rows = Vec::new();
    for (place, full) in [(cold::EMBEDDED, cold::FULL_EMBEDDED), (cold::ON_REDIS, cold::FULL_REDIS)] {
        let Some(few) = programs.iter().find(|program| program.name == place) else { continue };
        let cpu = few.loads.get(COLD[0]).into_iter().flatten().filter_map(|sample| sample.cpu_us);
        rows.push(goal(&format!("{place}: CPU for a new token, µs"), "≤ 30", cpu));
        for load in [COLD[1], COLD[3]] {
            let change = per_round(programs, load, [full, place], |sample| sample.p50_us);
            let stored = report.effort.stored;
            let change = change.into_iter().map(|ratio| ratio * 100.0);
            rows.push(goal(
                &format!("{place}: p50 with {stored} tokens stored, % of that with few; {load}"),
                "≤ 110 %",
                change,
            ));
        }
    }
    rows
}

fn rest(report: &Report) -> Vec<String> {
    let mut rows = Vec::new();
    if !report.through.is_empty() {
        let of_limit = per_round(&report.through, through::LOADS[1].0, [through::OURS, through::YES], |s| s.per_second);
        let of_limit = of_limit.into_iter().map(|ratio| ratio * 100.0);
        rows.push(goal("through Traefik: requests/s, of those when every request is let in", "≥ 90 %", of_limit));
    }
    if !report.revocation.is_empty() {
        rows.push(goal(revocation::WHAT, "< 50", report.revocation.iter().copied()));
    }
    if !report.verify.is_empty() {
        let size = fs::metadata(built("auth-server")).map(|file| file.len() as f64 / MIB);
        rows.push(goal("auth-server: size of the binary, MiB", "≤ 12", size.ok()));
    }
    rows
}

pub(crate) fn goal(what: &str, goal: &str, measured: impl IntoIterator<Item = f64>) -> String {
    row(&[what.to_owned(), goal.to_owned(), cell(measured)])
}
