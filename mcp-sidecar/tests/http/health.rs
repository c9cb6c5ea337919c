//! `/health`: the process answers. `/ready`: the wrapped server answers too.

use futures_util::future::join_all;
use reqwest::Response;
use serde_json::Value;

use crate::support::{FIXTURE, Sidecar};

/// Answers `server/discover` and nothing else: a server of 2026-07-28 alone.
const MODERN_ONLY: &str = r#"
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    said = {"error": {"code": -32601, "message": "no"}}
    if message["method"] == "server/discover":
        said = {"result": {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}}}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **said}), flush=True)
"#;

async fn get(sidecar: &Sidecar, path: &str) -> Response {
    sidecar.http.get(sidecar.at(path)).send().await.unwrap()
}

async fn reason(sidecar: &Sidecar) -> String {
    let unready = get(sidecar, "/ready").await;
    assert_eq!(unready.status(), 503);
    let body: Value = unready.json().await.unwrap();
    assert_eq!(body["status"], "unready");
    body["reason"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_is_ready_and_is_asked_once_however_many_want_to_know() {
    let folder = tempfile::tempdir().unwrap();
    let starts = folder.path().join("starts");
    let script = format!("echo >> {}; exec python3 {FIXTURE}", starts.display());
    let sidecar = Sidecar::around(&[], &["sh", "-c", &script]).await;
    let asked = ["/ready", "/health?ready", "/health?ready=1"].map(|path| get(&sidecar, path));
    for ready in join_all(asked).await.into_iter().chain([get(&sidecar, "/ready").await]) {
        assert_eq!(ready.status(), 200);
        assert_eq!(ready.headers()["cache-control"], "no-store");
        assert_eq!(ready.text().await.unwrap(), r#"{"status":"ready"}"#);
    }
    assert_eq!(std::fs::read_to_string(starts).unwrap(), "\n");
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_has_a_head_and_no_other_method() {
    let sidecar = Sidecar::with(&["--legacy-sse"]).await;
    for path in ["/health", "/health?ready", "/ready", "/metrics"] {
        let head = sidecar.http.head(sidecar.at(path)).send().await.unwrap();
        let read = get(&sidecar, path).await;
        assert_eq!((head.status().as_u16(), read.status().as_u16()), (200, 200), "{path}");
        assert_eq!(head.headers()["content-type"], read.headers()["content-type"], "{path}");
    }
    for (path, allowed) in [
        ("/health", "GET, HEAD"),
        ("/ready", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/sse", "GET"),
        ("/messages", "POST"),
    ] {
        let refused = sidecar.http.put(sidecar.at(path)).send().await.unwrap();
        let told = refused.headers()["allow"].to_str().unwrap();
        assert_eq!((refused.status().as_u16(), told), (405, allowed), "{path}");
    }
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_newest_revision_alone_is_ready_too() {
    for options in [&[][..], &["--era", "modern"]] {
        let sidecar = Sidecar::around(options, &["python3", "-c", MODERN_ONLY]).await;
        assert_eq!(get(&sidecar, "/ready").await.status(), 200, "{options:?}");
        sidecar.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_not_ready_for_a_reason_but_the_sidecar_is_alive() {
    let sidecar = Sidecar::around(&[], &["sh", "-c", "exit 7"]).await;
    assert_eq!(reason(&sidecar).await, "the MCP server exited with status 7");
    assert_eq!(get(&sidecar, "/health").await.text().await.unwrap(), r#"{"status":"ok"}"#);
    sidecar.stopped().await;
    let sidecar = Sidecar::around(&[], &["no-such-program"]).await;
    assert!(reason(&sidecar).await.contains("No such file"));
    sidecar.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_cannot_make_us_start_processes() {
    let sidecar = Sidecar::start().await;
    for path in ["/ready", "/health?ready"] {
        let refused = sidecar.http.get(sidecar.at(path)).header("Host", "rebound.example").send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }
    sidecar.stopped().await;
}
