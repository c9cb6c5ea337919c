//! The stand-in for GitHub as a program, for the demo: `github-standin --port 0` logs `listening addr=…` on stderr.

use std::{io, net::TcpListener, sync::Arc};

use clap::Parser;
use gateway_tests::github::{OAuthApp, Records, serve};
use log::info;

/// Plays GitHub's login and user API on a loopback port; anyone who types a user name is that user
#[derive(Debug, Parser)]
#[command(name = "github-standin", version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one, which the log names
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The OAuth App's id, as in GITHUB_CLIENT_ID
    #[arg(long, default_value = "standin-client")]
    client_id: String,
    /// The OAuth App's secret, as in GITHUB_CLIENT_SECRET
    #[arg(long, default_value = "standin-secret")]
    client_secret: String,
    /// The OAuth App's callback (https://auth.…/callback); without it, any is allowed
    #[arg(long)]
    callback: Option<String>,
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::Builder::new().filter_level(log::LevelFilter::Info).init();
    let Arguments { port, client_id, client_secret, callback } = Arguments::parse();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    info!(addr:% = listener.local_addr()?; "listening");
    let server = serve(listener, Arc::new(Records::new(OAuthApp { client_id, client_secret, callback })))?;
    let handle = server.handle();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => ended,
        () = stop_signal() => {
            let (ended, ()) = tokio::join!(server, handle.stop(false));
            ended
        }
    }
}

/// SIGTERM or SIGINT.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be handled");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
