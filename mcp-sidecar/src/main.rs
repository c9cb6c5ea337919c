//! Arguments → configuration → logger → [`Application`] → run.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use log::{error, info, warn};
use mcp_sidecar::app::{Application, BLOCKING_THREADS, share_of_processors};
use mcp_sidecar::child::{descriptors, private, reap, watchdog};
use mcp_sidecar::cli;
use mcp_sidecar::config::{Config, Unusable};
use mcp_sidecar::logging;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mcp_sidecar::allocator::Allocator = mcp_sidecar::allocator::Allocator;

/// `EX_USAGE` of sysexits: the configuration is wrong; starting again will not help.
const MISCONFIGURED: u8 = 64;
/// Ten years.
const FOR_EVER: Duration = Duration::from_secs(315_360_000);

fn main() -> ExitCode {
    if let Err(cause) = private::keep_private() {
        return misconfigured(&format!("mcp-sidecar cannot hide its environment from its children: {cause}\n"));
    }
    if let Some(code) = watchdog::main_if_requested(std::env::args_os()) {
        return code;
    }
    if let Some(code) = cli::main_if_requested(std::env::args_os(), std::env::vars_os()) {
        return code;
    }
    let config = match Config::from_process() {
        Ok(config) => config,
        Err(Unusable::Usage(usage)) => return cli::explain(&usage),
        Err(Unusable::Faults(faults)) => return misconfigured(&format!("mcp-sidecar cannot start:\n{faults}")),
    };
    let _last_words = match logging::start(&config.log) {
        Ok(last_words) => last_words,
        Err(cause) => return misconfigured(&format!("LOG_FILE cannot be written: {cause}\n")),
    };
    if let Err(cause) = descriptors::raise() {
        warn!(cause:%; "the limit of open files stays what it is");
    }
    let ran = supervisor().and_then(|runtime| runtime.block_on(run(config)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            error!(cause:%; "sidecar ended");
            ExitCode::FAILURE
        }
    }
}

/// Not actix's own runtime: this one looks after the children and outlives the HTTP workers.
///
/// Threads for what blocks (forks, looks at /proc) are few, there from the start, and stay: when the system has no
/// thread to give, a session must be refused and children must end all the same.
fn supervisor() -> Result<Runtime, Box<dyn std::error::Error>> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(share_of_processors()).max_blocking_threads(BLOCKING_THREADS).thread_keep_alive(FOR_EVER);
    let runtime = builder.enable_all().build()?;
    runtime.block_on(runtime.spawn_blocking(|| ()))?;
    Ok(runtime)
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    reap::adopt_orphans(&Handle::current())?;
    let stop = stop_signal()?;
    let application = Application::build(config).await?;
    if let Some(addr) = application.metrics_addr() {
        info!(addr:%; "serving /metrics");
    }
    info!(addr:% = application.addr(), version = env!("CARGO_PKG_VERSION"); "listening");
    // If the server ends by itself, nobody is waited for: the runtime kills its children, the watchdog the rest.
    application.run_until_stopped(stop).await?;
    reap::none_left().await;
    info!("stopped");
    Ok(())
}

/// Cancelled by SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    Handle::current().spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        stopped.cancel();
    });
    Ok(stop)
}

fn misconfigured(why: &str) -> ExitCode {
    // There is no logger yet: its level and file are part of what is wrong.
    let told = std::io::stderr().write_all(why.as_bytes());
    told.map_or(ExitCode::FAILURE, |()| ExitCode::from(MISCONFIGURED))
}
