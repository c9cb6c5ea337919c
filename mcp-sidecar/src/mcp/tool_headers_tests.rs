use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::mcp::jsonrpc::Message;

fn known(tools: Value) -> ToolHeaders {
    let mut headers = ToolHeaders::default();
    assert_eq!(headers.learn(&json!({ "tools": tools }).to_string().into()), None);
    headers
}

fn sql() -> Value {
    let property = |kind: &str, header: &str| json!({ "type": kind, "x-mcp-header": header });
    let properties = json!({
        "region": property("string", "Region"),
        "limit": property("integer", "Limit"),
        "dry": property("boolean", "Dry"),
        "at": { "type": "object", "properties": { "shard": property("integer", "Shard") } },
        "query": { "type": "string" },
    });
    json!({ "name": "execute_sql", "inputSchema": { "type": "object", "properties": properties } })
}

/// A call of the tool with arguments as they are written, and `Mcp-Param-*` headers: refused with what words?
fn judged(tools: &ToolHeaders, arguments: &str, headers: &[(&str, &str)]) -> Result<(), String> {
    let text = format!(
        r#"{{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{{"name":"execute_sql","arguments":{arguments}}}}}"#
    );
    let names: Vec<String> = headers.iter().map(|(name, _)| format!("mcp-param-{name}")).collect();
    let pairs = names.iter().zip(headers).map(|(name, (_, value))| (name.as_str(), value.as_bytes()));
    let head = RequestHead::parse(pairs).unwrap();
    let Ok(Message::Request(request)) = Message::parse(&text.into()) else { panic!("no request: {arguments}") };
    tools.validate(&head, &request).map_err(|refused| {
        let body: Value = serde_json::from_str(&refused.body()).unwrap();
        assert_eq!((refused.status(), &body["id"]), (400, &json!(9)));
        format!("{} {}", body["error"]["code"], body["error"]["message"].as_str().unwrap())
    })
}

#[test]
fn each_row_of_the_table_for_servers_holds() {
    let tools = known(json!([sql()]));
    for (row, arguments, headers, expected) in [
        ("value provided", r#"{"region":"us-west1"}"#, &[("region", "us-west1")][..], Ok(())),
        ("value is null", r#"{"region":null}"#, &[], Ok(())),
        ("not in arguments", r#"{"query":"SELECT 1"}"#, &[], Ok(())),
        ("header omitted", r#"{"region":"us-west1"}"#, &[], Err("Mcp-Param-Region is missing")),
        ("another value", r#"{"region":"eu"}"#, &[("region", "us")], Err("'us' does not match body value 'eu'")),
        ("header for null", r#"{"region":null}"#, &[("region", "us")], Err("the body has no such text")),
        ("header for nothing", "{}", &[("region", "us")], Err("the body has no such text")),
        ("header for a list", r#"{"region":["us"]}"#, &[("region", "us")], Err("the body has no such text")),
    ] {
        match (judged(&tools, arguments, headers), expected) {
            (Ok(()), Ok(())) => {}
            (Err(told), Err(words)) => {
                assert!(told.starts_with("-32020 Header mismatch") && told.contains(words), "{row}: {told}");
            }
            (told, _) => panic!("{row}: {told:?}"),
        }
    }
}

#[test]
fn values_are_compared_by_their_kind() {
    let tools = known(json!([sql()]));
    for (arguments, header, agrees) in [
        (r#"{"limit":42}"#, ("limit", "42"), true),
        (r#"{"limit":42.0}"#, ("limit", "42"), true),
        (r#"{"limit":-7}"#, ("limit", "-7.0"), true),
        (r#"{"limit":42}"#, ("limit", "43"), false),
        (r#"{"limit":9007199254740993}"#, ("limit", "9007199254740992"), false),
        (r#"{"dry":true}"#, ("dry", "true"), true),
        (r#"{"dry":true}"#, ("dry", "True"), false),
        (r#"{"dry":false}"#, ("dry", "0"), false),
        (r#"{"dry":"true"}"#, ("dry", "true"), true),
        (r#"{"at":{"shard":5}}"#, ("shard", "5"), true),
        (r#"{"at":{"shard":5}}"#, ("shard", "6"), false),
        (r#"{"at":5}"#, ("shard", "5"), false),
        (r#"{"region":"Hello, \u4e16\u754c"}"#, ("region", "=?base64?SGVsbG8sIOS4lueVjA==?="), true),
        (r#"{"region":"Hello"}"#, ("region", "=?base64?SGVsbG8=?="), true),
        (r#"{"region":"Hello"}"#, ("region", "=?base64?SGVsbG8?="), false),
        (r#"{"region":"Hello"}"#, ("region", "=?base64?SGVs!!!bG8=?="), false),
        (r#"{"region":"SGVsbG8="}"#, ("region", "SGVsbG8="), true),
        (r#"{"region":"=?base64?SGVsbG8="}"#, ("region", "=?base64?SGVsbG8="), true),
        (r#"{"region":"caf\u00e9"}"#, ("region", "caf\u{e9}"), false),
        (r#"{"region":""}"#, ("region", ""), true),
    ] {
        assert_eq!(judged(&tools, arguments, &[header]).is_ok(), agrees, "{arguments} {header:?}");
    }
}

#[test]
fn an_argument_given_twice_or_a_header_given_twice_is_refused() {
    let tools = known(json!([sql()]));
    let twice = r#"{"region":"us","r\u0065gion":"eu"}"#;
    assert!(judged(&tools, twice, &[("region", "us")]).unwrap_err().starts_with("-32600"));
    let headers = [("region", "us"), ("region", "us")];
    assert!(judged(&tools, r#"{"region":"us"}"#, &headers).unwrap_err().contains("more than once"));
}

#[test]
fn tools_without_valid_annotations_expect_nothing() {
    let mut tools = known(json!([{ "name": "execute_sql", "inputSchema": {} }]));
    assert_eq!(judged(&tools, r#"{"region":"us"}"#, &[("region", "eu")]), Ok(()));
    let mut spoiled = sql();
    spoiled["inputSchema"]["properties"]["query"]["x-mcp-header"] = json!("REGION");
    let invalid = tools.learn(&json!({ "tools": [spoiled] }).to_string().into()).unwrap();
    assert_eq!((invalid.name, invalid.why), (Quoted::new("execute_sql"), Invalid::NotUnique));
    assert_eq!(judged(&tools, r#"{"region":"us"}"#, &[]), Ok(()));
}

#[test]
fn a_tool_that_is_listed_anew_is_known_anew_and_the_other_pages_stay() {
    let mut tools = known(json!([sql()]));
    tools.learn(&json!({ "tools": [{ "name": "other", "inputSchema": {} }] }).to_string().into());
    assert!(judged(&tools, r#"{"region":"us"}"#, &[]).is_err());
    tools.learn(&json!({ "tools": [{ "name": "execute_sql", "inputSchema": {} }] }).to_string().into());
    assert!(judged(&tools, r#"{"region":"us"}"#, &[]).is_ok());
    assert_eq!((tools.bytes, tools.tools.len()), (0, 0));
}

#[test]
fn a_hostile_list_takes_bounded_memory() {
    let mut tools = ToolHeaders::default();
    let long = "n".repeat(100);
    let listed: Vec<String> = (0..100_000).map(|n| {
        format!(r#"{{"name":"{long}{n}","inputSchema":{{"properties":{{"a":{{"type":"string","x-mcp-header":"A"}}}}}}}}"#)
    }).collect();
    assert_eq!(tools.learn(&format!(r#"{{"tools":[{}]}}"#, listed.join(",")).into()), None);
    assert!(tools.bytes <= MAX_BYTES && tools.tools.len() < 5000);
    let ballast = "x".repeat(8 << 20);
    let mut huge = sql();
    huge["inputSchema"]["properties"]["query"]["description"] = json!(ballast);
    let mut tools = known(json!([huge]));
    assert!(tools.bytes < 2000 && judged(&tools, r#"{"region":"us"}"#, &[]).is_err());
    assert_eq!(tools.learn(&Bytes::from_static(br#"{"tools":"none"}"#)), None);
}

/// What the specification tells clients to send.
fn encoded(value: &str) -> String {
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && value.trim() == value;
    if plain && !(value.starts_with("=?base64?") && value.ends_with("?=")) {
        return value.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(value))
}

proptest! {
    #[test]
    fn what_an_honest_client_sends_is_let_in(region: String, limit: i64, dry: bool, shard: i32) {
        let arguments = json!({ "region": region, "limit": limit, "dry": dry, "at": { "shard": shard } }).to_string();
        let values = [encoded(&region), limit.to_string(), dry.to_string(), shard.to_string()];
        let headers: Vec<(&str, &str)> = ["region", "limit", "dry", "shard"].into_iter().zip(values.iter().map(String::as_str)).collect();
        prop_assert_eq!(judged(&known(json!([sql()])), &arguments, &headers), Ok(()));
    }

    #[test]
    fn two_texts_agree_only_if_they_are_one(said: String, meant: String) {
        let arguments = json!({ "region": meant }).to_string();
        let agrees = judged(&known(json!([sql()])), &arguments, &[("region", &encoded(&said))]).is_ok();
        prop_assert_eq!(agrees, said == meant);
    }

    #[test]
    fn no_bytes_break_the_reader(result: Vec<u8>, schema: String) {
        let mut tools = ToolHeaders::default();
        tools.learn(&result.into());
        tools.learn(&format!(r#"{{"tools":[{{"name":"a","inputSchema":{schema}}}]}}"#).into());
        prop_assert!(tools.bytes <= MAX_BYTES);
    }
}
