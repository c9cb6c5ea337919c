//! docs/benchmarks.svg: bars on a logarithmic scale, with the range over the rounds; readable on light and dark pages.

use crate::compare::Measured;
use crate::load::Sample;
use crate::report::Report;
use crate::stats::{Spread, figure};
use crate::{bridges, calls, verify};

const WIDTH: f64 = 860.0;
const NAMES: f64 = 230.0;
const BARS: f64 = 500.0;
const ROW: f64 = 26.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.soft{fill:#59636e}\
    .ours{fill:#0969da}.original{fill:#bf8700}.limit{fill:#8c959f}.range{stroke:#1f2328;stroke-width:1.5}\
    .grid{stroke:#8c959f;stroke-opacity:.35}@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}\
    .ours{fill:#4493f8}.original{fill:#d29922}.limit{fill:#656c76}.range{stroke:#f0f6fc}}";

struct Panel {
    title: &'static str,
    bars: Vec<Bar>,
}

struct Bar {
    name: &'static str,
    spread: Spread,
}

pub(crate) fn svg(report: &Report) -> String {
    let panels = [
        Panel::speed("/verify, 64 connections: requests per second", &report.verify, verify::LOADS[1], |s| {
            s.per_second
        }),
        Panel::speed("/verify, 1 connection: p50, µs (shorter is better)", &report.verify, verify::LOADS[0], |s| {
            s.p50_us
        }),
        Panel::speed("tools/call, 8 sessions: calls per second", &report.calls, calls::LOADS[1].0, |s| s.per_second),
        Panel::speed("tools/call, 1 session: p50, µs (shorter is better)", &report.calls, calls::LOADS[0].0, |s| {
            s.p50_us
        }),
        Panel::memory("Memory after load, MiB (shorter is better)", report.verify.iter().chain(&report.calls)),
    ];
    let (mut y, mut body) = (10.0, String::new());
    for panel in &panels {
        body += &panel.draw(y);
        y += panel.height();
    }
    let head = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img">"#);
    format!("{head}<title>Benchmarks on a logarithmic scale</title><style>{STYLE}</style>\n{body}</svg>\n")
}

impl Panel {
    fn speed(title: &'static str, programs: &[Measured], load: &str, of: fn(&Sample) -> f64) -> Self {
        let bar = |program: &Measured| {
            let spread = Spread::of(program.loads.get(load)?.iter().map(of))?;
            Some(Bar { name: program.name, spread })
        };
        Self { title, bars: programs.iter().filter_map(bar).collect() }
    }

    fn memory<'a>(title: &'static str, programs: impl Iterator<Item = &'a Measured>) -> Self {
        let bar = |program: &Measured| {
            let spread = Spread::of(program.footprint.loaded_mib)?;
            Some(Bar { name: program.name, spread })
        };
        Self { title, bars: programs.filter_map(bar).collect() }
    }

    fn height(&self) -> f64 {
        ROW * (self.bars.len() as f64 + 2.2)
    }

    fn draw(&self, top: f64) -> String {
        let Some(scale) = Scale::of(&self.bars) else { return String::new() };
        let (first, bottom) = (top + ROW, top + ROW * (self.bars.len() as f64 + 1.0));
        let mut svg = format!("<text class=\"title\" x=\"10\" y=\"{:.1}\">{}</text>\n", top + 15.0, self.title);
        for (x, power) in scale.grid() {
            svg += &format!("<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{first:.1}\" y2=\"{bottom:.1}\"/>");
            let label = if power >= 1.0 { figure_of_power(power) } else { power.to_string() };
            svg += &format!(
                "<text class=\"soft\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>\n",
                bottom + 15.0
            );
        }
        for (i, bar) in self.bars.iter().enumerate() {
            svg += &bar.draw(first + ROW * i as f64, &scale);
        }
        svg
    }
}

impl Bar {
    fn draw(&self, top: f64, scale: &Scale) -> String {
        let Spread { median, min, max } = self.spread;
        let [at_min, at_median, at_max] = [min, median, max].map(|value| scale.x(value));
        let (baseline, middle) = (top + 17.0, top + 12.5);
        let mut svg =
            format!("<text text-anchor=\"end\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>", NAMES - 8.0, self.name);
        svg += &format!(
            "<rect class=\"{}\" x=\"{NAMES}\" y=\"{:.1}\" width=\"{:.1}\" height=\"17\" rx=\"2\"/>",
            class(self.name),
            top + 4.0,
            at_median - NAMES
        );
        svg += &format!(
            "<line class=\"range\" x1=\"{at_min:.1}\" x2=\"{at_max:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>"
        );
        svg + &format!("<text x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>\n", at_max + 6.0, figure(median))
    }
}

/// Whole powers of ten around all values.
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    fn of(bars: &[Bar]) -> Option<Self> {
        let lows = bars.iter().map(|bar| bar.spread.min).reduce(f64::min)?;
        let highs = bars.iter().map(|bar| bar.spread.max).reduce(f64::max)?;
        Some(Self { from: (lows / 2.0).log10().floor(), to: highs.log10().ceil() })
    }

    fn x(&self, value: f64) -> f64 {
        NAMES + BARS * (value.log10() - self.from) / (self.to - self.from)
    }

    fn grid(&self) -> impl Iterator<Item = (f64, f64)> {
        let powers = (self.from as i32..=self.to as i32).map(|exponent| 10f64.powi(exponent));
        powers.map(|power| (self.x(power), power))
    }
}

fn figure_of_power(power: f64) -> String {
    match power {
        p if p >= 1e6 => format!("{:.0} M", p / 1e6),
        p if p >= 1e3 => format!("{:.0} k", p / 1e3),
        p => format!("{p:.0}"),
    }
}

fn class(name: &str) -> &'static str {
    match name {
        verify::BARE | calls::DIRECT => "limit",
        verify::EMBEDDED | verify::ON_REDIS | bridges::SIDECAR => "ours",
        _ => "original",
    }
}
