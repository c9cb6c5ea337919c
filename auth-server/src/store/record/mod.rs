//! What records look like at rest: JSON in the Python service's shapes, with our fields added to them.
//!
//! A record under the hash of a secret says `"hashed": true`; one without it was written by the Python service and is
//! looked for under the plain secret. Each is accepted only where it belongs, or else a hash from a leaked dump could
//! be presented as if it were the secret.

pub(super) mod client;
pub(super) mod code;
pub(super) mod family;
pub(super) mod refresh;
pub(super) mod token;

use serde::{Serialize, de::DeserializeOwned};

use super::StoreUnavailable;

pub(super) fn encode(record: &impl Serialize) -> Result<Vec<u8>, StoreUnavailable> {
    serde_json::to_vec(record).map_err(StoreUnavailable::because)
}

/// A record that cannot be read is our fault, not the caller's.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreUnavailable> {
    serde_json::from_slice(bytes).map_err(StoreUnavailable::because)
}

/// Which of the two services wrote a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Ours,
    Python,
}
