//! Who a `client_id` stands for: a registered client of the store, or one that a document describes.
//!
//! Documents come from the operator's folder (`CLIENT_METADATA_DIR`), from memory, or from the client's own URL, in
//! that order. What memory holds is bounded, and an old copy is better than none while a client's host is in trouble.

mod cache;
mod keys;
mod pinned;

use std::sync::Arc;

use cache::Cache;
use log::{info, warn};
pub(crate) use pinned::PinnedError;

use crate::{
    clock,
    config::ClientDocuments,
    fetch::{FetchError, Fetcher},
    jwt::client_assertion::KeySet,
    oauth::{
        client::Client,
        client_id_metadata::{self, ClientIdUrl, DocumentError, MAX_DOCUMENT},
        gateway::Gateway,
        id::ClientId,
    },
    store::{Store, StoreUnavailable},
};

/// Documents in memory: of 5 KiB each at most, so 10 MiB.
const MOST_DOCUMENTS: usize = 2048;
/// Key sets in memory: usually of 2 KiB, and of 64 KiB at most.
const MOST_KEY_SETS: usize = 512;

/// Why a client could not be found out about, which is not the same as its being unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error("{0}")]
    Store(#[from] StoreUnavailable),
    #[error("{0}")]
    Document(#[from] DocumentFault),
}

/// What is wrong with a client's document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentFault {
    /// The client's fault, for good: as if it were unknown.
    #[error("{0}")]
    Invalid(#[from] DocumentError),
    /// Perhaps better in a moment.
    #[error("the document at client_id cannot be had: {0}")]
    Unreachable(FetchError),
}

#[derive(Debug)]
pub(crate) struct Clients {
    gateway: Gateway,
    sources: ClientDocuments,
    pinned: pinned::Documents,
    fetcher: Fetcher,
    documents: Cache<Client>,
    key_sets: Cache<Arc<KeySet>>,
}

impl Clients {
    /// Reads the operator's folder; a document there that cannot be used is a fault at start, not at a login.
    pub(crate) fn new(gateway: Gateway, sources: ClientDocuments, fetcher: Fetcher) -> Result<Self, PinnedError> {
        let pinned = pinned::read(sources.dir.as_deref(), &gateway)?;
        let (documents, key_sets) = (Cache::new(MOST_DOCUMENTS), Cache::new(MOST_KEY_SETS));
        Ok(Self { gateway, sources, pinned, fetcher, documents, key_sets })
    }

    /// The client that `id` names. `None`: no such registration.
    pub(crate) async fn find(&self, store: &Store, id: &ClientId) -> Result<Option<Client>, FindError> {
        if !client_id_metadata::is_url(id) {
            return Ok(store.client(id).await?);
        }
        Ok(self.described(id, clock::unix(clock::now())).await.map(Some)?)
    }

    /// `now`: seconds since the epoch.
    async fn described(&self, id: &ClientId, now: u64) -> Result<Client, DocumentFault> {
        let url = ClientIdUrl::parse(id, &self.gateway)?;
        if let Some(client) = self.pinned.get(id) {
            return Ok(client.clone());
        }
        if !self.sources.admits(url.host()) {
            return Err(DocumentError::Domain.into());
        }
        self.documents.get(id.as_str(), now, |_| true, async || self.fetch(id, &url).await).await
    }

    async fn fetch(&self, id: &ClientId, url: &ClientIdUrl) -> cache::Outcome<Client> {
        let document = self.fetcher.json(url.url(), MAX_DOCUMENT).await.map_err(|error| match error {
            error if error.is_final() => DocumentFault::Invalid(DocumentError::Absent),
            error => DocumentFault::Unreachable(error),
        });
        let read = document.and_then(|document| {
            let client = client_id_metadata::parse(id, &document.body)?;
            Ok((client, document.lifetime))
        });
        match &read {
            Ok((_, lifetime)) => info!(client_id:% = id, lifetime = lifetime.as_secs(); "client document fetched"),
            Err(cause) => warn!(client_id:% = id, cause:%; "client document refused"),
        }
        read
    }
}

#[cfg(test)]
mod tests;
