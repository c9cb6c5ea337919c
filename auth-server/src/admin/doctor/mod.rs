//! `auth-server doctor`: does this gateway work, as its clients see it? Every finding says what to do.

mod github;
mod local;
mod public;
mod web;

use std::{io::Write, time::SystemTime};

use serde::Serialize;
use serde_json::json;

use super::{
    Failure,
    output::{self, printable},
};
use crate::{
    app,
    cli::Doctor,
    config::{Config, StorageConfig},
    store::Store,
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Grade {
    Fine,
    /// Works, but somebody may not want it so.
    Notice,
    Wrong,
}

/// What was looked at, what was seen, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    check: String,
    grade: Grade,
    seen: String,
    /// Empty where all is fine.
    advice: String,
}

impl Finding {
    pub(super) fn fine(check: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { check: check.into(), grade: Grade::Fine, seen: seen.into(), advice: String::new() }
    }

    pub(super) fn notice(check: impl Into<String>, seen: impl Into<String>, advice: &str) -> Self {
        Self { check: check.into(), grade: Grade::Notice, seen: seen.into(), advice: advice.to_owned() }
    }

    pub(super) fn wrong(check: impl Into<String>, seen: impl Into<String>, advice: &str) -> Self {
        Self { check: check.into(), grade: Grade::Wrong, seen: seen.into(), advice: advice.to_owned() }
    }

    /// One or the other.
    pub(super) fn judge(check: &str, is_fine: bool, seen: impl Into<String>, advice: &str) -> Self {
        if is_fine { Self::fine(check, seen) } else { Self::wrong(check, seen, advice) }
    }
}

/// `now`: what this machine's clock says. Needs a tokio runtime.
pub(super) async fn run(
    options: &Doctor,
    vars: Vec<(String, String)>,
    now: fn() -> SystemTime,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let mut findings = Vec::new();
    let storage = StorageConfig::from_vars(vars.clone());
    match Config::from_vars(vars) {
        Ok(config) => {
            findings.extend(local::configuration(&config));
            findings.push(local::keys(&config, now()));
            findings.extend(store(&config.storage).await);
            let web = web::Web::new().map_err(|cause| Failure::Failed(cause.to_string()))?;
            findings.extend(github::check(&config, &web, now).await);
            findings.extend(public::check(&config, &web, options.http_port, now).await);
        }
        Err(faults) => {
            let advice = "correct it in .env or the environment: docs/configuration.md";
            findings.extend(faults.0.into_iter().map(|fault| Finding::wrong("configuration", fault, advice)));
            if let Ok(storage) = storage {
                findings.extend(store(&storage).await);
            }
        }
    }
    report(&findings, options, out)
}

async fn store(storage: &StorageConfig) -> Vec<Finding> {
    match Store::open_beside(&app::store_config(storage)) {
        Ok(store) => local::store(&store).await,
        Err(cause) => vec![Finding::wrong("store", cause.to_string(), local::STORE_ADVICE)],
    }
}

fn report(findings: &[Finding], options: &Doctor, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    let wrong = findings.iter().filter(|finding| finding.grade == Grade::Wrong).count();
    if options.format.json {
        output::json(out, &json!(findings))?;
    } else {
        let width = findings.iter().map(|finding| finding.check.chars().count()).max().unwrap_or_default();
        for Finding { check, grade, seen, advice } in findings {
            let mark = match grade {
                Grade::Fine => "ok   ",
                Grade::Notice => "note ",
                Grade::Wrong => "WRONG",
            };
            writeln!(out, "{mark}  {check:<width$}  {}", printable(seen))?;
            if !advice.is_empty() {
                writeln!(out, "       {:<width$}  → {advice}", "")?;
            }
        }
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::Failed("one thing is wrong".to_owned())),
        some => Err(Failure::Failed(format!("{some} things are wrong"))),
    }
}
