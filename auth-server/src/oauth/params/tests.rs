use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Params, ParamError> {
    Params::parse(text.as_bytes())
}

#[test]
fn values_are_form_decoded() {
    let params = parse("state=a+b%20c%2Bd&%73cope=openid").unwrap();
    assert_eq!(params.get("state"), Some("a b c+d"));
    assert_eq!(params.get("scope"), Some("openid"));
}

#[test]
fn a_parameter_without_a_value_counts_as_absent() {
    let params = parse("state=&scope&client_id=x").unwrap();
    assert_eq!(params.get("state"), None);
    assert_eq!(params.require("scope"), Err(ParamError::Missing("scope")));
    assert_eq!(params.get("client_id"), Some("x"));
}

#[test]
fn duplicate_parameters_are_refused_even_when_equal_or_blank() {
    assert_eq!(parse("code=a&code=a"), Err(ParamError::Repeated));
    assert_eq!(parse("code=a&c%6fde=b"), Err(ParamError::Repeated));
    assert_eq!(parse("code=&code=b"), Err(ParamError::Repeated));
}

#[test]
fn resource_may_repeat() {
    let params = parse("resource=a&x=1&resource=b").unwrap();
    assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    assert_eq!(parse("state=%ff"), Err(ParamError::NotUtf8));
    assert_eq!(Params::parse(b"state=\xc3\x28"), Err(ParamError::NotUtf8));
}

#[test]
fn nul_bytes_are_refused() {
    assert_eq!(parse("client_id=a%00b"), Err(ParamError::Nul));
    assert_eq!(Params::parse(b"a\0=b"), Err(ParamError::Nul));
}

#[test]
fn a_huge_body_is_refused() {
    let body = format!("state={}", "a".repeat(MAX_BYTES));
    assert_eq!(parse(&body), Err(ParamError::TooLarge));
    let many: Vec<_> = (0..=MAX_COUNT).map(|i| format!("p{i}=1")).collect();
    assert_eq!(parse(&many.join("&")), Err(ParamError::TooMany));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(input in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(params) = Params::parse(&input) {
            prop_assert!(params.0.iter().all(|(n, v)| !v.is_empty() && !v.contains('\0') && !n.contains('\0')));
        }
    }

    #[test]
    fn what_was_encoded_is_read_back(value in "[^\0]{1,40}") {
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("v", &value).finish();
        let params = parse(&body).unwrap();
        prop_assert_eq!(params.get("v"), Some(value.as_str()));
    }
}
