//! Every metric, declared once, for Prometheus (OpenMetrics 1.0 text). docs/operations.md has them as a table.
//!
//! One struct for each sidecar, shared by all who count. Counting is a relaxed addition to a number that is there
//! already; a level is held by a guard, so that no path can forget to give it back.

mod counts;
mod durations;
mod labels;
mod process;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text;
pub(crate) use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub(crate) use counts::{Counts, InUse, Label, Levels};
use durations::Durations;
pub(crate) use labels::{
    CallOutcome, ChildEnd, ChildStart, Forwarding, Limit, MethodClass, Refusal, RequestOutcome, SessionEnd,
    SessionKind, StreamKind,
};

use crate::logging::DROPPED;

/// What the text is (OpenMetrics 1.0 §4.1); Prometheus understands it.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) sessions_open: Levels<SessionKind>,
    pub(crate) sessions_opened: Counts<SessionKind>,
    pub(crate) sessions_ended: Counts<SessionEnd>,
    pub(crate) child_starts: Counts<ChildStart>,
    pub(crate) child_restarts: Counter,
    pub(crate) child_exits: Counts<ChildEnd>,
    pub(crate) calls: Counts<CallOutcome>,
    pub(crate) limits: Counts<Limit>,
    pub(crate) refused: Counts<Refusal>,
    pub(crate) events_replayed: Counter,
    pub(crate) replay_dropped_bytes: Counter,
    pub(crate) streams_open: Levels<StreamKind>,
    pub(crate) forwarded: Counts<Forwarding>,
    pub(crate) redis_errors: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) sent_bytes: Counter,
    children: Gauge,
    warm: Gauge,
    in_flight: Gauge,
    requests: Vec<Counts<RequestOutcome>>,
    durations: Vec<Durations>,
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let mut registry = Registry::default();
        process(&mut registry);
        registry.register("mcp_log_lines_dropped", "Lines of the log that were not written", DROPPED.clone());
        let r = &mut registry;
        Arc::new(Self {
            sessions_open: Levels::register(r, "mcp_sessions_open", "Sessions, and seats of modern clients"),
            sessions_opened: Counts::register(r, "mcp_sessions_opened", "Sessions and seats that were opened"),
            sessions_ended: Counts::register(r, "mcp_sessions_ended", "Sessions and seats that ended"),
            children: gauge(r, "mcp_children_running", "Processes of the wrapped server"),
            warm: gauge(r, "mcp_children_warm", "Spare processes that wait for a session"),
            child_starts: Counts::register(r, "mcp_child_starts", "Processes that were to be started"),
            child_restarts: counter(r, "mcp_child_restarts", "Processes that replaced one that had ended by itself"),
            child_exits: Counts::register(r, "mcp_child_exits", "Processes that ended"),
            in_flight: gauge(r, "mcp_requests_in_flight", "Requests that are being answered"),
            requests: requests(r),
            durations: durations(r),
            calls: Counts::register(r, "mcp_calls", "What the wrapped server made of calls"),
            limits: Counts::register(r, "mcp_limits_reached", "Times that a limit held something back"),
            refused: Counts::register(r, "mcp_requests_refused", "Requests that no server saw"),
            events_replayed: counter(r, "mcp_events_replayed", "Events that clients fetched again"),
            replay_dropped_bytes: counter(r, "mcp_replay_dropped_bytes", "Bytes of events no longer kept for that"),
            streams_open: Levels::register(r, "mcp_streams_open", "Event streams that clients read"),
            forwarded: Counts::register(r, "mcp_requests_forwarded", "Requests whose session is not at this replica"),
            redis_errors: counter(r, "mcp_redis_errors", "Questions that Redis did not answer as it should"),
            received_bytes: counter(r, "mcp_received_bytes", "Bytes of request bodies"),
            sent_bytes: counter(r, "mcp_sent_bytes", "Bytes of response bodies"),
            registry,
        })
    }

    /// A child that runs, until the answer is dropped.
    pub(crate) fn child(&self) -> InUse {
        InUse::of(&self.children)
    }

    /// A spare child.
    pub(crate) fn warm(&self) -> InUse {
        InUse::of(&self.warm)
    }

    /// A request that is being answered.
    pub(crate) fn in_flight(&self) -> InUse {
        InUse::of(&self.in_flight)
    }

    /// `took`: until the answer was there, or its stream had begun.
    pub(crate) fn request(&self, method: MethodClass, outcome: RequestOutcome, took: Duration) {
        self.requests[method.index()].add(outcome);
        self.durations[method.index()].observe(took);
    }

    /// For the scraper. Errors: none that a `String` could make.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

/// Two labels, of which the first is looked up by its place.
fn requests(registry: &mut Registry) -> Vec<Counts<RequestOutcome>> {
    let family = Family::<[(&str, &str); 2], Counter>::default();
    let of = |method: &MethodClass| Counts::within(&family, (MethodClass::KEY, method.name()));
    let requests = MethodClass::ALL.iter().map(of).collect();
    registry.register("mcp_requests", "Requests to /mcp that were answered", family);
    requests
}

fn durations(registry: &mut Registry) -> Vec<Durations> {
    let family = Family::<[(&str, &str); 1], Durations>::default();
    let of = |method: &MethodClass| family.get_or_create_owned(&[(MethodClass::KEY, method.name())]);
    let durations = MethodClass::ALL.iter().map(of).collect();
    registry.register("mcp_request_seconds", "Time until a request was answered, or its stream began", family);
    durations
}

fn process(registry: &mut Registry) {
    registry.register("mcp_build", "What runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let started = gauge(registry, "process_start_time_seconds", "When it started, since the Unix epoch");
    #[expect(clippy::disallowed_methods, reason = "once, at the start, and only to be shown")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    started.set(i64::try_from(now.as_secs()).unwrap_or_default());
    registry.register_collector(Box::new(process::Process));
}

#[cfg(test)]
mod tests;
