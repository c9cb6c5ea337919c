//! Documents that the operator keeps a copy of (`CLIENT_METADATA_DIR`): for clients whose host refuses us, and for
//! gateways without a way out. A copy is used for the `client_id` that it names, and its URL is then not asked.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::oauth::{
    client::Client,
    client_id_metadata::{self, ClientIdUrl, DocumentError},
    gateway::Gateway,
    id::ClientId,
};

pub(super) type Documents = HashMap<ClientId, Client>;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinnedError {
    #[error("CLIENT_METADATA_DIR: {path}: {cause}")]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("CLIENT_METADATA_DIR: {path}: {cause}")]
    Unusable { path: PathBuf, cause: DocumentError },
}

#[derive(Deserialize)]
struct Named {
    client_id: ClientId,
}

/// Every `*.json` of the folder.
pub(super) fn read(dir: Option<&Path>, gateway: &Gateway) -> Result<Documents, PinnedError> {
    let Some(dir) = dir else { return Ok(Documents::new()) };
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |cause| PinnedError::Unreadable { path, cause }
    };
    let mut documents = Documents::new();
    for entry in fs::read_dir(dir).map_err(unreadable(dir))? {
        let path = entry.map_err(unreadable(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let body = fs::read(&path).map_err(unreadable(&path))?;
            let client = parse(&body, gateway).map_err(|cause| PinnedError::Unusable { path, cause })?;
            documents.insert(client.id.clone(), client);
        }
    }
    Ok(documents)
}

fn parse(body: &[u8], gateway: &Gateway) -> Result<Client, DocumentError> {
    let Named { client_id } = serde_json::from_slice(body).map_err(|_| DocumentError::Member("client_id"))?;
    ClientIdUrl::parse(&client_id, gateway)?;
    client_id_metadata::parse(&client_id, body)
}
