//! `auth-server keys …`: make, show and rotate signing keys.

use std::{
    io::{self, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    clock,
    config::Config,
    jwt::{Algorithm, KeyError, PrivateKey, PublicKey},
    keys::{self, Loaded, NoKeys, Place, Retired, Rotated, Rotation, Source},
};

/// Why a command on keys did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}")]
    NoKeys(#[from] NoKeys),
    #[error("the output could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes a new private key as PEM: to `file`, which must not exist yet, or to `out`.
pub fn generate(algorithm: Algorithm, file: Option<&Path>, out: &mut impl Write) -> Result<(), KeysError> {
    let key = PrivateKey::generate(algorithm)?;
    match file {
        Some(path) => keys::write_new(path, key.pem())?,
        None => out.write_all(key.pem().expose().as_bytes())?,
    }
    Ok(())
}

/// Shows the keys that a server with this configuration has, never a private one.
pub fn list(config: &Config, as_json: bool, out: &mut impl Write) -> Result<(), KeysError> {
    let (source, now) = (Source::new(&config.signing, &config.storage.data_dir), clock::unix(clock::now()));
    let Loaded { signing, retired } = source.load(now)?;
    if as_json {
        let row = |key: &PublicKey, signs: bool, until: Option<u64>| json!({ "kid": key.kid(), "alg": key.algorithm().name(), "signs": signs, "until": until });
        let signing = std::iter::once(row(signing.public(), true, None));
        let rows: Vec<_> = signing.chain(retired.iter().map(|old| row(&old.key, false, old.until))).collect();
        return Ok(writeln!(out, "{:#}", json!({ "place": place(&source), "keys": rows }))?);
    }
    writeln!(out, "keys of {}", place(&source))?;
    writeln!(out, "{:<43}  {:<5}  use", "kid", "alg")?;
    line(signing.public(), "signs and verifies", out)?;
    for old in &retired {
        line(&old.key, &verifies(old, now), out)?;
    }
    Ok(())
}

/// Puts a new key in front; `told` is for people, `out` for what they paste.
pub fn rotate(
    config: &Config,
    algorithm: Option<Algorithm>,
    compromised: bool,
    (out, told): (&mut impl Write, &mut impl Write),
) -> Result<(), KeysError> {
    let (source, now) = (Source::new(&config.signing, &config.storage.data_dir), clock::unix(clock::now()));
    let algorithm = algorithm.unwrap_or(config.signing.algorithm);
    let lifetime = config.lifetimes.access_token.as_secs();
    match (Rotation { algorithm, lifetime, compromised }).run(&source, now)? {
        Rotated::Files { signing, retired } => {
            line(signing.public(), "signs and verifies", out)?;
            for old in &retired {
                line(&old.key, &verifies(old, now), out)?;
            }
            writeln!(
                told,
                "written to {}. A running server sees it the next time that it signs; now: kill -HUP",
                place(&source)
            )?;
        }
        Rotated::Environment { signing, retired } => {
            writeln!(
                told,
                "the key comes from JWT_PRIVATE_KEY_B64. Put these into the environment instead, and restart:"
            )?;
            writeln!(out, "JWT_PRIVATE_KEY_B64={}", STANDARD.encode(signing.pem().expose()))?;
            writeln!(out, "JWT_VERIFY_KEYS_B64={}", keys::encode(&retired))?;
            let next = Retired { key: signing.public().clone(), until: None };
            writeln!(
                told,
                "Remove JWT_VERIFY_KEYS_B64 once ACCESS_TOKEN_LIFETIME ({lifetime} s) has passed since then."
            )?;
            writeln!(told, "Several replicas: first restart each with the old JWT_PRIVATE_KEY_B64 and")?;
            writeln!(told, "JWT_VERIFY_KEYS_B64={}", keys::encode(&[next]))?;
        }
    }
    Ok(())
}

fn line(key: &PublicKey, what_for: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:<43}  {:<5}  {what_for}", key.kid(), key.algorithm().name())
}

fn verifies(old: &Retired, now: u64) -> String {
    match old.until {
        None => "verifies".to_owned(),
        Some(until) => {
            let minutes = until.saturating_sub(now).div_ceil(60);
            format!("verifies for {} h {:02} min more", minutes / 60, minutes % 60)
        }
    }
}

fn place(source: &Source) -> String {
    match &source.place {
        Place::Environment(_) => "JWT_PRIVATE_KEY_B64".to_owned(),
        Place::File(path) => path.display().to_string(),
    }
}
