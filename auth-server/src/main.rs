//! Arguments → configuration → logger → [`Application`] → run.

use std::{io::Write, path::Path, process::ExitCode};

use auth_server::{
    admin::{self, keys},
    app::Application,
    cli::{Admin, Cli, Command, Keys, Serve},
    config::{Config, environment},
    logging,
};
use clap::Parser;
use log::{error, info};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// `EX_USAGE` of sysexits: the configuration is wrong; starting again will not help.
const MISCONFIGURED: u8 = 64;

#[actix_web::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_fault) => return say(&help_or_fault),
    };
    match cli.command() {
        Command::Serve(serve_options) => serve(serve_options).await,
        Command::Keys(command) => keys(command),
        Command::Admin(command) => administer(command).await,
    }
}

/// clap's own exit code for wrong usage is 2.
fn say(help_or_fault: &clap::Error) -> ExitCode {
    let code = if help_or_fault.use_stderr() { ExitCode::from(MISCONFIGURED) } else { ExitCode::SUCCESS };
    help_or_fault.print().map_or(ExitCode::FAILURE, |()| code)
}

async fn administer(command: Admin) -> ExitCode {
    let done = match environment(Path::new(".env")) {
        Ok(vars) => admin::run(command, vars, &mut std::io::stdout()).await,
        Err(faults) => Err(faults.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => tell(&format!("auth-server: {failure}\n"), ExitCode::from(failure.exit_code())),
    }
}

async fn serve(options: Serve) -> ExitCode {
    let config = match environment(Path::new(".env")).and_then(Config::from_vars) {
        Ok(config) => options.apply(config),
        Err(faults) => return misconfigured(&faults.0),
    };
    let _last_words = match logging::start(&config.log) {
        Ok(last_words) => last_words,
        Err(cause) => return misconfigured(&[format!("LOG_FILE cannot be written: {cause}")]),
    };
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            error!(cause:%; "server ended");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let application = Application::build(config).await?;
    if let Some(addr) = application.metrics_addr() {
        info!(metrics_addr:% = addr; "numbers are served");
    }
    info!(addr:% = application.addr(), version = env!("CARGO_PKG_VERSION"); "listening");
    application.run_until_stopped(stop_signal()?).await?;
    info!("stopped");
    Ok(())
}

/// Cancelled by SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    #[expect(clippy::disallowed_methods, reason = "lives exactly as long as main, which owns the token")]
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        stopped.cancel();
    });
    Ok(stop)
}

fn keys(command: Keys) -> ExitCode {
    let (out, told) = (&mut std::io::stdout(), &mut std::io::stderr());
    let config = || environment(Path::new(".env")).and_then(Config::from_vars);
    let done = match command {
        Keys::Generate { alg, out: file } => keys::generate(alg, file.as_deref(), out),
        Keys::List { json } => match config() {
            Ok(config) => keys::list(&config, json, out),
            Err(faults) => return misconfigured(&faults.0),
        },
        Keys::Rotate { alg, compromised } => match config() {
            Ok(config) => keys::rotate(&config, alg, compromised, (out, told)),
            Err(faults) => return misconfigured(&faults.0),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => tell(&format!("auth-server keys: {cause}\n"), ExitCode::FAILURE),
    }
}

fn misconfigured(faults: &[String]) -> ExitCode {
    // There is no logger yet: its level and file are part of what is wrong.
    let lines: String = faults.iter().map(|fault| format!("  - {fault}\n")).collect();
    tell(&format!("auth-server cannot start:\n{lines}"), ExitCode::from(MISCONFIGURED))
}

fn tell(text: &str, code: ExitCode) -> ExitCode {
    std::io::stderr().write_all(text.as_bytes()).map_or(ExitCode::FAILURE, |()| code)
}
