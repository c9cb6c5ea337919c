//! One test, two back ends.

use std::future::Future;

use tokio::task::JoinSet;

/// Runs each of these on the embedded store and on Redis.
#[macro_export]
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($ground:ident: Ground) $body:block)*) => {
        $($(#[$doc])* async fn $name($ground: Ground) $body)*
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name($crate::ground::Ground::embedded()).await })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name($crate::ground::Ground::redis()).await })*
        }
    };
}

/// Runs them in parallel, on as many threads as there are.
pub(crate) async fn all<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    JoinSet::from_iter(work).join_all().await
}
