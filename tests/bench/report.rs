//! Tables of medians with the range over the rounds, in Markdown, and where they are kept.

use std::fs;
use std::io;

use gateway_tests::harness::repository;

use crate::compare::{Effort, Measured};
use crate::load::Sample;
use crate::plot;
use crate::stats::{Spread, figure};
use crate::{calls, verify};

const PAGE: &str = "docs/benchmarks.md";
const PLOT: &str = "docs/benchmarks.svg";
/// The results stand between these two lines of the page.
const FENCE: [&str; 2] = ["<!-- results: written by `just bench` -->\n", "<!-- end of results -->"];

pub(crate) struct Report {
    pub(crate) effort: Effort,
    pub(crate) machine: String,
    pub(crate) verify: Vec<Measured>,
    pub(crate) calls: Vec<Measured>,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let Effort { rounds, time, starts } = self.effort;
        let mut text = format!("Machine: {}.\n", self.machine);
        text += &format!("{rounds} rounds of {} ms for each program and load; {starts} starts.\n", time.as_millis());
        for (topic, programs, loads, original) in [
            ("`/verify`", &self.verify, verify::LOADS, verify::ORIGINAL),
            ("`tools/call`", &self.calls, calls::LOADS, calls::ORIGINAL),
        ] {
            for (label, _) in loads.iter().filter(|_| !programs.is_empty()) {
                text += &format!("\n### {topic}, {label}\n\n{}", speed(programs, label, original));
            }
        }
        text + "\n### Start-up and memory\n\n" + &footprints(self.verify.iter().chain(&self.calls))
    }

    pub(crate) fn write(&self) -> io::Result<()> {
        let path = repository().join(PAGE);
        let page = fs::read_to_string(&path)?;
        let page =
            between_fences(&page, &self.markdown()).ok_or_else(|| io::Error::other("docs page lost its fences"))?;
        fs::write(path, page)?;
        fs::write(repository().join(PLOT), plot::svg(self))
    }
}

fn between_fences(page: &str, results: &str) -> Option<String> {
    let (before, rest) = page.split_once(FENCE[0])?;
    let (_, after) = rest.split_once(FENCE[1])?;
    Some([before, FENCE[0], "\n", results, "\n", FENCE[1], after].concat())
}

fn speed(programs: &[Measured], load: &str, original: &str) -> String {
    let mut table = row(["", "per second", "× original", "p50 µs", "p99 µs", "CPU µs each"].map(str::to_owned));
    table += "| --- | ---: | ---: | ---: | ---: | ---: |\n";
    let base = programs.iter().find(|program| program.name == original).and_then(|program| program.loads.get(load));
    for program in programs {
        let Some(samples) = program.loads.get(load) else { continue };
        let column = |of: fn(&Sample) -> f64| cell(samples.iter().map(of));
        let cpu = cell(samples.iter().filter_map(|sample| sample.cpu_us));
        let ratio = base.map_or_else(String::new, |base| cell(ratios(samples, base)));
        let rate = column(|sample| sample.per_second);
        table += &row([program.name.to_owned(), rate, ratio, column(|s| s.p50_us), column(|s| s.p99_us), cpu]);
    }
    table
}

/// Round by round, so that a slow moment of the machine counts on both sides.
fn ratios<'a>(samples: &'a [Sample], base: &'a [Sample]) -> impl Iterator<Item = f64> + 'a {
    samples.iter().zip(base).map(|(sample, base)| sample.per_second / base.per_second)
}

fn footprints<'a>(programs: impl Iterator<Item = &'a Measured>) -> String {
    let mut table = row(["", "start, ms", "memory idle, MiB", "memory after load, MiB"].map(str::to_owned));
    table += "| --- | ---: | ---: | ---: |\n";
    for Measured { name, footprint, .. } in programs.filter(|program| !program.footprint.start_ms.is_empty()) {
        let (start, idle) = (footprint.start_ms.iter().copied(), footprint.idle_mib.iter().copied());
        table += &row([(*name).to_owned(), cell(start), cell(idle), cell(footprint.loaded_mib)]);
    }
    table
}

fn row<const N: usize>(cells: [String; N]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// `median (min–max)`
fn cell(values: impl IntoIterator<Item = f64>) -> String {
    match Spread::of(values) {
        None => "–".to_owned(),
        Some(Spread { median, min, max }) if min == max => figure(median),
        Some(Spread { median, min, max }) => format!("{} ({}–{})", figure(median), figure(min), figure(max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_the_range_only_when_there_is_one() {
        assert_eq!(cell([1.0, 2.0, 4.0]), "2.00 (1.00–4.00)");
        assert_eq!(cell([3.0]), "3.00");
        assert_eq!(cell([]), "–");
    }

    #[test]
    fn results_replace_only_what_stands_between_the_fences() {
        let page = format!("before\n{}old{}\nafter", FENCE[0], FENCE[1]);
        let expected = format!("before\n{}\nnew\n{}\nafter", FENCE[0], FENCE[1]);
        assert_eq!(between_fences(&page, "new"), Some(expected));
        assert_eq!(between_fences("no fences", "new"), None);
    }
}
