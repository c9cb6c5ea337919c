use super::*;
use crate::mcp::jsonrpc::Message;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fn message(method: &str, params: &str) -> Message {
    let text = format!(r#"{{"jsonrpc":"2.0","id":"a\u0062c","method":"{method}","params":{params}}}"#);
    Message::parse(&Bytes::from(text)).unwrap()
}

fn judged(headers: &[(&str, &str)], method: &str, params: &str) -> Result<Modern, Rejection> {
    let head = RequestHead::parse(headers.iter().map(|&(name, value)| (name, value.as_bytes()))).unwrap();
    match message(method, params) {
        Message::Request(request) => validate(&head, &request),
        other => panic!("{other:?}"),
    }
}

/// HTTP status, JSON-RPC code, and the words.
fn refused(headers: &[(&str, &str)], method: &str, params: &str) -> (u16, i64, String) {
    let refused = judged(headers, method, params).expect_err("must be refused");
    let body: serde_json::Value = serde_json::from_str(&refused.body()).unwrap();
    assert_eq!(body["id"], "abc", "the request's own id");
    let error = &body["error"];
    (refused.status(), error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
}

type Headers<'a> = Vec<(&'a str, &'a str)>;

const LIST: &[(&str, &str)] = &[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];

fn calling(name: &str) -> Headers<'_> {
    vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", name)]
}

#[test]
fn headers_that_agree_with_the_body_are_let_in() {
    let only_meta = format!("{{{META}}}");
    assert_eq!(judged(LIST, "tools/list", &only_meta), Ok(Modern { logs: false }));
    for (method, member) in
        [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri"), ("tasks/cancel", "taskId")]
    {
        let params = format!(r#"{{"{member}":"caf\u00e9",{META}}}"#);
        let mut headers = calling("=?base64?Y2Fmw6k=?=");
        headers[1].1 = method;
        assert!(judged(&headers, method, &params).is_ok(), "{method}");
        headers[2].1 = "cafe";
        assert_eq!(refused(&headers, method, &params).1, -32020, "{method}");
        headers.pop();
        assert_eq!(refused(&headers, method, &params).2, "Header mismatch: Mcp-Name is missing");
    }
}

#[test]
fn a_log_level_is_noticed() {
    let meta = META.replace("{}}", r#"{},"io.modelcontextprotocol/logLevel":"info"}"#);
    assert_eq!(judged(LIST, "tools/list", &format!("{{{meta}}}")), Ok(Modern { logs: true }));
}

#[test]
fn the_meta_that_every_request_must_carry_is_asked_for() {
    let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    for (params, missing) in [
        ("{}".to_owned(), "_meta"),
        ("[]".to_owned(), "_meta"),
        (r#"{"_meta":null}"#.to_owned(), "_meta"),
        (format!(r#"{{"_meta":{{{capabilities}}}}}"#), PROTOCOL_VERSION),
        (
            format!(r#"{{"_meta":{{{capabilities},"io.modelcontextprotocol/protocolVersion":20260728}}}}"#),
            PROTOCOL_VERSION,
        ),
        (format!(r#"{{"_meta":{{{version}}}}}"#), CLIENT_CAPABILITIES),
        (
            format!(r#"{{"_meta":{{{version},"io.modelcontextprotocol/clientCapabilities":null}}}}"#),
            CLIENT_CAPABILITIES,
        ),
    ] {
        let told = format!("Invalid params: {missing} is required");
        assert_eq!(refused(LIST, "tools/list", &params), (400, -32602, told), "{params}");
    }
}

#[test]
fn a_version_that_is_not_spoken_is_named_with_those_that_are() {
    for requested in ["v999.0.0", "1900-01-01", "2027-01-01"] {
        let params = format!(r#"{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{requested}"}}}}"#);
        let headers = [("mcp-protocol-version", requested), ("mcp-method", "server/discover")];
        let refused = judged(&headers, "server/discover", &params).unwrap_err();
        let body: serde_json::Value = serde_json::from_str(&refused.body()).unwrap();
        assert_eq!((refused.status(), body["error"]["code"].as_i64()), (400, Some(-32022)));
        assert_eq!(body["error"]["data"], serde_json::json!({ "supported": ["2026-07-28"], "requested": requested }));
    }
}

#[test]
fn each_disagreement_is_a_header_mismatch() {
    let list = format!("{{{META}}}");
    let other = list.replace("2026-07-28", "v999.0.0");
    let older = list.replace("2026-07-28", "2025-11-25");
    let named = |name: &str| format!(r#"{{"name":{name},{META}}}"#);
    let (version, method) = (("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list"));
    let cases: Vec<(Headers<'_>, &str, String, &str)> = vec![
        (vec![method], "tools/list", list.clone(), "MCP-Protocol-Version is missing"),
        (vec![version, version, method], "tools/list", list.clone(), "MCP-Protocol-Version is given more than once"),
        (vec![version], "tools/list", list.clone(), "Mcp-Method is missing"),
        (vec![version, method, method], "tools/list", list.clone(), "Mcp-Method is given more than once"),
        (LIST.to_vec(), "tools/list", older, "'2026-07-28' does not match body value '2025-11-25'"),
        (LIST.to_vec(), "tools/list", other, "'2026-07-28' does not match body value 'v999.0.0'"),
        (LIST.to_vec(), "prompts/list", list.clone(), "'tools/list' does not match body value 'prompts/list'"),
        (vec![version, ("mcp-method", "TOOLS/LIST")], "tools/list", list.clone(), "'TOOLS/LIST' does not match"),
        (vec![version, ("mcp-method", r"x\")], r#"x\""#, list, "does not match"),
        (
            calling("foo"),
            "tools/call",
            named(r#""bar""#),
            "Mcp-Name header value 'foo' does not match body value 'bar'",
        ),
        (calling("ECHO"), "tools/call", named(r#""echo""#), "'ECHO' does not match body value 'echo'"),
        (calling("=?base64?ZWNobw?="), "tools/call", named(r#""echo""#), "Mcp-Name is neither visible ASCII"),
        (calling("caf\u{e9}"), "tools/call", named(r#""caf\u00e9""#), "Mcp-Name is neither visible ASCII"),
        (calling("echo"), "tools/call", named(r#"["echo"]"#), "Mcp-Name is given, but the body has no such text"),
        (calling("5"), "tools/call", named("5"), "Mcp-Name is given, but the body has no such text"),
        (calling("echo"), "tools/call", format!("{{{META}}}"), "Mcp-Name is given, but the body has no such text"),
    ];
    for (headers, method, params, words) in cases {
        let (status, code, told) = refused(&headers, method, &params);
        assert_eq!((status, code), (400, -32020), "{words}");
        assert!(told.starts_with("Header mismatch: ") && told.contains(words), "{told}: {words}");
    }
}

#[test]
fn a_method_is_compared_as_text_however_json_writes_it() {
    for (header, method) in [(r#"a"b"#, r#"a\"b"#), (r"a\b", r"a\\b"), (r#"x""#, r#"x\""#), ("a/b", r"a\u002fb")] {
        let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", header)];
        assert_eq!(judged(&headers, method, &format!("{{{META}}}")), Ok(Modern { logs: false }), "{method}");
    }
}

#[test]
fn a_name_that_is_missing_in_both_places_is_the_childs_to_miss() {
    let headers = &calling("x")[..2];
    assert!(judged(headers, "tools/call", &format!("{{{META}}}")).is_ok());
}

#[test]
fn a_member_given_twice_is_refused_however_it_is_spelled() {
    for params in [
        format!(r#"{{"name":"a","n\u0061me":"b",{META}}}"#),
        format!(r#"{{"name":"a",{META},{META}}}"#),
        format!(r#"{{"name":"a",{}}}"#, META.replace("{}}", r#"{},"io.modelcontextprotocol/protocolVersion":"x"}"#)),
    ] {
        assert_eq!(refused(&calling("a"), "tools/call", &params).1, -32600, "{params}");
    }
}

#[test]
fn what_the_body_claims_decides_the_era_and_else_the_header() {
    let claim = |version: &str| format!(r#"{{"_meta":{{"io.modelcontextprotocol/protocolVersion":{version}}}}}"#);
    for (header, method, params, expected) in [
        (None, "tools/list", claim(r#""2026-07-28""#), Era::Modern),
        (Some("2025-11-25"), "tools/list", claim(r#""2026-07-28""#), Era::Modern),
        (Some("v999.0.0"), "server/discover", claim(r#""v999.0.0""#), Era::Modern),
        (None, "tools/list", claim(r#""2026-07-28""#).replace("_meta", r"\u005fm\u0065ta"), Era::Modern),
        (None, "tools/list", claim("7"), Era::Modern),
        (Some("2026-07-28"), "tools/list", "{}".into(), Era::Modern),
        (None, "initialize", claim(r#""2026-07-28""#), Era::Modern),
        (Some("2025-11-25"), "tools/list", claim(r#""2025-11-25""#), Era::Legacy),
        (Some("2025-11-25"), "tools/list", "{}".into(), Era::Legacy),
        (Some("2026-07-28"), "tools/list", claim(r#""2025-11-25""#), Era::Modern),
        (None, "tools/list", claim(r#""2025-11-25""#), Era::Legacy),
        (Some("v999.0.0"), "tools/list", "{}".into(), Era::Legacy),
        (None, "tools/list", "[]".into(), Era::Legacy),
        (Some("2026-07-28"), "initialize", r#"{"protocolVersion":"2025-11-25"}"#.into(), Era::Legacy),
        (Some("2026-07-28"), "initialize", claim(r#""2025-11-25""#), Era::Legacy),
        (None, "initialize", claim("7"), Era::Legacy),
    ] {
        let headers = header.map(|version| ("mcp-protocol-version", version.as_bytes()));
        let head = RequestHead::parse(headers.into_iter()).unwrap();
        assert_eq!(era(&head, &message(method, &params)), expected, "{header:?} {method} {params}");
    }
}
