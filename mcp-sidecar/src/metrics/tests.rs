use std::collections::BTreeSet;

use super::*;

const PAGE: &str = include_str!("../../../docs/operations.md");

/// Rows of the page's table: name, the rest.
fn documented() -> impl Iterator<Item = (&'static str, &'static str)> {
    let (_, section) = PAGE.split_once("## Numbers of mcp-sidecar").unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
}

#[test]
fn the_page_has_every_metric_and_no_other() {
    let text = Metrics::new().text().unwrap();
    let declared = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let declared = declared.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    });
    assert_eq!(declared.collect::<BTreeSet<_>>(), documented().map(|(name, _)| name.to_owned()).collect());
}

#[test]
fn the_page_has_every_value_of_every_label() {
    fn is_documented<L: Label>(metric: &str) {
        let (_, row) = documented().find(|(name, _)| *name == metric).unwrap();
        let words: BTreeSet<_> = row.split([' ', ',', ';', '|', '`', ':']).collect();
        for word in L::ALL.iter().map(|label| label.name()).chain([L::KEY]) {
            assert!(words.contains(word), "{metric} {word}");
        }
    }
    is_documented::<SessionKind>("mcp_sessions_open");
    is_documented::<SessionKind>("mcp_sessions_opened_total");
    is_documented::<SessionEnd>("mcp_sessions_ended_total");
    is_documented::<ChildStart>("mcp_child_starts_total");
    is_documented::<ChildEnd>("mcp_child_exits_total");
    is_documented::<MethodClass>("mcp_requests_total");
    is_documented::<RequestOutcome>("mcp_requests_total");
    is_documented::<CallOutcome>("mcp_calls_total");
    is_documented::<Limit>("mcp_limits_reached_total");
    is_documented::<Refusal>("mcp_requests_refused_total");
    is_documented::<StreamKind>("mcp_streams_open");
}

#[test]
fn a_series_is_there_before_its_first_event_and_a_level_falls_when_its_guard_goes() {
    let metrics = Metrics::new();
    let shows = |line: &str| assert!(metrics.text().unwrap().lines().any(|shown| shown == line), "{line}");
    shows(r#"mcp_requests_total{method="tools_call",outcome="failed"} 0"#);
    metrics.request(MethodClass::ToolsCall, RequestOutcome::Failed, Duration::from_millis(3));
    shows(r#"mcp_requests_total{method="tools_call",outcome="failed"} 1"#);
    shows(r#"mcp_request_seconds_count{method="tools_call"} 1"#);
    let held = metrics.sessions_open.hold(SessionKind::Legacy);
    shows(r#"mcp_sessions_open{kind="legacy"} 1"#);
    drop(held);
    shows(r#"mcp_sessions_open{kind="legacy"} 0"#);
}
