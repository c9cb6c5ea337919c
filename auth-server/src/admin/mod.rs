//! Subcommands beside `serve`, for the operator.
//!
//! They open the store that the server's configuration names; none prints a token, nor a secret that it did not make.

mod backup;
mod backup_file;
mod clients;
mod doctor;
mod failure;
pub mod keys;
mod new_client;
mod output;
mod progress;
mod restore;
mod tokens;
mod upkeep;
mod users;

use std::io::{self, BufRead, IsTerminal, Write};

pub use failure::Failure;

use crate::{
    app,
    cli::{Admin, Consent},
    clock,
    config::StorageConfig,
    store::Store,
};

/// `vars`: the environment. Needs a tokio runtime.
pub async fn run(command: Admin, vars: Vec<(String, String)>, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    if let Admin::Doctor(options) = command {
        return doctor::run(&options, vars, clock::now, out).await;
    }
    let storage = StorageConfig::from_vars(vars)?;
    let store = Store::open_beside(&app::store_config(&storage))?;
    let now = clock::unix(clock::now());
    match command {
        Admin::Clients(command) => clients::run(command, &store, now, out).await,
        Admin::Tokens(command) => tokens::run(command, &store, out).await,
        Admin::Users(command) => users::run(command, &store, out).await,
        // Answered above: it looks at the configuration itself.
        Admin::Doctor(_) => Ok(()),
        Admin::Stats(format) => upkeep::stats(&store, format, out).await,
        Admin::Backup { file } => backup::run(&store, &file, now, out).await,
        Admin::Restore { file, dry_run, clear, consent } => {
            if clear {
                confirm(consent, "Everything that is stored now will be deleted first")?;
            }
            restore::run(&store, &file, restore::How { dry_run, clear }, out).await
        }
        Admin::Purge { dry_run, format } => upkeep::purge(&store, dry_run, format, out).await,
    }
}

/// Asks before what cannot be undone. Without a terminal there is nobody to ask.
fn confirm(consent: Consent, what: &str) -> Result<(), Failure> {
    if consent.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{what}: say --yes, since there is no terminal to ask on")));
    }
    let mut told = io::stderr();
    write!(told, "{what}. Type yes to go on: ")?;
    told.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::Failed("nothing was changed".to_owned())) }
}

/// For people only, beside the output.
fn remark(unreadable: usize) -> Result<(), Failure> {
    if unreadable > 0 {
        writeln!(io::stderr(), "{unreadable} records could not be read and are not shown")?;
    }
    Ok(())
}
