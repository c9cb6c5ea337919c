//! Pages by key order.

use std::ops::Bound;

use redb::ReadableDatabase;

use super::{
    super::{
        StoreUnavailable,
        scan::{Listing, PAGE, Page, Record},
    },
    EmbeddedKv, tables,
};

impl EmbeddedKv {
    pub(crate) fn scan(&self, prefix: &str, from: &str) -> Result<Page<Record>, StoreUnavailable> {
        let entries = self.database.begin_read()?.open_table(tables::ENTRIES)?;
        let start = if from.is_empty() { Bound::Included(prefix) } else { Bound::Excluded(from) };
        let (now, mut items, mut seen) = (self.now(), Vec::new(), 0);
        for entry in entries.range::<&str>((start, Bound::Unbounded))? {
            let (key, found) = entry?;
            let (key, (expires, value)) = (key.value(), found.value());
            if !key.starts_with(prefix) {
                return Ok(Page { items, next: None });
            }
            seen += 1;
            if tables::is_live(expires, now) {
                items.push(Record { key: key.to_owned(), value: value.to_owned(), left: tables::left(expires, now) });
            }
            if seen == PAGE {
                return Ok(Page { items, next: Some(key.to_owned()) });
            }
        }
        Ok(Page { items, next: None })
    }

    pub(crate) fn list(&self, listing: &Listing, from: &str) -> Result<Page<String>, StoreUnavailable> {
        match listing {
            Listing::Sets(prefix) => self.sets(prefix, from),
            Listing::Members(set) => {
                let members = self.database.begin_read()?.open_table(tables::MEMBERS)?;
                let mut items = tables::members_from(&members, set, from, PAGE + 1)?;
                // One more than a page: the next one begins with it.
                let next = (items.len() > PAGE).then(|| items.pop()).flatten();
                Ok(Page { items, next })
            }
        }
    }

    fn sets(&self, prefix: &str, from: &str) -> Result<Page<String>, StoreUnavailable> {
        let members = self.database.begin_read()?.open_table(tables::MEMBERS)?;
        let mut items: Vec<String> = Vec::new();
        let mut start = if from.is_empty() { prefix.to_owned() } else { after(from) };
        while items.len() < PAGE {
            let Some(first) = members.range((start.as_str(), "")..)?.next().transpose()? else {
                return Ok(Page { items, next: None });
            };
            let (set, _) = first.0.value();
            if !set.starts_with(prefix) {
                return Ok(Page { items, next: None });
            }
            items.push(set.to_owned());
            start = after(set);
        }
        let next = items.last().cloned();
        Ok(Page { items, next })
    }
}

/// The least text that comes after `text`.
fn after(text: &str) -> String {
    format!("{text}\0")
}
