//! `auth-server stats` and `auth-server purge`

use std::io::Write;

use serde_json::{Value, json};

use super::{Failure, output};
use crate::{cli::Format, store::Store};

pub(super) async fn stats(store: &Store, format: Format, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let stats = store.stats().await?;
    numbers(&json!(stats), format, out)
}

pub(super) async fn purge(
    store: &Store,
    dry_run: bool,
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let purged = store.purge(dry_run).await?;
    if !format.json {
        writeln!(out, "{}", if dry_run { "would be deleted:" } else { "deleted:" })?;
    }
    numbers(&json!(purged), format, out)
}

fn numbers(value: &Value, format: Format, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    if format.json {
        return Ok(output::json(out, value)?);
    }
    let facts: Vec<(String, String)> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, number)| (name.replace('_', " "), format!("{:>8}", number.to_string())))
        .collect();
    let facts: Vec<_> = facts.iter().map(|(name, number)| (name.as_str(), number.clone())).collect();
    Ok(output::facts(out, &facts)?)
}
