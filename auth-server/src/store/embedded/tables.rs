//! What is in the file, and what a batch does to it.

use std::time::{Duration, SystemTime};

use redb::{ReadableTable, StorageError, Table, TableDefinition, WriteTransaction};

use super::super::{
    StoreUnavailable,
    kv::{Batch, Change, Expect, PRUNED_AT_ONCE, PRUNED_WHEN_FULL},
};

/// Key → when it expires (milliseconds since the epoch, [`NEVER`]), value.
pub(super) const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");
/// When, key: what there is to sweep, in order.
pub(super) const EXPIRIES: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("expiries");
/// Set, member.
pub(super) const MEMBERS: TableDefinition<'_, (&str, &str), ()> = TableDefinition::new("members");

pub(super) const NEVER: u64 = 0;
/// Entries that one transaction sweeps.
const SWEPT_AT_ONCE: usize = 1000;

pub(super) struct Entry {
    pub(super) expires: u64,
    pub(super) value: Vec<u8>,
}

pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An entry that has not expired.
pub(super) fn live(
    entries: &impl ReadableTable<&'static str, (u64, &'static [u8])>,
    key: &str,
    now: u64,
) -> Result<Option<Entry>, StorageError> {
    let Some(found) = entries.get(key)? else { return Ok(None) };
    let (expires, value) = found.value();
    Ok(is_live(expires, now).then(|| Entry { expires, value: value.to_owned() }))
}

pub(super) fn is_live(expires: u64, now: u64) -> bool {
    expires == NEVER || expires > now
}

/// How long a live entry lives on; `None`: for ever.
pub(super) fn left(expires: u64, now: u64) -> Option<Duration> {
    (expires != NEVER).then(|| Duration::from_millis(expires.saturating_sub(now)))
}

/// Up to `most` members of a set, from `start` on in their order.
pub(super) fn members_from(
    members: &impl ReadableTable<(&'static str, &'static str), ()>,
    set: &str,
    start: &str,
    most: usize,
) -> Result<Vec<String>, StorageError> {
    let mut found = Vec::new();
    for entry in members.range((set, start)..)?.take(most) {
        let (key, _) = entry?;
        let (of, member) = key.value();
        if of != set {
            break;
        }
        found.push(member.to_owned());
    }
    Ok(found)
}

/// The tables, open for writing.
pub(super) struct Tables<'txn> {
    entries: Table<'txn, &'static str, (u64, &'static [u8])>,
    expiries: Table<'txn, (u64, &'static str), ()>,
    members: Table<'txn, (&'static str, &'static str), ()>,
    now: u64,
}

impl<'txn> Tables<'txn> {
    pub(super) fn open(transaction: &'txn WriteTransaction, now: u64) -> Result<Self, StoreUnavailable> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            expiries: transaction.open_table(EXPIRIES)?,
            members: transaction.open_table(MEMBERS)?,
            now,
        })
    }

    /// `false`: a condition did not hold, and nothing was changed.
    pub(super) fn commit(&mut self, batch: &Batch) -> Result<bool, StorageError> {
        for (key, expect) in &batch.expect {
            if !self.holds(key, expect)? {
                return Ok(false);
            }
        }
        for (key, change) in &batch.changes {
            self.change(key, change)?;
        }
        Ok(true)
    }

    fn holds(&mut self, key: &str, expect: &Expect) -> Result<bool, StorageError> {
        let found = || live(&self.entries, key, self.now);
        Ok(match expect {
            Expect::Absent => found()?.is_none(),
            Expect::Present => found()?.is_some(),
            Expect::Is(value) => found()?.is_some_and(|entry| entry.value == *value),
            Expect::Fewer { most, prefix } => {
                let members = members_from(&self.members, key, "", *most)?;
                members.len() < *most || self.drop_dead(key, members, prefix, PRUNED_WHEN_FULL)? > 0
            }
        })
    }

    pub(super) fn take(&mut self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let found = live(&self.entries, key, self.now)?;
        self.delete(key)?;
        Ok(found.map(|entry| entry.value))
    }

    fn change(&mut self, key: &str, change: &Change) -> Result<(), StorageError> {
        match change {
            Change::Put { value, lifetime } => self.put(key, value, *lifetime),
            Change::Delete => self.delete(key),
            Change::AddMember { member, prefix } => {
                self.prune(key, member, prefix)?;
                self.members.insert((key, member.as_str()), ()).map(drop)
            }
            Change::RemoveMember { member } => self.members.remove((key, member.as_str())).map(drop),
        }
    }

    fn put(&mut self, key: &str, value: &[u8], lifetime: Option<Duration>) -> Result<(), StorageError> {
        self.delete(key)?;
        let after =
            |lifetime: Duration| self.now.saturating_add(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX));
        let expires = lifetime.map_or(NEVER, after);
        self.entries.insert(key, (expires, value))?;
        if expires != NEVER {
            self.expiries.insert((expires, key), ())?;
        }
        Ok(())
    }

    fn delete(&mut self, key: &str) -> Result<(), StorageError> {
        let expires = self.entries.remove(key)?.map(|old| old.value().0);
        if let Some(expires) = expires.filter(|expires| *expires != NEVER) {
            self.expiries.remove((expires, key))?;
        }
        Ok(())
    }

    /// Members are random, so those that follow the new one, or else the first, are as good as any.
    fn prune(&mut self, set: &str, new: &str, prefix: &str) -> Result<(), StorageError> {
        let mut seen = members_from(&self.members, set, new, PRUNED_AT_ONCE)?;
        if seen.len() < PRUNED_AT_ONCE {
            seen.extend(members_from(&self.members, set, "", PRUNED_AT_ONCE - seen.len())?);
        }
        self.drop_dead(set, seen, prefix, PRUNED_AT_ONCE).map(drop)
    }

    /// Drops up to `most` of `members` whose own record is gone; how many that were.
    fn drop_dead(&mut self, set: &str, members: Vec<String>, prefix: &str, most: usize) -> Result<usize, StorageError> {
        let mut dropped = 0;
        for member in members {
            if dropped < most && live(&self.entries, &format!("{prefix}{member}"), self.now)?.is_none() {
                self.members.remove((set, member.as_str()))?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// Deletes expired entries, a bounded number of them; says which.
    pub(super) fn sweep(&mut self) -> Result<Vec<String>, StorageError> {
        let mut due = Vec::new();
        for entry in self.expiries.range(..=(self.now, "\u{10ffff}"))?.take(SWEPT_AT_ONCE) {
            due.push(entry?.0.value().1.to_owned());
        }
        for key in &due {
            self.delete(key)?;
        }
        Ok(due)
    }
}
