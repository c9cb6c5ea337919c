//! Walking through what is stored, a page at a time: for the operator's commands and for logging a person out.
//!
//! Nothing is locked meanwhile. What is there from the first page to the last is seen; what comes or goes in between
//! may or may not be. Redis shows a record twice when its table is resized in between.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{StoreUnavailable, kv::Kv};

/// Records, names or members that one page asks for.
pub(crate) const PAGE: usize = 500;

/// A value under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) key: String,
    #[serde(with = "super::base64")]
    pub(crate) value: Vec<u8>,
    /// `None`: until deleted.
    pub(crate) left: Option<Duration>,
}

/// Names that can be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Listing {
    /// Sets whose name begins so.
    Sets(String),
    /// Members of the set of this name.
    Members(String),
}

/// A page, and where the next one begins; `None`: that was all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// A walk through records that has come so far.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    kv: &'a Kv,
    prefix: String,
    next: Option<String>,
}

/// A walk through names that has come so far.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    kv: &'a Kv,
    listing: Listing,
    next: Option<String>,
}

impl Kv {
    /// Values whose key begins with `prefix`; sets are not among them.
    pub(crate) fn records(&self, prefix: impl Into<String>) -> Records<'_> {
        Records { kv: self, prefix: prefix.into(), next: Some(String::new()) }
    }

    pub(crate) fn names(&self, listing: Listing) -> Names<'_> {
        Names { kv: self, listing, next: Some(String::new()) }
    }
}

impl Records<'_> {
    /// The next page; `None` after the last.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<Record>>, StoreUnavailable> {
        let Some(from) = self.next.take() else { return Ok(None) };
        let page = self.kv.scan(&self.prefix, &from).await?;
        self.next = page.next;
        Ok(Some(page.items))
    }
}

impl Names<'_> {
    /// The next page; `None` after the last.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<String>>, StoreUnavailable> {
        let Some(from) = self.next.take() else { return Ok(None) };
        let page = self.kv.list(&self.listing, &from).await?;
        self.next = page.next;
        Ok(Some(page.items))
    }
}
