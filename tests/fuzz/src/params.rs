//! Forms and queries: read as every browser and library reads them, or refused.

use auth_server::oauth::params::Params;

/// The `url` crate is the second opinion (WHATWG URL §5.1).
pub fn params(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    let theirs: Vec<_> = url::form_urlencoded::parse(bytes).filter(|(_, value)| !value.is_empty()).collect();
    for (name, value) in &theirs {
        assert!(!value.contains('\0') && !name.contains('\0'), "NUL passed");
        if name != "resource" {
            assert_eq!(params.get(name), Some(value.as_ref()), "{name:?}");
            assert_eq!(theirs.iter().filter(|(other, _)| other == name).count(), 1, "{name:?} was sent twice");
        }
    }
    let resources = theirs.iter().filter(|(name, _)| name == "resource").map(|(_, value)| value.as_ref());
    assert!(params.all("resource").eq(resources));
}
