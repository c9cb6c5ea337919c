//! A thousand sessions that are open and do nothing, each with a child of its own.

use futures_util::{StreamExt, stream};
use gateway_tests::{client::McpClient, harness::descendants};
use reqwest::StatusCode;
use serde_json::json;

use crate::sidecar::Sidecar;

const SESSIONS: usize = 1000;
/// The least that is a server: it answers everything with the same result. `$0` is nothing, `${id}` the request's.
const TINY: &str = r#"while read -r line; do
  case $line in *'"id":'*)
    id=${line#*'"id":'}; id=${id%%[,\}]*}
    printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"tiny","version":"1"}}}\n' "$id";;
  esac
done"#;

async fn is_alive(session: &McpClient) -> bool {
    session.post(&session.request("ping", json!({}))).await.status() == StatusCode::OK
}

#[tokio::test]
async fn a_thousand_idle_sessions_cost_little_and_the_next_one_takes_the_place_of_the_oldest() {
    let sidecar =
        Sidecar::around(&["--max-sessions", &SESSIONS.to_string(), "--log-level", "info"], &["sh", "-c", TINY]);
    let first = sidecar.session().await;
    let before = sidecar.memory();
    let more = stream::iter(1..SESSIONS).map(|_| sidecar.session()).buffer_unordered(8);
    let sessions: Vec<_> = more.collect().await;
    let (children, per_session) = (children(&sidecar), sidecar.memory().saturating_sub(before) / SESSIONS);
    assert_eq!(children, SESSIONS);
    assert!(per_session <= 64, "{per_session} KiB for each session");
    for session in sessions.iter().step_by(97) {
        assert!(is_alive(session).await);
    }

    let newest = sidecar.session().await;
    assert!(is_alive(&newest).await);
    assert_eq!(first.post(&first.request("ping", json!({}))).await.status(), StatusCode::NOT_FOUND);
    sidecar.begin_stop();
    sidecar.stopped_well();
}

fn children(sidecar: &Sidecar) -> usize {
    let below = descendants(sidecar.process.pid());
    below.iter().filter(|process| process.command.starts_with("sh -c")).count()
}
