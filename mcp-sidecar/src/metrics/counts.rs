//! Counters and gauges with one label, made before their first event: no lock and no look-up when counting.

use std::marker::PhantomData;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// One value of each variant; a series exists, at 0, before its first event.
pub(crate) trait Label: Copy + 'static {
    const KEY: &'static str;
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
    fn index(self) -> usize;
}

/// A counter with one label. Counting is one relaxed addition: no lock, no look-up.
#[derive(Debug)]
pub(crate) struct Counts<L> {
    counters: Vec<Counter>,
    label: PhantomData<L>,
}

impl<L: Label> Counts<L> {
    pub(super) fn register(registry: &mut Registry, name: &str, help: &str) -> Self {
        let family = Family::<[(&str, &str); 1], Counter>::default();
        let counters = L::ALL.iter().map(|label| family.get_or_create_owned(&[(L::KEY, label.name())])).collect();
        registry.register(name, help, family);
        Self { counters, label: PhantomData }
    }

    /// With another label besides, whose value is the same for all.
    pub(super) fn within(
        family: &Family<[(&'static str, &'static str); 2], Counter>,
        first: (&'static str, &'static str),
    ) -> Self {
        let of = |label: &L| family.get_or_create_owned(&[first, (L::KEY, label.name())]);
        Self { counters: L::ALL.iter().map(of).collect(), label: PhantomData }
    }

    /// One of the counters, for who counts nothing else.
    pub(crate) fn of(&self, label: L) -> Counter {
        self.counters[label.index()].clone()
    }

    pub(crate) fn add(&self, label: L) {
        if let Some(counter) = self.counters.get(label.index()) {
            counter.inc();
        }
    }
}

/// A gauge with one label.
#[derive(Debug)]
pub(crate) struct Levels<L> {
    gauges: Vec<Gauge>,
    label: PhantomData<L>,
}

impl<L: Label> Levels<L> {
    pub(super) fn register(registry: &mut Registry, name: &str, help: &str) -> Self {
        let family = Family::<[(&str, &str); 1], Gauge>::default();
        let gauges = L::ALL.iter().map(|label| family.get_or_create_owned(&[(L::KEY, label.name())])).collect();
        registry.register(name, help, family);
        Self { gauges, label: PhantomData }
    }

    /// One more, until the answer is dropped.
    pub(crate) fn hold(&self, label: L) -> InUse {
        InUse::of(&self.gauges[label.index()])
    }
}

/// Something that is counted for as long as it lives.
#[derive(Debug)]
pub(crate) struct InUse(Gauge);

impl InUse {
    pub(super) fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.dec();
    }
}
