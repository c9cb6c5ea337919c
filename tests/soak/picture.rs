//! artifacts/soak/soak.svg: each count over time, each on its own scale.

use crate::sample::Sample;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 170.0;
const HEIGHT: f64 = 90.0;

type Line = (&'static str, fn(&Sample) -> f64);

const LINES: [Line; 4] = [
    ("processes", |sample| sample.processes as f64),
    ("file descriptors", |sample| sample.descriptors as f64),
    ("threads", |sample| sample.threads as f64),
    ("memory, MiB", |sample| sample.memory_kib as f64 / 1024.0),
];

pub(crate) fn svg(samples: &[Sample]) -> String {
    let height = HEIGHT * LINES.len() as f64;
    let style = "text{font:13px system-ui,sans-serif;fill:#59636e}polyline{fill:none;stroke:#0969da}";
    let panels: String =
        LINES.iter().enumerate().map(|(row, line)| panel(samples, line, HEIGHT * row as f64)).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\"><style>{style}</style>\n{panels}</svg>\n"
    )
}

fn panel(samples: &[Sample], (name, of): &Line, top: f64) -> String {
    let highest = samples.iter().map(of).fold(1.0, f64::max);
    let last = samples.last().map_or(1, |sample| sample.second.max(1)) as f64;
    let point = |sample: &Sample| {
        let x = LEFT + (WIDTH - LEFT - 10.0) * sample.second as f64 / last;
        format!("{x:.1},{:.1}", top + 75.0 - 65.0 * of(sample) / highest)
    };
    let points: Vec<_> = samples.iter().map(point).collect();
    format!(
        "<text x=\"10\" y=\"{:.0}\">{name}</text><text x=\"10\" y=\"{:.0}\">at most {highest:.0}</text>\
         <polyline points=\"{}\"/>\n",
        top + 40.0,
        top + 58.0,
        points.join(" ")
    )
}
