//! HTTPS clients that are built beside the start: reading the system's roots takes longer than all else that a start
//! does, and nobody needs them before the first login.

use std::{
    sync::{Arc, LazyLock},
    thread,
};

use log::error;
use reqwest::{Client, ClientBuilder};

type Building = Box<dyn FnOnce() -> reqwest::Result<Client> + Send>;

/// A client that may still be in the making; whoever is too early waits for it.
#[derive(Clone)]
pub(crate) struct Outgoing(Arc<LazyLock<reqwest::Result<Client>, Building>>);

/// Said in the log already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("TLS for outgoing requests could not be set up")]
pub(crate) struct NoTls;

impl Outgoing {
    /// Errors: there is no thread to be had.
    pub(crate) fn new(builder: ClientBuilder) -> std::io::Result<Self> {
        let building: Building = Box::new(move || {
            let built = builder.build();
            built.inspect_err(|cause| error!(cause:%; "TLS for outgoing requests could not be set up"))
        });
        let client = Self(Arc::new(LazyLock::new(building)));
        let early = client.clone();
        // Ends by itself, in milliseconds.
        thread::Builder::new().name("tls-roots".to_owned()).spawn(move || drop(early.get().cloned()))?;
        Ok(client)
    }

    pub(crate) fn get(&self) -> Result<&Client, NoTls> {
        self.0.as_ref().as_ref().map_err(|_| NoTls)
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outgoing")
    }
}
