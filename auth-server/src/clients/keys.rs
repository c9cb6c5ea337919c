//! The public keys of a client: in its registration or document, or at its `jwks_uri`, kept as documents are.

use std::sync::Arc;

use log::{info, warn};
use serde_json::Value;
use url::Url;

use super::{Clients, DocumentFault, cache::Outcome};
use crate::{
    jwt::client_assertion::KeySet,
    oauth::{client::Client, client_id_metadata::DocumentError},
};

/// Largest key set, bytes: sixteen RSA keys with their certificates.
const MAX_KEY_SET: usize = 64 * 1024;

impl Clients {
    /// `key_id`: the key that is looked for; if it is not among those in memory, they are fetched again.
    pub(crate) async fn keys(
        &self,
        client: &Client,
        key_id: Option<&str>,
        now: u64,
    ) -> Result<Arc<KeySet>, DocumentFault> {
        if let Some(jwks) = client.metadata.get("jwks") {
            return KeySet::parse(jwks).map(Arc::new).ok_or(DocumentError::KeySet.into());
        }
        let uri = client.metadata.get("jwks_uri").and_then(Value::as_str).ok_or(DocumentError::NoKeys)?;
        let url = Url::parse(uri).map_err(|_| DocumentError::KeySet)?;
        let fetch = async || self.fetch_keys(&url).await;
        self.key_sets.get(url.as_str(), now, |keys| keys.has(key_id), fetch).await
    }

    async fn fetch_keys(&self, url: &Url) -> Outcome<Arc<KeySet>> {
        let document = self.fetcher.json(url, MAX_KEY_SET).await.map_err(|error| match error {
            error if error.is_final() => DocumentFault::Invalid(DocumentError::KeySet),
            error => DocumentFault::Unreachable(error),
        });
        let read = document.and_then(|document| {
            let keys = serde_json::from_slice(&document.body).ok().and_then(|jwks| KeySet::parse(&jwks));
            Ok((Arc::new(keys.ok_or(DocumentError::KeySet)?), document.lifetime))
        });
        match &read {
            Ok((_, lifetime)) => info!(jwks_uri:% = url, lifetime = lifetime.as_secs(); "client keys fetched"),
            Err(cause) => warn!(jwks_uri:% = url, cause:%; "client keys refused"),
        }
        read
    }
}

#[cfg(test)]
mod tests;
