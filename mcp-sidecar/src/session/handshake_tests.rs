use super::*;
use crate::child::{Command, Limits};

/// A server in Python: `answer` may look at `method`, `params` and `id`.
fn server(answer: &str) -> Spawning {
    let script = format!(
        r#"
import json, sys, time
def send(**message): print(json.dumps(dict(message, jsonrpc="2.0")), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    method, params, id = message.get("method"), message.get("params"), message.get("id")
{}
"#,
        answer.trim_matches('\n')
    );
    let command = Command { program: "python3".into(), args: vec!["-c".into(), script.into()], env: Vec::new() };
    let limits = Limits { max_line: 1 << 20, stdin_queue: 8, stdout_queue: 8, stop_grace: Duration::from_millis(300) };
    Spawning { command, limits, told: Vec::new(), isolation: crate::config::Isolation::default() }
}

async fn speaking_to(answer: &str) -> Handshake {
    within(answer, Duration::from_secs(60)).await
}

async fn within(answer: &str, patience: Duration) -> Handshake {
    Handshake::start(&server(answer), "test", patience, &Handle::current()).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_found_among_junk_notifications_and_questions() {
    let mut server = speaking_to(
        r#"
    if method == "initialize":
        print("npm notice", flush=True)
        send(method="notifications/message", params={})
        send(id=7, result={"protocolVersion": "stale"})
        send(id="ask", method="roots/list")
        asked = json.loads(sys.stdin.readline())
        send(id="alive", method="ping")
        pinged = json.loads(sys.stdin.readline())
        send(id=id, result={"protocolVersion": "2025-06-18", "capabilities": [asked, pinged]})
    "#,
    )
    .await;
    let introduction = server.initialize().await.unwrap();
    assert_eq!(introduction.versions, ["2025-06-18"]);
    assert_eq!((server.junk().lines, server.junk().first.as_deref()), (1, Some("npm notice")));
    let [asked, pinged] = &introduction.capabilities.as_array().unwrap()[..] else { panic!() };
    assert_eq!((&asked["id"], &asked["error"]["code"]), (&json!("ask"), &json!(-32601)));
    assert_eq!((&pinged["id"], &pinged["result"]), (&json!("alive"), &json!({})));
    server.stop().await;
}

#[tokio::test]
async fn all_pages_of_the_tools_are_listed_in_either_era() {
    for era in [Era::Legacy, Era::Modern] {
        let mut server = speaking_to(
            r#"
    if method == "tools/list":
        page = int(params.get("cursor", "0"))
        more = {"nextCursor": str(page + 1)} if page < 2 else {}
        meta = params.get("_meta", {}).get("io.modelcontextprotocol/protocolVersion")
        send(id=id, result=dict(more, tools=[{"name": "tool%d" % page, "meta": meta}]))
    "#,
        )
        .await;
        let mut tools = Vec::new();
        server.list(List::TOOLS, era, &mut tools).await.unwrap();
        assert_eq!(tools.iter().map(|tool| &tool["name"]).collect::<Vec<_>>(), ["tool0", "tool1", "tool2"]);
        let expected = if era == Era::Modern { json!("2026-07-28") } else { Value::Null };
        assert!(tools.iter().all(|tool| tool["meta"] == expected), "{tools:?}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_list_whose_pages_never_end_is_not_followed_for_ever() {
    let mut server =
        speaking_to(r#"    send(id=id, result={"tools": [{"name": "again"}], "nextCursor": "more"})"#).await;
    let mut tools = Vec::new();
    let endless = server.list(List::TOOLS, Era::Legacy, &mut tools).await.unwrap_err();
    assert!(matches!(endless, Unanswered::Endless("tools/list")) && tools.len() == MAX_PAGES, "{endless}");
    server.stop().await;
}

#[tokio::test]
async fn an_error_is_told_with_its_words_and_an_answer_without_an_id_counts() {
    let mut server = speaking_to(r#"    send(id=None, error={"code": -32700, "message": "cannot read this"})"#).await;
    let refused = server.initialize().await.unwrap_err();
    assert!(refused.to_string().contains("cannot read this"), "{refused}");
    assert_eq!(server.discover().await.unwrap(), Discovery::Legacy);
    server.stop().await;
}

#[tokio::test]
async fn an_id_that_comes_back_as_text_counts_and_an_answer_that_is_no_message_is_not_waited_for() {
    let mut server = speaking_to(r#"    send(id=str(id), result={"protocolVersion": "2025-11-25"})"#).await;
    assert_eq!(server.initialize().await.unwrap().versions, ["2025-11-25"]);
    server.stop().await;
    let mut server = speaking_to(r#"    print(json.dumps({"jsonrpc": 2, "id": id, "result": {}}), flush=True)"#).await;
    let refused = server.initialize().await.unwrap_err();
    assert!(refused.to_string().contains("jsonrpc must be"), "{refused}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_ends_hangs_or_floods_is_told_apart() {
    let ended = speaking_to("    sys.exit(3)").await.discover().await.unwrap_err();
    assert!(matches!(ended, Unanswered::Exited(ExitReason::Code(3))), "{ended}");
    let hung = within("    pass", Duration::from_millis(300)).await.discover().await.unwrap_err();
    assert!(matches!(hung, Unanswered::Silent), "{hung}");
    let flooded = r#"    print("x" * 2000000, flush=True)"#;
    let flooded = speaking_to(flooded).await.discover().await.unwrap_err();
    assert!(matches!(flooded, Unanswered::Flooded), "{flooded}");
    let drip = "    while True: print('x' * 1000000)";
    let dripping = speaking_to(drip).await.discover().await.unwrap_err();
    assert!(matches!(dripping, Unanswered::Flooded), "{dripping}");
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_an_error() {
    let mut spawning = server("");
    spawning.command.program = "/no/such/program".into();
    let missing = Handshake::start(&spawning, "test", Duration::from_secs(1), &Handle::current()).await.unwrap_err();
    assert!(matches!(missing, Unanswered::NotStarted(_)), "{missing}");
}
