//! What the operator's commands ask: pages by `SCAN` and `SSCAN`: a large database is never blocked, only asked often.

use std::time::Duration;

use deadpool_redis::redis::{cmd, pipe};

use super::{
    super::{
        StoreUnavailable,
        scan::{Listing, PAGE, Page, Record},
    },
    RedisKv,
};

impl RedisKv {
    pub(crate) async fn scan(&self, prefix: &str, from: &str) -> Result<Page<Record>, StoreUnavailable> {
        self.bounded(async {
            let keys = self.keys(prefix, from, "string").await?;
            if keys.items.is_empty() {
                return Ok(Page { items: Vec::new(), next: keys.next });
            }
            let mut questions = pipe();
            for key in &keys.items {
                questions.cmd("GET").arg(key).cmd("PTTL").arg(key);
            }
            // Read back in pairs: value and lifetime, value and lifetime, …
            let answers: Vec<(Option<Vec<u8>>, i64)> = questions.query_async(&mut self.checked().await?).await?;
            let records =
                keys.items.into_iter().zip(answers).filter_map(|(key, (value, left))| record(key, value, left));
            Ok(Page { items: records.collect(), next: keys.next })
        })
        .await
    }

    pub(crate) async fn list(&self, listing: &Listing, from: &str) -> Result<Page<String>, StoreUnavailable> {
        match listing {
            Listing::Sets(prefix) => self.bounded(self.keys(prefix, from, "set")).await,
            Listing::Members(set) => {
                let ask = async {
                    let mut connection = self.checked().await?;
                    let mut question = cmd("SSCAN");
                    question.arg(set).arg(cursor(from)).arg("COUNT").arg(PAGE);
                    Ok(page(question.query_async(&mut connection).await?))
                };
                self.bounded(ask).await
            }
        }
    }

    /// What Redis says of itself.
    pub(crate) async fn info(&self) -> Result<String, StoreUnavailable> {
        self.bounded(async { Ok(cmd("INFO").query_async(&mut self.checked().await?).await?) }).await
    }

    async fn keys(&self, prefix: &str, from: &str, kind: &str) -> Result<Page<String>, StoreUnavailable> {
        let mut connection = self.checked().await?;
        let mut question = cmd("SCAN");
        question.arg(cursor(from)).arg("MATCH").arg(pattern(prefix)).arg("COUNT").arg(PAGE).arg("TYPE").arg(kind);
        Ok(page(question.query_async(&mut connection).await?))
    }
}

/// `None`: it went away since its key was seen.
fn record(key: String, value: Option<Vec<u8>>, left: i64) -> Option<Record> {
    const NEVER: i64 = -1;
    let left = match left {
        NEVER => None,
        millis => Some(Duration::from_millis(u64::try_from(millis).ok()?)),
    };
    Some(Record { key, value: value?, left })
}

fn cursor(from: &str) -> &str {
    if from.is_empty() { "0" } else { from }
}

fn page((next, items): (String, Vec<String>)) -> Page<String> {
    Page { items, next: (next != "0").then_some(next) }
}

/// Whatever begins with `prefix`, taken literally.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}
