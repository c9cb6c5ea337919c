//! What the figures depend on besides the programs.

use std::fs;
use std::thread;

/// One line: processor, cores, memory, kernel, and how busy all that is at this moment.
pub(crate) fn facts() -> String {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kib: f64 =
        field("/proc/meminfo", "MemTotal").and_then(|total| total.split(' ').next()?.parse().ok()).unwrap_or(0.0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let memory = kib / f64::from(1 << 20);
    format!("{processor}, {cores} cores, {memory:.0} GiB, Linux {}; load average before the run {load}", kernel.trim())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
