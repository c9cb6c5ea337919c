use proptest::prelude::*;

use super::*;

fn gateway() -> Gateway {
    Gateway::new("example.com").unwrap()
}

fn parse(text: &str) -> Result<String, InvalidTarget> {
    Resource::parse(text, &gateway()).map(|r| r.as_str().to_owned())
}

#[test]
fn case_default_port_and_one_trailing_slash_do_not_matter() {
    for text in ["https://time.example.com/mcp", "HTTPS://Time.Example.COM/mcp", "https://time.example.com:443/mcp/"] {
        assert_eq!(parse(text).unwrap(), "https://time.example.com/mcp");
    }
    assert_eq!(parse("https://time.example.com/").unwrap(), "https://time.example.com");
    assert_ne!(parse("https://time.example.com/MCP").unwrap(), "https://time.example.com/mcp");
}

#[test]
fn a_foreign_resource_is_an_invalid_target() {
    for text in [
        "https://evil.example/mcp",
        "https://time.example.com.evil.example/mcp",
        "https://evilexample.com/mcp",
        "https://time.example.com:8443/mcp",
        "http://time.example.com/mcp",
        "https://time.example.com@evil.example/mcp",
        "https://user@time.example.com/mcp",
        "https://time.example.com/mcp#x",
        "https://time.example.com/mcp?x=1",
        "https://time.example.com/a/../mcp",
        "https://time.example.com/%6dcp",
        "https://time.example.com//mcp",
        "https://time.example.com\\mcp",
        "time.example.com/mcp",
        "https://",
        "",
        "https://é",
    ] {
        assert_eq!(parse(text), Err(InvalidTarget), "{text}");
    }
}

#[test]
fn the_issuer_which_stands_for_every_service_is_no_resource() {
    for text in ["https://auth.example.com", "HTTPS://AUTH.example.com:443/", "https://auth.example.com/mcp"] {
        assert_eq!(parse(text), Err(InvalidTarget), "{text}");
    }
    assert!(Resource::parse("https://auth.localhost:8443", &Gateway::new("localhost:8443").unwrap()).is_err());
}

#[test]
fn the_port_counts_when_the_base_domain_has_one() {
    let demo = Gateway::new("localhost:8443").unwrap();
    assert!(Resource::parse("https://time.localhost:8443/mcp", &demo).is_ok());
    assert!(Resource::parse("https://time.localhost/mcp", &demo).is_err());
}

#[test]
fn a_resource_covers_its_path_and_below_on_segment_boundaries() {
    let audience = "https://time.example.com/mcp";
    for path in ["/mcp", "/mcp/", "/mcp/x"] {
        assert!(covers(audience, "time.example.com", path), "{path}");
    }
    for path in [
        "/",
        "/mcpx",
        "/mc",
        "/other",
        "/MCP",
        "/mcp/../other",
        "/mcp/%2e%2e/other",
        "//mcp",
        "/mcp//x",
        "/mcp/..;/other",
    ] {
        assert!(!covers(audience, "time.example.com", path), "{path}");
    }
}

#[test]
fn a_resource_without_a_path_covers_its_whole_host_only() {
    assert!(covers("https://time.example.com", "time.example.com", "/any/../%2f"));
    assert!(covers("https://time.example.com/", "time.example.com", "/mcp"));
    assert!(!covers("https://time.example.com", "fetch.example.com", "/mcp"));
    assert!(!covers("https://example.com", "time.example.com", "/mcp"));
}

proptest! {
    #[test]
    fn canonical_form_is_stable(text in "[Hh]ttps://[a-zA-Z.]{0,8}example.com(:443)?/?[a-zA-Z/.%]{0,8}") {
        if let Ok(once) = parse(&text) {
            prop_assert_eq!(parse(&once).unwrap(), once);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}", path in "\\PC{0,20}") {
        let _ = parse(&text);
        let _ = parse(&format!("https://{text}"));
        let _ = covers(&text, "a.example.com", &path);
    }

    #[test]
    fn an_accepted_resource_is_on_this_gateway(text in "https://[a-z.:@/\\\\-]{0,12}example.com[a-z.:@/?#]{0,12}") {
        if let Ok(canonical) = parse(&text) {
            let url = url::Url::parse(&canonical).unwrap();
            let host = url.host_str().unwrap().to_owned();
            prop_assert!(host == "example.com" || host.ends_with(".example.com"));
        }
    }
}
