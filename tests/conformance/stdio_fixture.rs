//! The scripted fixture keeps the rules of each era, so that what it says through the sidecar proves something.

use std::io::Write;
use std::process::{ChildStdin, Command};

use gateway_tests::harness::{Process, binary};
use serde_json::{Value, json};

struct Fixture {
    process: Process,
    stdin: ChildStdin,
}

impl Fixture {
    fn start(era: &str) -> Self {
        let mut command = Command::new(binary("stdio-fixture"));
        let (process, stdin) = Process::start_fed("stdio-fixture", command.args(["--era", era]));
        Self { process, stdin }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.stdin, "{message}").expect("it reads");
    }

    /// What it answers to a request with this `_meta`.
    fn ask(&mut self, id: &str, method: &str, mut params: Value, capabilities: Option<Value>) -> Value {
        if let Some(capabilities) = capabilities {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": capabilities,
            });
        }
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.heard("answer", |message| message["id"] == id)
    }

    /// `ask` without a session.
    fn modern(&mut self, id: &str, method: &str, params: Value) -> Value {
        self.ask(id, method, params, Some(json!({ "elicitation": {} })))
    }

    fn heard(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.process.within(what, |log| {
            log.lines().filter_map(|line| serde_json::from_str(line).ok()).find(|message| wanted(message))
        })
    }
}

#[test]
fn each_era_refuses_the_opening_of_the_other() {
    let mut legacy = Fixture::start("legacy");
    assert_eq!(legacy.modern("1", "server/discover", json!({}))["error"]["code"], -32601);
    let mut modern = Fixture::start("modern");
    let initialize = json!({ "protocolVersion": "2025-11-25", "capabilities": {} });
    let refused = modern.ask("1", "initialize", initialize, None);
    assert_eq!(refused["error"]["code"], -32022);
    assert_eq!(refused["error"]["data"], json!({ "supported": ["2026-07-28"], "requested": "2025-11-25" }));
}

#[test]
fn a_dual_fixture_stays_with_what_its_first_request_spoke() {
    let initialize = json!({ "protocolVersion": "2025-11-25", "capabilities": {} });
    let mut dual = Fixture::start("dual");
    assert_eq!(dual.ask("1", "initialize", initialize.clone(), None)["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(dual.modern("2", "server/discover", json!({}))["error"]["code"], -32601);
    let mut dual = Fixture::start("dual");
    assert_eq!(dual.modern("1", "server/discover", json!({}))["result"]["resultType"], "complete");
    assert_eq!(dual.ask("2", "initialize", initialize, None)["error"]["code"], -32022);
}

#[test]
fn a_question_needs_the_capability_and_its_answer_the_untouched_state() {
    let mut fixture = Fixture::start("modern");
    let call = json!({ "name": "elicit", "arguments": { "text": "who?" } });
    let incapable = fixture.ask("1", "tools/call", call.clone(), Some(json!({})));
    assert_eq!(incapable["error"]["code"], -32021);
    let asked = fixture.modern("2", "tools/call", call.clone());
    assert_eq!(asked["result"]["resultType"], "input_required");
    let mut retry = call;
    retry["inputResponses"] = json!({ "question-1": { "action": "accept", "content": { "answer": "me" } } });
    retry["requestState"] = json!("1 forged");
    assert_eq!(fixture.modern("3", "tools/call", retry.clone())["error"]["code"], -32602);
    retry["requestState"] = asked["result"]["requestState"].clone();
    let answered = fixture.modern("4", "tools/call", retry);
    assert!(answered["result"]["content"][0]["text"].as_str().expect("a text").contains("\"me\""), "{answered}");
}

#[test]
fn a_listener_hears_what_it_asked_for_until_it_cancels() {
    let mut fixture = Fixture::start("modern");
    let listen = json!({ "notifications": { "resourceSubscriptions": ["fixture:///greeting"] }, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
    } });
    fixture.send(&json!({ "jsonrpc": "2.0", "id": "l", "method": "subscriptions/listen", "params": listen }));
    let touch = json!({ "name": "touch", "arguments": { "uri": "fixture:///greeting" } });
    fixture.modern("1", "tools/call", touch);
    fixture.modern("2", "tools/call", json!({ "name": "list_changed" }));
    let told = fixture.heard("tell of it", |message| message["method"] == "notifications/resources/updated");
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "l");
    assert!(!fixture.process.log().contains("list_changed"), "nobody asked to hear it");
    fixture.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "l" } }));
    let listeners = fixture.modern("3", "tools/call", json!({ "name": "listeners" }));
    assert_eq!(listeners["result"]["content"][0]["text"], "0");
}

#[test]
fn a_cancelled_call_is_never_answered_and_its_id_is_free_again() {
    let mut fixture = Fixture::start("modern");
    let hang = json!({ "name": "hang", "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let hang = json!({ "jsonrpc": "2.0", "id": "h", "method": "tools/call", "params": hang });
    fixture.send(&hang);
    fixture.send(&hang);
    let refused = fixture.heard("refuse the id", |message| message["id"] == "h");
    assert_eq!(refused["error"]["code"], -32600);
    fixture.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "h" } }));
    let cancelled = fixture.modern("1", "tools/call", json!({ "name": "cancelled" }));
    assert_eq!(cancelled["result"]["content"][0]["text"], "1");
    assert_eq!(fixture.process.log().matches("\"h\"").count(), 1, "{}", fixture.process.log());
}

#[test]
fn only_the_request_that_asks_for_log_messages_hears_them() {
    let mut fixture = Fixture::start("modern");
    fixture.modern("1", "tools/call", json!({ "name": "log", "arguments": { "text": "unasked" } }));
    let call = |level| {
        json!({ "name": "log", "arguments": { "text": level }, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/logLevel": level,
        } })
    };
    assert!(fixture.ask("2", "tools/call", call("warning"), None)["result"].is_object());
    assert!(fixture.ask("3", "tools/call", call("info"), None)["result"].is_object());
    assert_eq!(fixture.ask("4", "tools/call", call("loud"), None)["error"]["code"], -32602);
    let log = fixture.process.log();
    assert_eq!(log.matches("notifications/message").count(), 1, "{log}");
}
