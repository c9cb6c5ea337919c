//! `auth-server tokens …`

use std::io::Write;

use serde_json::{Value, json};

use super::{
    Failure, confirm,
    output::{self, Table, date},
    remark,
};
use crate::{
    cli::{Format, Tokens},
    oauth::id::{ClientId, TokenId},
    store::{Store, TokenFilter},
};

pub(super) async fn run(command: Tokens, store: &Store, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    match command {
        Tokens::List { user, client, format } => {
            let client = client.as_deref().map(|id| ClientId::parse(id).ok_or_else(|| bad("client id"))).transpose()?;
            list(store, &TokenFilter { username: user, client }, format, out).await
        }
        Tokens::Revoke { jti: Some(jti), .. } => {
            let id = TokenId::parse(&jti).ok_or_else(|| bad("jti"))?;
            if store.token(&id).await?.is_none() {
                return Err(Failure::NotFound(format!("there is no token {id}")));
            }
            store.revoke_token(&id).await?;
            Ok(writeln!(out, "{id} revoked")?)
        }
        Tokens::Revoke { jti: None, consent, .. } => {
            confirm(consent, "Every token of every person will be revoked")?;
            let ended = store.logout_everybody().await?;
            let (families, tokens, codes) = (ended.families, ended.tokens + ended.refresh_tokens, ended.codes);
            Ok(writeln!(out, "logins ended: {families}; besides: tokens {tokens}, codes {codes}")?)
        }
    }
}

async fn list(
    store: &Store,
    wanted: &TokenFilter,
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let found = store.tokens(wanted).await?;
    remark(found.unreadable)?;
    if format.json {
        let rows: Value = found
            .items
            .iter()
            .map(|token| {
                let claims = &token.claims;
                json!({
                    "jti": claims.jti, "username": claims.username, "client_id": claims.client_id,
                    "scope": claims.scope, "aud": claims.aud, "iat": claims.iat, "exp": claims.exp,
                })
            })
            .collect();
        return Ok(output::json(out, &rows)?);
    }
    let mut table = Table::new(["jti", "user", "client", "scope", "audience", "issued", "expires"]);
    for token in found.items {
        let claims = token.claims;
        table.row([
            claims.jti.to_string(),
            claims.username,
            claims.client_id.to_string(),
            claims.scope.to_string(),
            claims.aud.join(" "),
            date(claims.iat),
            date(claims.exp),
        ]);
    }
    Ok(table.write(out)?)
}

fn bad(what: &str) -> Failure {
    Failure::Usage(format!("that cannot be a {what}"))
}
