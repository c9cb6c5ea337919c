//! Tables of medians with the range over the rounds, in Markdown, and where they are kept.

use std::fs;
use std::io;

use gateway_tests::harness::repository;

use crate::compare::{Effort, Measured};
use crate::goals::{self, per_round};
use crate::load::Sample;
use crate::plot;
use crate::stats::{Spread, figure};
use crate::{bridges, calls, cold, through, verify};

const PAGE: &str = "docs/benchmarks.md";
const PLOT: &str = "docs/benchmarks.svg";
/// The results stand between these two lines of the page.
const FENCE: [&str; 2] = ["<!-- results: written by `just bench` -->\n", "<!-- end of results -->"];

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) effort: Effort,
    pub(crate) machine: String,
    pub(crate) verify: Vec<Measured>,
    pub(crate) cold: Vec<Measured>,
    pub(crate) through: Vec<Measured>,
    /// Milliseconds until a deletion is seen.
    pub(crate) revocation: Vec<f64>,
    pub(crate) calls: Vec<Measured>,
}

/// Instead of figures: an answer never came, or the program died.
const LOST: &str = "lost";

/// Rates are shown beside this program's, too.
type Base = (&'static str, &'static str);

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let Effort { rounds, time, starts, .. } = self.effort;
        let mut text = format!("Machine: {}.\n", self.machine);
        text += &format!("{rounds} rounds of {} ms for each program and load; {starts} starts.\n", time.as_millis());
        text += &goals::table(self);
        let names = |loads: [(&'static str, usize); 2]| loads.map(|(label, _)| label).to_vec();
        let topics: [(_, _, Vec<&'static str>, &[Base]); 5] = [
            (
                "`/verify`",
                &self.verify,
                verify::LOADS.to_vec(),
                &[("× original", verify::ORIGINAL), ("× limit", verify::BARE)],
            ),
            ("`/verify`", &self.cold, cold::LOADS.to_vec(), &[]),
            ("Through Traefik", &self.through, names(through::LOADS), &[("× limit", through::YES)]),
            ("`tools/call`", &self.calls, names(calls::LOADS), &[("× original", bridges::ORIGINAL)]),
            ("`tools/call`", &self.calls, vec![calls::MODERN.0], &[]),
        ];
        for (topic, programs, loads, bases) in topics {
            for label in loads.into_iter().filter(|_| !programs.is_empty()) {
                text += &format!("\n### {topic}, {label}\n\n{}", speed(programs, label, bases));
            }
        }
        for label in [calls::OPENING, calls::LARGE].into_iter().filter(|_| !self.calls.is_empty()) {
            text += &format!("\n### `tools/call`, {label}\n\n{}", times(&self.calls, label));
        }
        text += "\n### Start-up and memory\n\n";
        text + &footprints(&self.verify) + &bridge_footprints(&self.calls)
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

fn speed(programs: &[Measured], load: &str, bases: &[Base]) -> String {
    let heads = ["per second"].into_iter().chain(bases.iter().map(|(head, _)| *head)).chain([
        "p50 µs",
        "p99 µs",
        "CPU µs each",
    ]);
    let heads: Vec<_> = [""].into_iter().chain(heads).map(str::to_owned).collect();
    let mut table = row(&heads) + "| --- |" + &" ---: |".repeat(heads.len() - 1) + "\n";
    for program in programs {
        if program.lost.contains(load) {
            table += &row(&[program.name.to_owned(), LOST.to_owned()]);
            continue;
        }
        let Some(samples) = program.loads.get(load) else { continue };
        let column = |of: fn(&Sample) -> f64| cell(samples.iter().map(of));
        let mut cells = vec![program.name.to_owned(), column(|sample| sample.per_second)];
        cells.extend(
            bases.iter().map(|(_, base)| cell(per_round(programs, load, [program.name, base], |s| s.per_second))),
        );
        cells.extend([column(|s| s.p50_us), column(|s| s.p99_us), cell(samples.iter().filter_map(|s| s.cpu_us))]);
        table += &row(&cells);
    }
    table
}

/// What takes so long that it is not asked for over and over.
fn times(programs: &[Measured], load: &str) -> String {
    let mut table =
        row(&["", "p50 ms", "× original", "CPU ms each"].map(str::to_owned)) + "| --- | ---: | ---: | ---: |\n";
    for program in programs {
        let mut cells = vec![program.name.to_owned()];
        if program.lost.contains(load) {
            cells.push(LOST.to_owned());
        } else {
            let samples = program.loads.get(load).into_iter().flatten();
            cells.push(cell(samples.clone().map(|sample| sample.p50_us / 1e3)));
            cells.push(cell(per_round(programs, load, [program.name, bridges::ORIGINAL], |sample| sample.p50_us)));
            cells.push(cell(samples.filter_map(|sample| Some(sample.cpu_us? / 1e3))));
        }
        table += &row(&cells);
    }
    table
}

fn bridge_footprints(programs: &[Measured]) -> String {
    let heads = ["", "start to first `initialize`, ms", "idle, MiB", "50 sessions, MiB", "after load, MiB"];
    let heads = [&heads[..], &["peak of one 5 MiB result, MiB"]].concat();
    let mut table = String::from("\n") + &row(&heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>());
    table += "| --- | ---: | ---: | ---: | ---: | ---: |\n";
    for Measured { name, footprint, lost, .. } in programs.iter().filter(|program| program.name != calls::DIRECT) {
        let columns = [&footprint.start_ms, &footprint.idle_mib, &footprint.sessions_mib];
        let mut cells = vec![(*name).to_owned()];
        cells.extend(columns.map(|values| cell(values.iter().copied())));
        cells.push(cell(footprint.loaded_mib));
        let peak = cell(footprint.peak_mib.iter().copied());
        cells.push(if lost.contains(calls::LARGE) { LOST.to_owned() } else { peak });
        table += &row(&cells);
    }
    if programs.is_empty() { String::new() } else { table }
}

fn footprints(programs: &[Measured]) -> String {
    let mut table = row(&["", "start, ms", "memory idle, MiB", "memory after load, MiB"].map(str::to_owned));
    table += "| --- | ---: | ---: | ---: |\n";
    for Measured { name, footprint, .. } in programs {
        let (start, idle) = (footprint.start_ms.iter().copied(), footprint.idle_mib.iter().copied());
        table += &row(&[(*name).to_owned(), cell(start), cell(idle), cell(footprint.loaded_mib)]);
    }
    if programs.is_empty() { String::new() } else { table }
}

pub(crate) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// `median (min–max)`
pub(crate) fn cell(values: impl IntoIterator<Item = f64>) -> String {
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
