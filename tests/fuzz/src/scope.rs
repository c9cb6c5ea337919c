//! Scopes: sets, whatever is written.

use auth_server::oauth::scope::Scope;

/// Two lines: what was granted, what is asked for.
pub fn scope(bytes: &[u8]) {
    let Some([granted, asked]) = crate::lines(bytes) else { return };
    let (Some(granted), Some(asked)) = (checked(granted), checked(asked)) else { return };
    let both = granted.intersection(&asked);
    assert!(both.is_subset(&granted) && both.is_subset(&asked));
    assert_eq!(asked.is_subset(&granted), both == asked, "narrowing gives nothing that was not there");
    for token in asked.iter() {
        assert_eq!(both.contains(token), granted.contains(token));
        assert!(!asked.without(token).contains(token));
    }
}

fn checked(text: &str) -> Option<Scope> {
    let scope = Scope::parse(text).ok()?;
    let printed = scope.to_string();
    assert_eq!(Scope::parse(&printed).as_ref(), Ok(&scope));
    // It stands in headers and quoted strings (RFC 6750 §3).
    assert!(printed.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\'), "{printed:?}");
    let mut ordered = scope.in_order_of(text);
    ordered.sort_unstable();
    assert!(scope.iter().eq(ordered), "the same tokens in any order");
    let json = serde_json::to_string(&scope).expect("a scope is a text");
    assert_eq!(serde_json::from_str::<Scope>(&json).expect("and is read back"), scope);
    Some(scope)
}
