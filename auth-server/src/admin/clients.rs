//! `auth-server clients …`

use std::{io::Write, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Failure, confirm, new_client,
    output::{self, Table, date},
    remark,
};
use crate::{
    cli::{Clients, Format},
    oauth::{client::Client, id::ClientId},
    store::{Connection, Store, StoredClient},
};

pub(super) async fn run(
    command: Clients,
    store: &Store,
    now: u64,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    match command {
        Clients::List(format) => list(store, now, format, out).await,
        Clients::Show { id, format } => show(store, &id, format, out).await,
        Clients::Create(asked) => new_client::create(asked, store, now, out).await,
        Clients::Delete { id: Some(id), .. } => delete(store, &id, out).await,
        Clients::Delete { id: None, consent, .. } => {
            confirm(consent, "Every client and all tokens will be deleted")?;
            let clients = store.clients().await?.items;
            for found in &clients {
                store.delete_client(&found.client.id).await?;
            }
            Ok(writeln!(out, "{} clients deleted", clients.len())?)
        }
    }
}

async fn list(store: &Store, now: u64, format: Format, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let found = store.clients().await?;
    remark(found.unreadable)?;
    if format.json {
        let rows: Value = found.items.iter().map(|found| Value::from(row(&found.client, expiry(found, now)))).collect();
        return Ok(output::json(out, &rows)?);
    }
    let mut table = Table::new(["client", "name", "method", "redirect URIs", "registered", "expires"]);
    for found in &found.items {
        let client = &found.client;
        let uris: Vec<_> = client.redirect_uris.iter().map(|uri| uri.as_str()).collect();
        table.row([
            client.id.to_string(),
            client.name.clone().unwrap_or_default(),
            method(client),
            uris.join(" "),
            date(client.issued_at),
            expiry(found, now).map_or_else(|| "never".to_owned(), date),
        ]);
    }
    Ok(table.write(out)?)
}

async fn show(store: &Store, id: &str, format: Format, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let client = load(store, id).await?;
    let connections = store.connections_of(&client.id).await?;
    if format.json {
        let mut shown = row(&client, None);
        shown.remove("expires_at");
        let connected: Value = connections.iter().map(connection).collect();
        shown.insert("connections".to_owned(), connected);
        return Ok(output::json(out, &Value::from(shown))?);
    }
    let uris: Vec<_> = client.redirect_uris.iter().map(|uri| uri.as_str()).collect();
    output::facts(
        out,
        &[
            ("client", client.id.to_string()),
            ("name", client.name.clone().unwrap_or_default()),
            ("method", method(&client)),
            ("grants", client.grant_types.join(" ")),
            ("scope", client.scope.to_string()),
            ("redirect URIs", uris.join(" ")),
            ("registered", date(client.issued_at)),
        ],
    )?;
    for connection in &connections {
        let Connection { username, scope, created_at, last_issued_at, .. } = connection;
        let (since, last) = (date(*created_at), date(*last_issued_at));
        writeln!(out, "allowed in by {username} since {since}, last token {last}, scope {scope}")?;
    }
    Ok(())
}

async fn delete(store: &Store, id: &str, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let client = load(store, id).await?;
    store.delete_client(&client.id).await?;
    Ok(writeln!(out, "{} deleted, with everything that was issued to it", client.id)?)
}

async fn load(store: &Store, id: &str) -> Result<Client, Failure> {
    let parsed = ClientId::parse(id).ok_or_else(|| Failure::Usage("that cannot be a client id".to_owned()))?;
    let found = store.client(&parsed).await?;
    found.ok_or_else(|| Failure::NotFound(format!("there is no client {}", output::printable(id))))
}

fn expiry(found: &StoredClient, now: u64) -> Option<u64> {
    found.left.as_ref().map(Duration::as_secs).map(|left| now.saturating_add(left))
}

fn method(client: &Client) -> String {
    json!(client.auth_method).as_str().unwrap_or_default().to_owned()
}

/// What may be told of a client: neither its secret nor its registration token, not even hashed.
pub(super) fn row(client: &Client, expires_at: Option<u64>) -> Map<String, Value> {
    let uris: Vec<_> = client.redirect_uris.iter().map(|uri| uri.as_str()).collect();
    let fields = [
        ("client_id", json!(client.id)),
        ("client_name", json!(client.name)),
        ("token_endpoint_auth_method", json!(client.auth_method)),
        ("grant_types", json!(client.grant_types)),
        ("redirect_uris", json!(uris)),
        ("scope", json!(client.scope)),
        ("client_id_issued_at", json!(client.issued_at)),
        ("expires_at", json!(expires_at)),
        ("metadata", json!(client.metadata)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn connection(connection: &Connection) -> Value {
    json!({
        "username": connection.username,
        "client_id": connection.client_id,
        "client_name": connection.client_name,
        "scope": connection.scope,
        "resource": connection.resource,
        "created_at": connection.created_at,
        "last_issued_at": connection.last_issued_at,
        "refreshable": connection.refreshable,
    })
}
