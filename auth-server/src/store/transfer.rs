//! Everything out of one store and into another: what `backup` and `restore` move.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    Store, StoreUnavailable, key,
    kv::{Batch, Expect},
    scan::{Listing, Names, Records},
};

/// Items that one batch writes.
const AT_ONCE: usize = 200;

/// What the store holds, one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Item {
    Record {
        key: String,
        #[serde(flatten)]
        value: Value,
        /// Milliseconds since the epoch; absent: until deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<u64>,
    },
    Member {
        set: String,
        member: String,
    },
}

/// Text as it is, so that a backup can be read; anything else in base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Value {
    Text(String),
    Base64(#[serde(with = "super::base64")] Vec<u8>),
}

/// A walk through everything: records first, then the lists of them.
#[derive(Debug)]
pub(crate) struct Export<'a> {
    store: &'a Store,
    records: Records<'a>,
    sets: Names<'a>,
    /// Those of the last page that are still to come.
    pending: Vec<String>,
    members: Option<(String, Names<'a>)>,
}

/// What became of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Imported {
    pub(crate) written: usize,
    /// There already.
    pub(crate) kept: usize,
    pub(crate) expired: usize,
    /// Lists that this version does not know.
    pub(crate) unknown: usize,
}

impl Store {
    pub(crate) fn export(&self) -> Export<'_> {
        Export {
            store: self,
            records: self.kv.records(key::ALL),
            sets: self.kv.names(Listing::Sets(key::ALL.to_owned())),
            pending: Vec::new(),
            members: None,
        }
    }

    /// Writes what is not there yet and has not expired. `dry_run`: only counts.
    pub(crate) async fn import(&self, items: &[Item], dry_run: bool) -> Result<Imported, StoreUnavailable> {
        let (mut imported, now) = (Imported::default(), millis((self.clock)()));
        for some in items.chunks(AT_ONCE) {
            let mut due = Vec::new();
            for item in some {
                match item.fate(now) {
                    Fate::Write => due.push(item),
                    Fate::Expired => imported.expired += 1,
                    Fate::Unknown => imported.unknown += 1,
                }
            }
            if dry_run {
                for item in due {
                    let there = matches!(item, Item::Record { key, .. } if self.kv.get(key).await?.is_some());
                    *(if there { &mut imported.kept } else { &mut imported.written }) += 1;
                }
            } else if self.kv.commit(batch(&due, now)).await? {
                imported.written += due.len();
            } else {
                // Something of it is there already: which?
                for item in due {
                    let written = self.kv.commit(batch(&[item], now)).await?;
                    *(if written { &mut imported.written } else { &mut imported.kept }) += 1;
                }
            }
        }
        Ok(imported)
    }

    /// Deletes everything that is ours.
    pub(crate) async fn clear(&self) -> Result<(), StoreUnavailable> {
        let mut everything = self.export();
        while let Some(page) = everything.page().await? {
            for some in page.chunks(AT_ONCE) {
                let batch = some.iter().fold(Batch::default(), |batch, item| match item {
                    Item::Record { key, .. } => batch.delete(key.clone()),
                    Item::Member { set, member } => batch.remove_member(set.clone(), member),
                });
                self.kv.commit(batch).await?;
            }
        }
        Ok(())
    }
}

impl Export<'_> {
    /// The next page, which may be empty; `None` after the last.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<Item>>, StoreUnavailable> {
        if let Some(page) = self.records.page().await? {
            let now = millis((self.store.clock)());
            let item = |found: super::scan::Record| Item::Record {
                key: found.key,
                value: Value::from(found.value),
                expires_at: found.left.map(|left| now.saturating_add(whole_millis(left))),
            };
            return Ok(Some(page.into_iter().map(item).collect()));
        }
        loop {
            if let Some((set, members)) = &mut self.members {
                if let Some(page) = members.page().await? {
                    let item = |member| Item::Member { set: set.clone(), member };
                    return Ok(Some(page.into_iter().map(item).collect()));
                }
                self.members = None;
            }
            let Some(set) = self.pending.pop() else {
                let Some(page) = self.sets.page().await? else { return Ok(None) };
                // Redis may name a set twice.
                self.pending = BTreeSet::from_iter(page).into_iter().collect();
                continue;
            };
            self.members = Some((set.clone(), self.store.kv.names(Listing::Members(set))));
        }
    }
}

enum Fate {
    Write,
    Expired,
    Unknown,
}

impl Item {
    fn fate(&self, now: u64) -> Fate {
        match self {
            Self::Record { expires_at: Some(at), .. } if *at <= now => Fate::Expired,
            Self::Record { .. } => Fate::Write,
            Self::Member { set, .. } if key::listed_in(set).is_none() => Fate::Unknown,
            Self::Member { .. } => Fate::Write,
        }
    }
}

/// Records only where there is none.
fn batch(items: &[&Item], now: u64) -> Batch {
    items.iter().fold(Batch::default(), |batch, item| match item {
        Item::Record { key, value, expires_at } => {
            let lifetime = expires_at.map(|at| Duration::from_millis(at.saturating_sub(now)));
            batch.expect(key.clone(), Expect::Absent).put(key.clone(), value.bytes().to_vec(), lifetime)
        }
        Item::Member { set, member } => match key::listed_in(set) {
            Some(of) => batch.add_member(set.clone(), member, of),
            None => batch,
        },
    })
}

impl Value {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Base64(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|not_text| Self::Base64(not_text.into_bytes()), Self::Text)
    }
}

fn millis(time: SystemTime) -> u64 {
    whole_millis(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
