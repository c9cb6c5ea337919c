//! `auth-server users …`

use std::io::Write;

use serde_json::{Value, json};

use super::{
    Failure, clients,
    output::{self, Table, date, printable},
};
use crate::{
    cli::{Format, Users},
    store::{LoggedOut, Store},
};

pub(super) async fn run(command: Users, store: &Store, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    match command {
        Users::List(format) => list(store, format, out).await,
        Users::Logout { name } => logout(store, &name, out).await,
    }
}

async fn list(store: &Store, format: Format, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut table = Table::new(["user", "client", "name", "scope", "since", "last token"]);
    for username in store.usernames().await? {
        let connections = store.connections(&username).await?;
        if connections.is_empty() {
            // The Python service's tokens belong to no family.
            table.row([username.clone(), "-".into(), String::new(), String::new(), "-".into(), "-".into()]);
        }
        for connection in &connections {
            table.row([
                username.clone(),
                connection.client_id.to_string(),
                connection.client_name.clone().unwrap_or_default(),
                connection.scope.to_string(),
                date(connection.created_at),
                date(connection.last_issued_at),
            ]);
        }
        let connections: Value = connections.iter().map(clients::connection).collect();
        rows.push(json!({ "username": username, "connections": connections }));
    }
    if format.json {
        return Ok(output::json(out, &Value::from(rows))?);
    }
    Ok(table.write(out)?)
}

/// GitHub's logins have no case; records have the one that GitHub said.
async fn logout(store: &Store, name: &str, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let known = store.usernames().await?;
    let mut spellings: Vec<_> = known.into_iter().filter(|known| known.eq_ignore_ascii_case(name)).collect();
    if spellings.is_empty() {
        spellings.push(name.to_owned());
    }
    let (mut ended, mut sessions) = (LoggedOut::default(), 0);
    for spelling in &spellings {
        let more = store.logout(spelling).await?;
        ended.families += more.families;
        ended.tokens += more.tokens;
        ended.refresh_tokens += more.refresh_tokens;
        ended.codes += more.codes;
        sessions += store.end_sessions_of(spelling).await?;
    }
    if ended == LoggedOut::default() && sessions == 0 {
        return Err(Failure::NotFound(format!("nothing was issued to {}", printable(name))));
    }
    let besides = ended.tokens + ended.refresh_tokens + ended.codes;
    let (name, logins) = (printable(name), ended.families);
    Ok(writeln!(out, "{name}: logins ended: {logins}; tokens and codes besides: {besides}")?)
}
