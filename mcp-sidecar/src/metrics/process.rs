//! What this process itself uses, read from `/proc` when somebody asks.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// `status` speaks of kB whatever the page size is.
const KIB: i64 = 1024;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let of = |field: &str| status.lines().find_map(|line| line.strip_prefix(field)).and_then(first_number);
        let rows = [
            ("process_resident_memory_bytes", "Memory of the sidecar alone", of("VmRSS:").map(|kib| kib * KIB)),
            ("process_threads", "Threads of the sidecar alone", of("Threads:")),
            ("process_open_fds", "Open file descriptors", open_files()),
        ];
        for (name, help, value) in rows {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn first_number(text: &str) -> Option<i64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

fn open_files() -> Option<i64> {
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}
