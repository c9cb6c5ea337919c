use super::*;
use proptest::prelude::*;

fn scanned(schema: &str) -> Result<Vec<(String, String)>, Invalid> {
    let raw: Box<RawValue> = serde_json::from_str(schema).unwrap();
    let found = mirrored(&raw)?;
    Ok(found.into_iter().map(|Mirrored { name, path }| (name, path.join("."))).collect())
}

/// A schema with one annotated property.
fn with(annotation: &str, kind: &str) -> String {
    format!(r#"{{"type":"object","properties":{{"p":{{"x-mcp-header":{annotation},"type":{kind}}}}}}}"#)
}

#[test]
fn properties_at_any_depth_are_found() {
    let schema = r#"{"type":"object","required":["region"],"properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "query":{"type":"string"},
        "target":{"type":"object","properties":{"shard":{"x-mcp-header":"Shard-No","type":"integer"}}},
        "dry":{"type":"boolean","x-mcp-header":"Dry"}}}"#;
    let found = [("Region", "region"), ("Shard-No", "target.shard"), ("Dry", "dry")];
    assert_eq!(scanned(schema).unwrap(), found.map(|(name, path)| (name.to_owned(), path.to_owned())));
    for nothing in ["{}", "true", "[]", "null", r#"{"properties":{"x-mcp-header":{"type":"string"}}}"#] {
        assert_eq!(scanned(nothing), Ok(vec![]), "{nothing}");
    }
}

#[test]
fn a_name_must_be_a_token() {
    for wrong in [r#""""#, r#""a b""#, r#""a\r\nB: c""#, r#""a:""#, r#""caf\u00e9""#, r#""a\u0000""#, "5", "null", "{}"]
    {
        assert_eq!(scanned(&with(wrong, "\"string\"")), Err(Invalid::NotAToken), "{wrong}");
    }
    let long = format!("\"{}\"", "a".repeat(MAX_NAME + 1));
    assert_eq!(scanned(&with(&long, "\"string\"")), Err(Invalid::NotAToken));
    assert!(scanned(&with(r#""!#$%&'*+-.^_`|~09azAZ""#, "\"string\"")).is_ok());
}

#[test]
fn only_strings_integers_and_booleans_are_mirrored() {
    for wrong in [r#""number""#, r#""object""#, r#""array""#, r#""null""#, r#"["string","null"]"#, "null"] {
        assert_eq!(scanned(&with("\"P\"", wrong)), Err(Invalid::NotPrimitive), "{wrong}");
    }
}

#[test]
fn a_name_is_unique_whatever_its_case() {
    let two = |one: &str, other: &str| {
        let property = |name: &str, header: &str| format!(r#""{name}":{{"type":"string","x-mcp-header":"{header}"}}"#);
        scanned(&format!(r#"{{"properties":{{{},{}}}}}"#, property("a", one), property("b", other)))
    };
    assert_eq!(two("Region", "REGION"), Err(Invalid::NotUnique));
    assert!(two("Region", "Zone").is_ok());
    let twice = r#"{"properties":{"a":{"type":"string","x-mcp-header":"A","x-mcp-header":"B"}}}"#;
    assert_eq!(scanned(twice), Err(Invalid::NotUnique));
}

#[test]
fn an_annotation_that_no_chain_of_properties_leads_to_spoils_the_tool() {
    let annotated = r#"{"type":"string","x-mcp-header":"A"}"#;
    let object = format!(r#"{{"type":"object","properties":{{"deep":{annotated}}}}}"#);
    for keyword in ["items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"] {
        let schema = format!(r#"{{"properties":{{"p":{{"{keyword}":{object}}}}}}}"#);
        assert_eq!(scanned(&schema), Err(Invalid::Unreachable), "{keyword}");
    }
    for keyword in ["oneOf", "anyOf", "allOf", "prefixItems"] {
        assert_eq!(scanned(&format!(r#"{{"{keyword}":[true,{object}]}}"#)), Err(Invalid::Unreachable), "{keyword}");
    }
    for keyword in ["$defs", "definitions", "patternProperties", "dependentSchemas"] {
        assert_eq!(scanned(&format!(r#"{{"{keyword}":{{"a":{object}}}}}"#)), Err(Invalid::Unreachable), "{keyword}");
    }
    assert_eq!(scanned(annotated), Err(Invalid::Unreachable), "the root is no property");
}

#[test]
fn data_in_a_schema_is_no_annotation() {
    for keyword in ["default", "const", "examples", "x-vendor"] {
        let schema = format!(r#"{{"properties":{{"p":{{"{keyword}":{{"x-mcp-header":"A"}}}}}}}}"#);
        assert_eq!(scanned(&schema), Ok(vec![]), "{keyword}");
    }
}

#[test]
fn what_is_too_much_for_any_request_is_invalid() {
    let many: Vec<String> =
        (0..=MAX_PROPERTIES).map(|n| format!(r#""p{n}":{{"type":"string","x-mcp-header":"P{n}"}}"#)).collect();
    assert_eq!(scanned(&format!(r#"{{"properties":{{{}}}}}"#, many.join(","))), Err(Invalid::TooMany));
    let deep = |levels: usize| {
        let (open, close) = (r#"{"properties":{"p":"#.repeat(levels), "}}".repeat(levels));
        format!(r#"{open}{{"type":"string","x-mcp-header":"A"}}{close}"#)
    };
    assert!(scanned(&deep(MAX_DEPTH)).is_ok());
    assert_eq!(scanned(&deep(MAX_DEPTH + 1)), Err(Invalid::Unreachable));
    assert_eq!(scanned(&deep(10_000)), Err(Invalid::Unreadable));
}

proptest! {
    #[test]
    fn whatever_is_found_may_be_a_header_and_is_found_once(
        names in prop::collection::vec("[A-Za-z-]{0,3}", 0..6), kinds in prop::collection::vec(0..5_usize, 6),
    ) {
        let kinds = kinds.into_iter().map(|kind| ["string", "integer", "boolean", "number", "object"][kind]);
        let properties: Vec<String> = names.iter().zip(kinds).enumerate().map(|(at, (name, kind))| {
            format!(r#""p{at}":{{"type":"{kind}","x-mcp-header":"{name}"}}"#)
        }).collect();
        if let Ok(found) = scanned(&format!(r#"{{"properties":{{{}}}}}"#, properties.join(","))) {
            prop_assert_eq!(found.len(), names.len());
            let mut lower: Vec<String> = found.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
            lower.sort();
            lower.dedup();
            prop_assert_eq!(lower.len(), names.len());
            prop_assert!(found.iter().all(|(name, _)| is_token(name)));
        }
    }
}
