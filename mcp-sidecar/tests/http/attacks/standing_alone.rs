//! Requests that stand alone (2026-07-28), and what clients may try with them.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{Sidecar, text_of};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/modern.py");
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A call whose headers are right; a row may say otherwise before it is sent.
fn calling(sidecar: &Sidecar, tool: &str, more: &str) -> RequestBuilder {
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{{"name":"{tool}",{more}{META}}}}}"#);
    sidecar.post(body)
}

fn honest(post: RequestBuilder, tool: &str) -> RequestBuilder {
    post.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call").header("Mcp-Name", tool)
}

async fn answer(post: RequestBuilder) -> Value {
    let response: Response = post.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_say_other_than_the_body_are_refused_before_a_process_is_started() {
    let mark = format!("unstarted-{}", std::process::id());
    let sidecar = Sidecar::around(&["--era", "modern"], &["python3", FIXTURE, &mark]).await;
    let right = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")];
    for (name, value) in [
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", ""),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", "TOOLS/CALL"),
        ("Mcp-Method", "tools/call, tools/list"),
        ("Mcp-Name", "harmless"),
        ("Mcp-Name", "=?base64?aGFybWxlc3M=?="),
        ("Mcp-Name", "=?base64?ZWNobw?="),
        ("Mcp-Name", "echo\u{e9}"),
        ("Mcp-Name", ""),
    ] {
        let post = right.iter().fold(calling(&sidecar, "echo", ""), |post, (header, given)| {
            post.header(*header, if *header == name { value } else { given })
        });
        let response = post.send().await.unwrap();
        assert_eq!(response.status(), 400, "{name}: {value}");
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["error"]["code"], &error["id"]), (&json!(-32020), &json!("mine")), "{name}: {value}");
    }
    for missing in 0..3 {
        let given = right.iter().enumerate().filter(|(at, _)| *at != missing);
        let post = given.fold(calling(&sidecar, "echo", ""), |post, (_, (name, value))| post.header(*name, *value));
        assert_eq!(post.send().await.unwrap().status(), 400, "without {}", right[missing].0);
    }
    let twice = honest(calling(&sidecar, "echo", ""), "echo").header("Mcp-Name", "harmless");
    assert_eq!(twice.send().await.unwrap().status(), 400);
    let hidden = honest(calling(&sidecar, "harmless", r#""n\u0061me":"echo","#), "harmless");
    assert_eq!(hidden.send().await.unwrap().status(), 400, "two names in the body");
    assert_eq!(super::floods::processes(&mark), 0);
    let arguments = r#""arguments":{"text":"here"},"#;
    assert_eq!(text_of(&answer(honest(calling(&sidecar, "echo", arguments), "echo")).await), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn request_state_reaches_the_child_of_whoever_sends_it_as_it_is_and_nothing_else_reads_it() {
    let sidecar = Sidecar::around(&["--era", "modern"], &["python3", FIXTURE]).await;
    let by =
        |user: &'static str, more: &str| honest(calling(&sidecar, "input", more), "input").header("X-User-Id", user);
    let asked = answer(by("alice", "")).await;
    assert_eq!(asked["result"]["requestState"], "s\u{e9}");
    for (what, state) in [
        ("its own", r"s\u00e9"),
        ("replayed", r"s\u00e9"),
        ("forged", r"{\u0022user\u0022:\u0022root\u0022}"),
        ("with line breaks", r"a\nb\u0000c"),
    ] {
        let retry = format!(r#""inputResponses":{{"q":{{}}}},"requestState":"{state}","#);
        let expected: String = serde_json::from_str(&format!("\"{state}\"")).unwrap();
        assert_eq!(text_of(&answer(by("alice", &retry)).await), expected, "{what}");
    }
    let pid = |user| answer(honest(calling(&sidecar, "pid", ""), "pid").header("X-User-Id", user));
    let (alices, bobs) = (pid("alice").await, pid("bob").await);
    assert_ne!(text_of(&alices), text_of(&bobs), "a foreign state is judged by another process");
}
