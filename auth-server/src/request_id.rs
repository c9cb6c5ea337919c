//! The id of the request in hand: in every line that is logged for it, and in what its client is told.

use std::{cell::OnceCell, future::Future};

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::random;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 64;

tokio::task_local! {
    /// Made when it is first asked for: `/verify` seldom needs one.
    static CURRENT: OnceCell<String>;
}

/// Does `work` under the id that the request brought, or one of our making.
pub(crate) async fn scoped<F: Future>(headers: &HeaderMap, work: F) -> F::Output {
    let id = OnceCell::new();
    if let Some(sent) = headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_well_formed(id)) {
        let _empty_until_now = id.set(sent.to_owned());
    }
    CURRENT.scope(id, work).await
}

/// `None` outside of a request.
pub(crate) fn current() -> Option<String> {
    CURRENT.try_with(|id| id.get_or_init(random::request_id).clone()).ok()
}

/// What a proxy makes. Anything else could forge or flood a log.
fn is_well_formed(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (8..=LONGEST).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_or_flood_a_log_is_not_taken() {
        assert!(is_well_formed("3f2b8c1e-0000-4000-8000-1234567890ab"));
        for id in ["", "short", "a b c d e f", "a\nb234567", "\"}{\"a\":1", &"a".repeat(65)] {
            assert!(!is_well_formed(id), "{id}");
        }
    }

    #[tokio::test]
    async fn a_request_has_one_id_and_nobody_elses() {
        assert_eq!(current(), None);
        let nothing = HeaderMap::new();
        let (a, b) = tokio::join!(
            scoped(&nothing, async { (current(), current()) }),
            scoped(&nothing, async { (current(), current()) })
        );
        assert!(a.0.is_some() && a.0 == a.1 && b.0 == b.1 && a != b);
    }
}
