use super::*;
use crate::oauth::gateway::Gateway;

const ATTACK: &str = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>";

fn consent(client_name: &str) -> String {
    let request = serde_json::from_value(serde_json::json!({
        "client_id": "client_x", "redirect_uri": "https://app.example/cb", "scope": "openid mcp:time",
        "code_challenge": "x", "resource": ["https://time.example.com/mcp"],
    }));
    let gateway = Gateway::new("example.com").unwrap();
    let scopes = vec!["openid", "mcp:time"];
    ConsentPage::new(&gateway, client_name, &request.unwrap(), scopes, ATTACK).render().unwrap()
}

fn assert_harmless(html: &str) {
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn a_client_name_with_markup_is_shown_and_never_run() {
    assert_harmless(&consent(ATTACK));
}

#[test]
fn an_error_description_with_markup_is_shown_and_never_run() {
    assert_harmless(&ErrorPage::new("example.com", ATTACK, ATTACK).detail("Error", ATTACK).render().unwrap());
}

#[test]
fn a_code_with_markup_is_shown_and_never_run() {
    assert_harmless(&SuccessPage::new("example.com", Some(ATTACK)).render().unwrap());
    assert_harmless(&UnauthorizedPage::new("example.com", Some(ATTACK)).render().unwrap());
}

#[test]
fn the_consent_page_names_the_client_the_service_and_where_the_answer_goes() {
    let html = consent("Claude");
    for word in [
        "Allow Claude",
        "https://time.example.com/mcp",
        "time: Tells the time",
        "for 30 days",
        "app.example",
        "Use the service time",
        "Nobody has checked",
    ] {
        assert!(html.contains(word), "«{word}» missing in {html}");
    }
}

#[test]
fn a_page_cannot_be_framed_cached_or_scripted() {
    let response = page(StatusCode::OK, Forms::None, &SuccessPage::new("example.com", None));
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'none'"), "{policy}");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
}
