//! A backup: lines of JSON. The first says what it is, the last how much there was and what it adds up to, so that a
//! file that was cut off or changed is not mistaken for a whole one.

use std::io::{self, BufRead, Write};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::store::Item;

const FORMAT: &str = "mcp-oauth-gateway backup";
const VERSION: u32 = 1;

/// Why a file is not a backup that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a backup of this program")]
    Foreign,
    #[error("it is a backup of version {0}, and this program reads version {VERSION}: take a newer one")]
    Version(u32),
    #[error("line {0} is damaged")]
    Line(usize),
    #[error("it has no end: it was cut off")]
    CutOff,
    #[error("it is not what was written: the checksum differs")]
    Changed,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// Seconds since the epoch.
    created_at: u64,
    /// The store that it was taken from, for people.
    from: String,
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    end: Totals,
}

#[derive(Serialize, Deserialize)]
struct Totals {
    items: usize,
    /// Of all lines before this one, with their ends.
    sha256: String,
}

/// Writes one, hashing as it goes.
pub(super) struct Writer<W> {
    to: W,
    hash: Sha256,
    items: usize,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(to: W, created_at: u64, from: &str) -> io::Result<Self> {
        let mut writer = Self { to, hash: Sha256::new(), items: 0 };
        writer.line(&Header { format: FORMAT.to_owned(), version: VERSION, created_at, from: from.to_owned() })?;
        Ok(writer)
    }

    pub(super) fn item(&mut self, item: &Item) -> io::Result<()> {
        self.items += 1;
        self.line(item)
    }

    /// How many items it holds.
    pub(super) fn end(mut self) -> io::Result<(W, usize)> {
        let sha256 = URL_SAFE_NO_PAD.encode(self.hash.clone().finalize());
        self.line(&Trailer { end: Totals { items: self.items, sha256 } })?;
        self.to.flush()?;
        Ok((self.to, self.items))
    }

    fn line(&mut self, content: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(content)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.to.write_all(&line)
    }
}

/// Reads one. An item counts only when all have been read: see [`check`].
pub(super) struct Reader<R> {
    from: R,
    hash: Sha256,
    items: usize,
    line: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn begin(from: R) -> Result<Self, Unusable> {
        let mut reader = Self { from, hash: Sha256::new(), items: 0, line: Vec::new(), ended: false };
        if !reader.advance()? {
            return Err(Unusable::Foreign);
        }
        let header: Header = serde_json::from_slice(&reader.line).map_err(|_| Unusable::Foreign)?;
        match (header.format.as_str(), header.version) {
            (FORMAT, VERSION) => {}
            (FORMAT, other) => return Err(Unusable::Version(other)),
            _ => return Err(Unusable::Foreign),
        }
        reader.hash.update(&reader.line);
        Ok(reader)
    }

    /// `None`: that was the last, and everything before it is as it was written.
    pub(super) fn item(&mut self) -> Result<Option<Item>, Unusable> {
        if self.ended {
            return Ok(None);
        }
        if !self.advance()? {
            return Err(Unusable::CutOff);
        }
        if let Ok(Trailer { end }) = serde_json::from_slice(&self.line) {
            let sha256 = URL_SAFE_NO_PAD.encode(self.hash.clone().finalize());
            let whole = end.items == self.items && end.sha256 == sha256 && !self.advance()?;
            self.ended = whole;
            return if whole { Ok(None) } else { Err(Unusable::Changed) };
        }
        self.items += 1;
        self.hash.update(&self.line);
        serde_json::from_slice(&self.line).map(Some).map_err(|_| Unusable::Line(self.items + 1))
    }

    /// To the next line; `false`: there is none. One without its end was cut off.
    fn advance(&mut self) -> Result<bool, Unusable> {
        self.line.clear();
        self.from.read_until(b'\n', &mut self.line)?;
        match self.line.last() {
            None => Ok(false),
            Some(b'\n') => Ok(true),
            Some(_) => Err(Unusable::CutOff),
        }
    }
}

/// Reads a whole one and says how many items it holds.
pub(super) fn check(from: impl BufRead) -> Result<usize, Unusable> {
    let mut reader = Reader::begin(from)?;
    while reader.item()?.is_some() {}
    Ok(reader.items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> Item {
        serde_json::from_str(text).unwrap()
    }

    fn backup() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), 1_800_000_000, "a test").unwrap();
        writer.item(&item(r#"{"record": {"key": "oauth:a", "text": "1", "expires_at": 5}}"#)).unwrap();
        writer.item(&item(r#"{"record": {"key": "oauth:b", "base64": "/w=="}}"#)).unwrap();
        writer.item(&item(r#"{"member": {"set": "oauth:s", "member": "m"}}"#)).unwrap();
        let (written, items) = writer.end().unwrap();
        assert_eq!(items, 3);
        written
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = backup();
        assert_eq!(check(&written[..]).unwrap(), 3);
        let mut reader = Reader::begin(&written[..]).unwrap();
        assert_eq!(
            reader.item().unwrap(),
            Some(item(r#"{"record": {"key": "oauth:a", "text": "1", "expires_at": 5}}"#))
        );
    }

    #[test]
    fn a_backup_that_was_cut_off_anywhere_is_refused() {
        let written = backup();
        for length in 0..written.len() {
            assert!(check(&written[..length]).is_err(), "{length} bytes of {}", written.len());
        }
    }

    #[test]
    fn a_backup_that_was_changed_anywhere_is_refused() {
        let written = backup();
        for place in 0..written.len() {
            let mut changed = written.clone();
            changed[place] ^= 1;
            // The header's time and source are covered too, though nothing depends on them.
            assert!(check(&changed[..]).is_err(), "byte {place}");
        }
        assert!(check(&[written.clone(), written].concat()[..]).is_err());
    }

    #[test]
    fn another_version_is_named() {
        let text = String::from_utf8(backup()).unwrap().replace(r#""version":1"#, r#""version":2"#);
        assert!(matches!(check(text.as_bytes()), Err(Unusable::Version(2))));
    }
}
