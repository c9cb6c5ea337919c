//! A histogram of durations that costs two relaxed additions: `prometheus-client`'s own takes a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in microseconds: from an echo to a tool that works for minutes.
const BOUNDS: [u64; 15] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    30_000_000,
    300_000_000,
];

#[derive(Clone, Debug, Default)]
pub(crate) struct Durations(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// One for each bound, one for what is over all.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Durations {
    pub(crate) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let bounds = BOUNDS.iter().map(|micros| seconds(*micros)).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> =
            bounds.zip(&self.0.buckets).map(|(bound, bucket)| (bound, bucket.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = seconds(self.0.micros.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;

    #[test]
    fn each_duration_is_counted_in_every_bucket_that_is_no_shorter() {
        let durations = Durations::default();
        for micros in [100, 101, 700_000, 1 << 40] {
            durations.observe(Duration::from_micros(micros));
        }
        let mut registry = Registry::default();
        registry.register("t", "t", durations);
        let mut shown = String::new();
        text::encode(&mut shown, &registry).unwrap();
        for line in
            ["{le=\"0.0001\"} 1\n", "{le=\"0.00025\"} 2\n", "{le=\"1.0\"} 3\n", "{le=\"+Inf\"} 4\n", "t_count 4\n"]
        {
            assert!(shown.contains(line), "{line}: {shown}");
        }
    }
}
