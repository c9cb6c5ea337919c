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

/// `--name: #rrggbb` of the light or of the dark half of the style sheet.
fn colour(half: &str, name: &str) -> [f64; 3] {
    let (_, rest) = half.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("no --{name}"));
    let channel = |at: usize| f64::from(u8::from_str_radix(&rest[at..at + 2], 16).unwrap()) / 255.0;
    [0, 2, 4].map(channel)
}

/// WCAG 2.2 §1.4.3: contrast ratio of two colours.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

#[test]
fn all_text_has_a_contrast_of_four_and_a_half_in_the_light_and_in_the_dark() {
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    for half in [light, dark] {
        for (text, grounds) in [
            ("ink", &["page", "card", "well"][..]),
            ("soft", &["page", "card", "well"]),
            ("accent", &["page", "card", "well"]),
            ("danger", &["card", "well"]),
            ("accent-ink", &["accent", "accent-hover"]),
            ("warn-ink", &["warn"]),
            ("good-ink", &["good"]),
            ("bad-ink", &["bad"]),
        ] {
            for ground in grounds {
                let ratio = contrast(colour(half, text), colour(half, ground));
                assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}");
            }
        }
        assert!(contrast(colour(half, "focus"), colour(half, "card")) >= 3.0, "WCAG 2.2 §1.4.11");
    }
}
