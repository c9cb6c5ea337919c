//! What replicas tell each other through Redis, as pure data: a record per session, a sign of life per replica.
//!
//! Whatever is read is checked: a record that is too large or says anything odd is no record.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::address::Address;
use crate::mcp::session_id::{Owner, SessionId};

/// No record of ours is longer: a user's id comes from a header, and those are bounded.
const MAX_RECORD: usize = 64 << 10;

/// One run of one replica: a replica that starts again is another, for its sessions are gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaId(Box<str>);

impl ReplicaId {
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        hex.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose session it is and where, as `redis:session:{id}:state` says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    pub replica: ReplicaId,
    pub owner: Owner,
    pub created: u64,
    pub last_seen: u64,
}

#[derive(Serialize, Deserialize)]
struct WrittenSession<'a> {
    #[serde(borrow)]
    owner: Cow<'a, str>,
    #[serde(borrow)]
    user: Option<Cow<'a, str>>,
    created: u64,
    last_seen: u64,
}

impl SessionRecord {
    #[must_use]
    pub fn key(id: &SessionId) -> String {
        format!("redis:session:{}:state", id.as_str())
    }

    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        let written: WrittenSession<'_> = bounded(json)?;
        Some(Self {
            replica: ReplicaId::parse(&written.owner)?,
            owner: written.user.map_or_else(Owner::nobody, |user| Owner::user(&user)),
            created: written.created,
            last_seen: written.last_seen,
        })
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        let written = WrittenSession {
            owner: Cow::Borrowed(self.replica.as_str()),
            user: self.owner.as_str().map(Cow::Borrowed),
            created: self.created,
            last_seen: self.last_seen,
        };
        written_out(&written)
    }
}

/// A replica's sign of life, `redis:replica:{id}:state`: where it is, and what it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOfLife {
    pub address: Address,
    /// [`service`] of its command.
    pub service: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenSign<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
}

impl SignOfLife {
    #[must_use]
    pub fn key(id: &ReplicaId) -> String {
        format!("redis:replica:{}:state", id.as_str())
    }

    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        let written: WrittenSign<'_> = bounded(json)?;
        Some(Self { address: Address::parse(&written.address)?, service: written.service.into_owned() })
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        let (address, service) = (Cow::Borrowed(self.address.as_str()), Cow::Borrowed(self.service.as_str()));
        written_out(&WrittenSign { address, service })
    }
}

fn bounded<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    (json.len() <= MAX_RECORD).then(|| serde_json::from_slice(json).ok()).flatten()
}

fn written_out(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("text and numbers are always JSON")
}

/// Which service a command makes: replicas of one run the same. Services may share a Redis, and what a person may use
/// of one says nothing about another. The environment does not count: that of replicas differs. FNV-1a: it tells apart
/// what one operator runs, and shows no argument.
#[must_use]
pub fn service<'a>(words: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in words {
        for byte in word.iter().chain([&0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(owner: Owner) -> SessionRecord {
        SessionRecord { replica: ReplicaId::from_random([7; 16]), owner, created: 1, last_seen: 2 }
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        for owner in [Owner::nobody(), Owner::user("alice"), Owner::user("\"},\\ é\u{1}")] {
            assert_eq!(SessionRecord::parse(record(owner.clone()).to_json().as_bytes()), Some(record(owner)));
        }
        let sign = SignOfLife { address: Address::parse("time:3000").unwrap(), service: "x".into() };
        assert_eq!(SignOfLife::parse(sign.to_json().as_bytes()), Some(sign));
    }

    #[test]
    fn nobody_is_not_a_user_without_a_name() {
        assert_ne!(record(Owner::nobody()).to_json(), record(Owner::user("")).to_json());
    }

    #[test]
    fn what_is_odd_is_no_record() {
        let fine = record(Owner::user("alice")).to_json();
        let long = fine.replace("alice", &"a".repeat(MAX_RECORD));
        let elsewhere = fine.replace(&"07".repeat(16), "http://evil.example/");
        for json in ["", "null", "[]", "{}", &fine[1..], &long, &elsewhere] {
            assert_eq!(SessionRecord::parse(json.as_bytes()), None, "{}", &json[..json.len().min(99)]);
        }
        for json in [r#"{"address":"evil.example/x","service":"s"}"#, r#"{"service":"s"}"#, "\u{0}"] {
            assert_eq!(SignOfLife::parse(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn a_service_is_its_whole_command_word_by_word() {
        let of = |words: &[&'static str]| service(words.iter().map(|word| word.as_bytes()));
        assert_eq!(of(&["npx", "time"]), of(&["npx", "time"]));
        assert_ne!(of(&["npx", "time"]), of(&["npxtime"]));
        assert_ne!(of(&["npx", "time"]), of(&["npx", "time", ""]));
    }
}
