//! When an application was last used is written down beside `/verify`.

use std::time::{Duration, SystemTime};

use auth_server::store::{Backend, Store, StoreConfig};
use serde_json::json;

use crate::attacks::tokens::{Ground, now};

#[expect(clippy::disallowed_methods, reason = "the store's clock")]
fn clock() -> SystemTime {
    SystemTime::now()
}

#[actix_web::test]
async fn a_use_long_after_the_issue_is_written_down_and_the_first_ones_are_not() {
    let ground = Ground::new().await;
    let backend = Backend::Embedded { data_dir: ground.service.data_dir().to_owned() };
    let store = Store::open_beside(&StoreConfig { backend, clock }).unwrap();
    let last_used = async || store.connections("octocat").await.unwrap()[0].last_used_at;
    // `Ground` has asked already, with a token that was issued a moment ago.
    assert_eq!(last_used().await, None);

    let begun = now();
    let ten_minutes_old = ground.signed_by_us(|claims| claims["iat"] = json!(begun - 600));
    assert_eq!(ground.service.verify(Some(&ten_minutes_old)).await.status(), 200);
    let noted = async { while last_used().await.is_none_or(|at| at < begun) {} };
    tokio::time::timeout(Duration::from_secs(60), noted).await.expect("the use is written down");
    ground.service.stop().await;
}
