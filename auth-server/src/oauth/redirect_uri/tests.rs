use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

fn refused(text: &str) -> RedirectUriError {
    RedirectUri::parse(text).unwrap_err()
}

#[test]
fn https_loopback_http_app_schemes_and_out_of_band_may_be_registered() {
    for text in [
        "https://app.example/cb?x=1",
        "http://localhost/cb",
        "http://127.0.0.1:7777/cb",
        "http://[::1]:1/cb",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "com.example.app:/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        assert_eq!(uri(text).as_str(), text);
    }
}

#[test]
fn http_is_only_for_this_machine() {
    for text in [
        "http://app.example/cb",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://10.0.0.1/",
    ] {
        assert_eq!(refused(text), RedirectUriError::PlainHttp, "{text}");
    }
}

#[test]
fn schemes_that_a_browser_runs_are_refused_in_any_case() {
    for text in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a/b",
        "about:blank",
        "urn:other",
    ] {
        assert_eq!(refused(text), RedirectUriError::Scheme, "{text}");
    }
}

#[test]
fn fragments_are_refused_even_empty_ones() {
    assert_eq!(refused("https://a.example/cb#x"), RedirectUriError::Fragment);
    assert_eq!(refused("https://a.example/cb#"), RedirectUriError::Fragment);
}

#[test]
fn userinfo_is_refused_even_an_empty_one() {
    for text in ["https://good.example@evil.example/", "https://u:p@a.example/", "https://@a.example/", "app://u@host/"]
    {
        assert_eq!(refused(text), RedirectUriError::UserInfo, "{text}");
    }
}

#[test]
fn what_browsers_would_repair_is_refused() {
    for text in [
        "https:\\\\evil.example/",
        "https://good.example\\@evil.example/",
        "https:evil.example",
        "https:///evil.example",
        "https://a.example/ cb",
        "https://a.example/\n",
        "\thttps://a.example/",
        "https://a.example/\u{e9}",
        "/relative",
        "//host/path",
        "",
    ] {
        assert_eq!(refused(text), RedirectUriError::Malformed, "{text:?}");
    }
}

#[test]
fn a_loopback_redirect_may_use_any_port() {
    let registered = uri("http://127.0.0.1:3000/cb?x=1");
    assert!(registered.matches(&uri("http://127.0.0.1:49152/cb?x=1")));
    assert!(registered.matches(&uri("http://127.0.0.1/cb?x=1")));
    for other in [
        "http://127.0.0.1:3000/other",
        "http://127.0.0.1:3000/cb",
        "http://localhost:3000/cb?x=1",
        "https://127.0.0.1:3000/cb?x=1",
    ] {
        assert!(!registered.matches(&uri(other)), "{other}");
    }
}

#[test]
fn another_port_on_a_host_that_is_not_loopback_does_not_match() {
    assert!(!uri("https://a.example/cb").matches(&uri("https://a.example:8443/cb")));
    assert!(!uri("https://localhost:1/cb").matches(&uri("https://localhost:2/cb")));
}

#[test]
fn suffixes_and_encoded_dots_do_not_match() {
    let registered = uri("https://a.example/cb");
    for other in [
        "https://a.example/cb/x",
        "https://a.example/cb?x",
        "https://a.example/cb/",
        "https://a.example.evil.example/cb",
        "https://a.example/%2e%2e/cb",
        "https://a.example/x/../cb",
        "https://A.example/cb",
    ] {
        assert!(!registered.matches(&uri(other)), "{other}");
    }
    assert!(!uri("http://localhost/cb").matches(&uri("http://localhost/x/../cb")));
}

#[test]
fn response_parameters_join_an_existing_query_and_are_encoded() {
    assert_eq!(
        uri("https://a.example/cb").with(&[("code", "a b"), ("state", "x&y=z")]),
        "https://a.example/cb?code=a+b&state=x%26y%3Dz"
    );
    assert_eq!(uri("https://a.example/cb?p=1").with(&[("code", "c")]), "https://a.example/cb?p=1&code=c");
    assert_eq!(uri("https://a.example/cb?").with(&[("code", "c")]), "https://a.example/cb?code=c");
    assert_eq!(uri("com.app:/cb").with(&[("code", "c")]), "com.app:/cb?code=c");
}

#[test]
fn the_consent_page_is_told_where_the_code_goes() {
    assert_eq!(uri("https://a.example:8443/cb").display_host(), "a.example");
    assert_eq!(uri("cursor://x/cb").display_host(), "cursor:");
    assert!(uri("http://localhost:1/cb").is_loopback() && !uri("https://a.example/").is_loopback());
}

proptest! {
    #[test]
    fn an_accepted_uri_is_kept_as_written_and_matches_itself(text in "\\PC{0,60}") {
        if let Ok(parsed) = RedirectUri::parse(&text) {
            prop_assert_eq!(parsed.as_str(), text.as_str());
            prop_assert!(parsed.matches(&parsed));
        }
    }

    #[test]
    fn a_match_has_equal_host_path_and_query(a in "http://(localhost|127.0.0.1)(:[0-9]{1,5})?/[a-c/.?]{0,4}", b in "http://(localhost|127.0.0.1)(:[0-9]{1,5})?/[a-c/.?]{0,4}") {
        if let (Ok(x), Ok(y)) = (RedirectUri::parse(&a), RedirectUri::parse(&b)) && x.matches(&y) {
            let (x, y) = (Url::parse(&a).unwrap(), Url::parse(&b).unwrap());
            prop_assert_eq!((x.host_str(), x.path(), x.query()), (y.host_str(), y.path(), y.query()));
        }
    }

    #[test]
    fn added_parameters_never_change_the_host(value in "\\PC{0,40}") {
        let to = uri("https://a.example/cb?p=1").with(&[("state", &value)]);
        let url = Url::parse(&to).unwrap();
        prop_assert_eq!(url.host_str(), Some("a.example"));
        prop_assert!(url.query_pairs().any(|(n, v)| n == "state" && v == value.as_str()));
        prop_assert!(to.is_ascii() && !to.contains(['\r', '\n']));
    }
}
