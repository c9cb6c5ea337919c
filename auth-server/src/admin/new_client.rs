//! `auth-server clients create`: a client that the operator vouches for. Unlike one that registers itself (RFC 7591) it
//! may act without a person (RFC 6749 §4.4), and never expires.

use std::{fs, io::Write, path::Path};

use serde_json::{Map, Value, json};

use super::{
    Failure,
    clients::row,
    output::{self, printable},
};
use crate::{
    cli::NewClient,
    oauth::{
        client::{AuthMethod, Client},
        redirect_uri::RedirectUri,
        scope::Scope,
        secret::Secret,
    },
    random,
    store::Store,
};

pub(super) async fn create(
    asked: NewClient,
    store: &Store,
    now: u64,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let as_json = asked.format.json;
    let (client, secret) = checked(asked, now)?;
    store.put_client(&client, None).await?;
    if as_json {
        let mut told = row(&client, None);
        if let Some(secret) = &secret {
            told.insert("client_secret".to_owned(), json!(secret.expose()));
        }
        return Ok(output::json(out, &Value::from(told))?);
    }
    writeln!(out, "client_id      {}", client.id)?;
    if let Some(secret) = &secret {
        writeln!(out, "client_secret  {}", secret.expose())?;
    }
    Ok(())
}

fn checked(asked: NewClient, now: u64) -> Result<(Client, Option<Secret>), Failure> {
    let auth_method: AuthMethod = serde_json::from_value(json!(asked.auth_method))
        .map_err(|_| usage(format!("--auth-method {} is not known to this version", asked.auth_method)))?;
    let mut redirect_uris = Vec::new();
    for uri in &asked.redirect_uris {
        let parsed = RedirectUri::parse(uri).map_err(|cause| usage(format!("--redirect-uri {uri}: {cause}")))?;
        redirect_uris.push(parsed);
    }
    let may = |grant: &str| asked.grant_types.iter().any(|asked| asked == grant);
    if may("authorization_code") && redirect_uris.is_empty() {
        return Err(usage("authorization_code needs a --redirect-uri to send codes to"));
    }
    // RFC 6749 §4.4: a public client cannot act for itself, since anyone could be it.
    if may("client_credentials") && asked.auth_method == "none" {
        return Err(usage("client_credentials needs a client that can prove who it is: not --auth-method none"));
    }
    let metadata = metadata(&asked)?;
    let secret = if asked.auth_method.starts_with("client_secret") { Some(made(random::secret())?) } else { None };
    let client = Client {
        id: made(random::client_id())?,
        secret: secret.as_ref().map(Secret::hash),
        auth_method,
        redirect_uris,
        response_types: if may("authorization_code") { vec!["code".to_owned()] } else { Vec::new() },
        grant_types: asked.grant_types,
        name: Some(printable(&asked.name)),
        scope: Scope::parse(&asked.scope).map_err(|cause| usage(format!("--scope: {cause}")))?,
        issued_at: now,
        secret_expires_at: 0,
        registration_token: None,
        metadata,
    };
    Ok((client, secret))
}

fn metadata(asked: &NewClient) -> Result<Map<String, Value>, Failure> {
    let mut metadata = Map::new();
    match (&asked.jwks, asked.auth_method.as_str()) {
        (Some(file), "private_key_jwt") => {
            metadata.insert("jwks".to_owned(), key_set(file)?);
        }
        (None, "private_key_jwt") => {
            return Err(usage("private_key_jwt needs --jwks FILE with the client's public keys"));
        }
        (Some(_), _) => return Err(usage("--jwks is for --auth-method private_key_jwt")),
        (None, _) => {}
    }
    Ok(metadata)
}

/// RFC 7517 §5: an object with `keys`. A private key in it was given away by mistake, and is not stored.
fn key_set(file: &Path) -> Result<Value, Failure> {
    let what = |problem: &str| usage(format!("--jwks {}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|cause| what(&cause.to_string()))?;
    let set: Value = serde_json::from_str(&text).map_err(|_| what("not JSON"))?;
    let keys = set.get("keys").and_then(Value::as_array).filter(|keys| !keys.is_empty());
    let keys = keys.ok_or_else(|| what("not a JSON Web Key Set: an object with keys"))?;
    if keys.iter().any(|key| key.get("d").is_some() || key.get("k").is_some()) {
        return Err(what("holds a private or symmetric key; give the public ones"));
    }
    Ok(set)
}

fn made<T>(made: Result<T, random::NoRandomness>) -> Result<T, Failure> {
    made.map_err(|cause| Failure::Failed(cause.to_string()))
}

fn usage(what: impl Into<String>) -> Failure {
    Failure::Usage(what.into())
}
