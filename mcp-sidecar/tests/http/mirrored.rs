//! `Mcp-Param-*` headers of 2026-07-28, judged with the child's own list of tools.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::alone::{FIXTURE, call, calling, error_of, listen, modern, request};
use crate::support::{Sidecar, text_of};

async fn mirrored(sidecar: &Sidecar, region: Option<&str>, arguments: Value) -> reqwest::Response {
    let post = calling(sidecar, "7", "mirrored", (arguments, ""));
    region.map_or(post.try_clone().unwrap(), |region| post.header("Mcp-Param-Region", region)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_that_the_tool_mirrors_must_be_in_its_header_though_nobody_listed_the_tools() {
    let sidecar = modern().await;
    for (region, arguments) in [
        (None, json!({ "region": "west" })),
        (Some("east"), json!({ "region": "west" })),
        (Some("=?base64?d2VzdA?="), json!({ "region": "west" })),
        (Some("west"), json!({})),
    ] {
        assert_eq!(error_of(mirrored(&sidecar, region, arguments).await).await, (400, json!(7), -32020), "{region:?}");
    }
    for (region, arguments) in [
        (Some("west"), json!({ "region": "west" })),
        (Some("=?base64?d2VzdA==?="), json!({ "region": "west" })),
        (None, json!({})),
    ] {
        assert_eq!(mirrored(&sidecar, region, arguments).await.status(), 200, "{region:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_listed_once_and_again_only_when_headers_do_not_agree() {
    let sidecar = modern().await;
    let lists = async || serde_json::from_str::<Value>(text_of(&call(&sidecar, "lists", json!({})).await)).unwrap();
    assert_eq!(lists().await, json!([null, "more"]), "all pages");
    assert_eq!(mirrored(&sidecar, Some("west"), json!({ "region": "west" })).await.status(), 200);
    assert_eq!(lists().await, json!([null, "more"]));
    assert_eq!(mirrored(&sidecar, Some("east"), json!({ "region": "west" })).await.status(), 400);
    assert_eq!(lists().await, json!([null, "more", null, "more"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lists_the_tools_itself_gets_its_own_answer() {
    let sidecar = modern().await;
    let listed = request(&sidecar, "\"mine\"", "tools/list", ("", "")).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!((&listed["id"], &listed["result"]["nextCursor"]), (&json!("mine"), &json!("more")));
}

/// A sidecar around a server that lists its tools in that odd way.
async fn odd(tools: &str, options: &[&str]) -> Sidecar {
    Sidecar::around(options, &["env", &format!("TOOLS={tools}"), "python3", FIXTURE]).await
}

/// Calls that would take for ever if each were held up.
async fn many_calls_ask_once(sidecar: &Sidecar) {
    let calls = async {
        for _ in 0..60 {
            assert_eq!(text_of(&call(sidecar, "lists", json!({})).await), "[null]");
        }
    };
    timeout(Duration::from_secs(100), calls).await.expect("each call waited for a list that does not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_lists_its_tools_holds_up_calls_once_until_it_tells_of_a_change() {
    let sidecar = odd("never", &["--call-timeout", "4"]).await;
    many_calls_ask_once(&sidecar).await;
    // Nobody was told of headers, so none are recognized.
    assert_eq!(mirrored(&sidecar, Some("east"), json!({ "region": "west" })).await.status(), 200);
    let mut changes = listen(&sidecar, "1").await;
    call(&sidecar, "change", json!({})).await;
    changes.message().await.unwrap();
    assert_eq!(text_of(&call(&sidecar, "lists", json!({})).await), "[null, null]", "asked anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tools_that_is_too_long_holds_up_nobody() {
    let sidecar = odd("huge", &["--max-line", "50000"]).await;
    many_calls_ask_once(&sidecar).await;
}
