//! What is said first to a server, and what its answer tells: `server/discover` (2026-07-28 server/discover,
//! stdio §Backward Compatibility) or `initialize` (2025-11-25 basic/lifecycle).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::compose::{self, Edited};
use super::headers;
use super::jsonrpc::Outcome;
use super::version::ProtocolVersion;

/// The newest modern revision that we ask for.
pub const MODERN: &str = "2026-07-28";
/// The newest legacy revision that we ask for; a server may counter with an older one.
pub const LEGACY: &str = "2025-11-25";

/// The method that every modern server has.
pub const DISCOVER: &str = "server/discover";

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// 2026-07-28 basic/index §Error Codes: only a modern server may answer with these.
const MODERN_ERRORS: [i64; 3] = [-32020, -32021, UNSUPPORTED_VERSION];
const UNSUPPORTED_VERSION: i64 = -32022;

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Introduction {
    /// All it names, in `server/discover`; the one it chose, in `initialize`.
    pub versions: Vec<String>,
    pub capabilities: Value,
    /// Name and version, not verified by anybody.
    pub server_info: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
}

/// What the answer to `server/discover` says about the era.
#[derive(Clone, Debug, PartialEq)]
pub enum Discovery {
    Modern(Introduction),
    Legacy,
}

/// 2026-07-28 basic/index §_meta: what every modern request must carry.
pub fn modern_meta() -> Value {
    json!({ META_VERSION: MODERN, META_CLIENT: ourselves(), META_CAPABILITIES: {} })
}

/// 2026-07-28 server/discover: what every modern server answers.
pub fn discover(id: u64) -> Bytes {
    compose::own_request(id, DISCOVER, &json!({ "_meta": modern_meta() }))
}

/// Params of an `initialize` of our own; real clients' are passed on as they came.
pub fn initialize_params() -> Value {
    json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": ourselves() })
}

fn ourselves() -> Value {
    json!({ "name": "mcp-sidecar", "version": env!("CARGO_PKG_VERSION") })
}

/// stdio §Backward Compatibility: a `DiscoverResult` or a modern error means modern, anything else legacy. A server
/// that names legacy revisions only is what it says.
pub fn discovered(outcome: &Outcome) -> Discovery {
    let introduction = match outcome {
        Outcome::Result(result) => read_discover_result(result),
        Outcome::Error(error) => read_modern_error(error),
    };
    match introduction {
        Some(said) if said.versions.is_empty() || said.versions.iter().any(|version| is_modern(version)) => {
            Discovery::Modern(said)
        }
        _ => Discovery::Legacy,
    }
}

/// A client chooses one of the revisions that a DiscoverResult names (server/discover §DiscoverResult), and what the
/// server speaks but the sidecar does not would be refused. Where none would be left, it stays as it is.
pub fn name_only_spoken(result: &mut Bytes) {
    #[derive(Deserialize)]
    struct DiscoverResult<'a> {
        #[serde(borrow, rename = "supportedVersions")]
        supported_versions: &'a RawValue,
    }
    let Ok(DiscoverResult { supported_versions: raw }) = serde_json::from_slice(result) else { return };
    let Ok(named) = serde_json::from_str::<Vec<String>>(raw.get()) else { return };
    let is_spoken =
        |version: &&String| headers::MODERN.contains(&version.as_str()) || ProtocolVersion::parse(version).is_some();
    let spoken: Vec<&String> = named.iter().filter(is_spoken).collect();
    if !spoken.is_empty() && spoken.len() < named.len() {
        let part = result.slice_ref(raw.get().as_bytes());
        *result = Edited::replacing(result.clone(), &part, json!(spoken).to_string().into()).into_bytes();
    }
}

/// Revisions are dates: the modern ones begin with 2026-07-28.
fn is_modern(version: &str) -> bool {
    version >= MODERN
}

fn read_discover_result(result: &[u8]) -> Option<Introduction> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct DiscoverResult {
        supported_versions: Vec<String>,
        #[serde(default)]
        capabilities: Value,
        #[serde(default)]
        instructions: Option<String>,
        #[serde(default, rename = "_meta")]
        meta: Value,
    }
    let said: DiscoverResult = serde_json::from_slice(result).ok()?;
    Some(Introduction {
        versions: Some(said.supported_versions).filter(|versions| !versions.is_empty())?,
        capabilities: said.capabilities,
        server_info: said.meta.get(META_SERVER).cloned().unwrap_or_default(),
        instructions: said.instructions,
    })
}

fn read_modern_error(error: &[u8]) -> Option<Introduction> {
    let error: Value = serde_json::from_slice(error).ok()?;
    let code = error["code"].as_i64().filter(|code| MODERN_ERRORS.contains(code))?;
    let supported = Some(&error["data"]["supported"]).filter(|_| code == UNSUPPORTED_VERSION);
    let named = supported.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Some(Introduction { versions: named.map(str::to_owned).collect(), ..Introduction::default() })
}

/// The result of `initialize`; `None` when it names no revision.
pub fn initialized(result: &[u8]) -> Option<Introduction> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct InitializeResult {
        protocol_version: String,
        #[serde(default)]
        capabilities: Value,
        #[serde(default)]
        server_info: Value,
        #[serde(default)]
        instructions: Option<String>,
    }
    let InitializeResult { protocol_version, capabilities, server_info, instructions } =
        serde_json::from_slice(result).ok()?;
    Some(Introduction { versions: vec![protocol_version], capabilities, server_info, instructions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(json: &str) -> Discovery {
        discovered(&Outcome::Result(json.to_owned().into()))
    }

    fn error(json: &str) -> Discovery {
        discovered(&Outcome::Error(json.to_owned().into()))
    }

    #[test]
    fn a_discover_result_introduces_a_modern_server() {
        let said = r#"{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25"],
            "capabilities":{"tools":{}},"instructions":"be kind",
            "_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x","version":"2"}}}"#;
        let Discovery::Modern(introduction) = result(said) else { panic!() };
        assert_eq!(introduction.versions, ["2026-07-28", "2025-11-25"]);
        assert_eq!(introduction.capabilities, json!({ "tools": {} }));
        assert_eq!(introduction.server_info["name"], "x");
        assert_eq!(introduction.instructions.as_deref(), Some("be kind"));
    }

    #[test]
    fn a_revision_that_only_the_server_speaks_is_not_passed_on() {
        for (named, passed_on) in [
            (r#"["2027-01-01", "2026-07-28","DRAFT","2025-11-25"]"#, r#"["2026-07-28","2025-11-25"]"#),
            (r#"[ "2026-07-28" ]"#, r#"[ "2026-07-28" ]"#),
            (r#"["2027-01-01"]"#, r#"["2027-01-01"]"#),
            ("[]", "[]"),
            ("[1]", "[1]"),
        ] {
            let result = |versions| format!(r#"{{"n": 1.0, "supportedVersions":{versions}, "_meta":{{}}}}"#);
            let mut text = Bytes::from(result(named));
            name_only_spoken(&mut text);
            assert_eq!(text, result(passed_on));
        }
        let mut odd = Bytes::from_static(b"[]");
        name_only_spoken(&mut odd);
        assert_eq!(odd, "[]");
    }

    #[test]
    fn a_recognised_modern_error_means_modern_and_any_other_legacy() {
        let unsupported = r#"{"code":-32022,"message":"no","data":{"supported":["2027-01-01"],"requested":"x"}}"#;
        let Discovery::Modern(introduction) = error(unsupported) else { panic!() };
        assert_eq!(introduction.versions, ["2027-01-01"]);
        assert!(matches!(error(r#"{"code":-32021,"message":"no"}"#), Discovery::Modern(_)));
        for code in [-32601, -32602, -32600, -32000, -32002, -32019, -32042, 0] {
            assert_eq!(error(&format!(r#"{{"code":{code},"message":"no"}}"#)), Discovery::Legacy, "{code}");
        }
        assert_eq!(error("[]"), Discovery::Legacy);
    }

    #[test]
    fn a_server_that_answers_anything_or_names_only_old_revisions_is_legacy() {
        for odd in ["{}", "null", "[]", r#"{"supportedVersions":[]}"#, r#"{"supportedVersions":["2025-11-25"]}"#] {
            assert_eq!(result(odd), Discovery::Legacy, "{odd}");
        }
        let old = r#"{"code":-32022,"message":"no","data":{"supported":["2025-11-25","2024-11-05"]}}"#;
        assert_eq!(error(old), Discovery::Legacy);
    }

    #[test]
    fn an_initialize_result_names_one_revision() {
        let said = r#"{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"x"}}"#;
        let introduction = initialized(said.as_bytes()).unwrap();
        assert_eq!(
            (introduction.versions, introduction.server_info["name"].as_str()),
            (vec!["2025-06-18".to_owned()], Some("x"))
        );
        assert_eq!(initialized(b"{}"), None);
    }

    #[test]
    fn a_modern_request_of_ours_carries_all_that_is_required() {
        let meta = modern_meta();
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
        assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "mcp-sidecar");
    }
}
